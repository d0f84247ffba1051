package config

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// equal compares configurations.
func equal() cmp.Option {
	return cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{}, netip.AddrPort{}, Secret{})
}

func TestNothingSetIsTheDefault(t *testing.T) {
	c, warnings, err := Load(Source{Hostname: "mail.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Hostname = "mail.example.org"
	if diff := cmp.Diff(want, c, equal()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(warnings) != 1 || warnings[0].Key != "next_hop" {
		t.Errorf("want the one warning that mail is kept, got %v", warnings)
	}
}

func TestEveryKindOfValueIsRead(t *testing.T) {
	c, err := loadText(t, `
		hostname = "mx.example.org"
		state_dir = '/srv/weir'
		next_hop = "smtp://smarthost.example.net:587"
		accept_for = ["example.org", ".example.org"]
		smtp.max_errors = 3
		tls = {}

		[clients]
		allow = ["192.0.2.0/24", "2001:db8::1"]
		connection_rate = "100/1m+20"
		bytes_rate = "1GiB/1h"

		[[listener]]
		address = ":25"
		name = "public"
		class = "known"
		[[listener]]
		address = "unix:/run/weir/lmtp.sock"
		protocol = "lmtp"
		tls = "off"

		[[route]]
		to = "example.org"
		next_hop = ["lmtp+unix:/run/dovecot/lmtp", "smtps://backup.example.org"]

		[retry]
		first = "2m"
		expire = "3d"
		delay_notice = "0"

		[delivery]
		source_address = ["192.0.2.25", "2001:db8::25"]
		tls = "verified"

		[dns]
		servers = ["127.0.0.1", "[::1]:5353"]

		[spool]
		memtable = 67108864
		large_body = "1MiB"

		[admin]
		http = ""

		[clients.network]
		connections = 50
		message_rate = "1000/h"
		recipient_rate = 0

		[admission]
		mode = "observe"
		max_connections = 2_000
		memory = "512MiB"

		[greylist]
		enabled = true
		reply = 421
		exempt = ["198.51.100.7"]

		[[lifecycle.window]]
		days = ["Sun", 2026-12-24]
		start = "03:00"
		length = "90m"
		listener = "public"
		[[lifecycle.window]]
		start = 22:30:00

		[lifecycle]
		lame_duck = "5s"

		[log]
		format = "json"
		level = "debug"
	`)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Hostname, want.StateDir = "mx.example.org", "/srv/weir"
	want.NextHop = []NextHop{{Protocol: ProtocolSMTP, Host: "smarthost.example.net", Port: 587}}
	want.AcceptFor = []string{"example.org", ".example.org"}
	want.SMTP.MaxErrors = 3
	want.Clients.Allow = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::1/128")}
	want.Listeners = []Listener{
		{Name: "public", Address: ":25", Protocol: ProtocolSMTP, TLS: ListenerTLSAuto, Auth: ListenerAuthOff, Class: ListenerClassKnown},
		{Address: "unix:/run/weir/lmtp.sock", Protocol: ProtocolLMTP, TLS: ListenerTLSOff, Auth: ListenerAuthOff},
	}
	want.Routes = []Route{{To: []string{"example.org"}, Server: Server{NextHop: []NextHop{
		{Protocol: ProtocolLMTP, Socket: "/run/dovecot/lmtp"},
		{Protocol: ProtocolSMTP, Host: "backup.example.org", Port: 465, Implicit: true},
	}}}}
	want.Retry.First, want.Retry.Expire, want.Retry.DelayNotice = 2*time.Minute, 72*time.Hour, 0
	want.Delivery.SourceAddress = []netip.Addr{netip.MustParseAddr("192.0.2.25"), netip.MustParseAddr("2001:db8::25")}
	want.Delivery.TLS = TLSVerified
	want.DNS.Servers = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53"), netip.MustParseAddrPort("[::1]:5353")}
	want.Spool.Memtable, want.Spool.LargeBody = 64<<20, 1<<20
	want.Admin.HTTP = ""
	want.Clients.ConnectionRate = Rate{Count: 100, Per: time.Minute, Burst: 20}
	want.Clients.BytesRate = ByteRate{Bytes: 1 << 30, Per: time.Hour}
	want.Clients.Network = Limits{Connections: 50, MessageRate: Rate{Count: 1000, Per: time.Hour}}
	want.Admission.Mode, want.Admission.MaxConnections, want.Admission.Memory = AdmissionObserve, 2000, 512<<20
	want.Greylist.Enabled, want.Greylist.Reply = true, 421
	want.Greylist.Exempt = []netip.Prefix{netip.MustParsePrefix("198.51.100.7/32")}
	want.Lifecycle.LameDuck = 5 * time.Second
	want.Lifecycle.Windows = []Window{
		{
			Days:  []WindowDay{{Weekday: time.Sunday}, {Date: Date{2026, time.December, 24}}},
			Start: TimeOfDay(3 * time.Hour), Length: 90 * time.Minute, Listener: "public",
		},
		{Start: TimeOfDay(22*time.Hour + 30*time.Minute), Length: time.Hour},
	}
	want.Log = Log{Format: LogJSON, Level: slog.LevelDebug, Accounts: true}
	if diff := cmp.Diff(want, c, equal()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestFlagBeatsEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	src := sourceOf("[smtp]\nmax_errors = 2\nmax_recipients = 200\nmax_received = 300\n")
	src.Environ = []string{"WEIR_SMTP__MAX_ERRORS=3", "WEIR_SMTP__MAX_RECIPIENTS=400", "PATH=/bin"}
	src.Flags = map[string]string{"smtp.max_errors": "4", "listener[0].address": "127.0.0.1:26"}
	c, _, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	if got := [4]int{c.SMTP.MaxErrors, c.SMTP.MaxRecipients, c.SMTP.MaxReceived, c.SMTP.MaxTransactions}; got != [4]int{4, 400, 300, 0} {
		t.Errorf("got %v, want flag 4, environment 400, file 300, default 0", got)
	}
	if got := c.Listeners[0].Address; got != "127.0.0.1:26" {
		t.Errorf("listener is %q", got)
	}
}

func TestEnvironmentSetsLists(t *testing.T) {
	c, _, err := Load(Source{Hostname: "mail.example.org", Environ: []string{
		"WEIR_NEXT_HOP=smtp://a, smtp://b:26,",
		"WEIR_ACCEPT_FOR=example.org",
		"WEIR_CLIENTS__ALLOW=",
		"WEIR_LISTENER__0__ADDRESS=127.0.0.1:25",
		"WEIR_LISTENER__1__ADDRESS=127.0.0.1:26",
		"WEIR_LISTENER__1__TLS=off",
		"WEIR_ROUTE__0__TO=example.org",
		"WEIR_ROUTE__0__NEXT_HOP=lmtp://127.0.0.1:24",
		"WEIR_ADMIN__HTTP=",
		"WEIR_CLIENTS__NETWORK__CONNECTION_RATE=5/s",
		"WEIR_LIFECYCLE__WINDOW__0__DAYS=Sat,Sun",
		"WEIR_LIFECYCLE__WINDOW__0__START=03:00",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.NextHop) != 2 || c.NextHop[1].Address() != "b:26" {
		t.Errorf("next_hop is %v", c.NextHop)
	}
	if len(c.Clients.Allow) != 0 || c.Admin.HTTP != "" {
		t.Errorf("an empty variable did not empty the key: %v, %q", c.Clients.Allow, c.Admin.HTTP)
	}
	want := []Listener{
		{Address: "127.0.0.1:25", Protocol: ProtocolSMTP, TLS: ListenerTLSAuto, Auth: ListenerAuthOff},
		{Address: "127.0.0.1:26", Protocol: ProtocolSMTP, TLS: ListenerTLSOff, Auth: ListenerAuthOff},
	}
	if diff := cmp.Diff(want, c.Listeners); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(c.Routes) != 1 || c.Routes[0].NextHop[0].Address() != "127.0.0.1:24" {
		t.Errorf("routes are %v", c.Routes)
	}
	if c.Clients.Network.ConnectionRate != (Rate{Count: 5, Per: time.Second}) {
		t.Errorf("the rate is %v", c.Clients.Network.ConnectionRate)
	}
	windows := []Window{{
		Days:  []WindowDay{{Weekday: time.Saturday}, {Weekday: time.Sunday}},
		Start: TimeOfDay(3 * time.Hour), Length: time.Hour,
	}}
	if diff := cmp.Diff(windows, c.Lifecycle.Windows); diff != "" {
		t.Errorf("windows (-want +got)\n%s", diff)
	}
}

func TestVariableWithFileReadsTheFile(t *testing.T) {
	src := sourceOf("from.the.file.example\n")
	src.Path = ""
	src.Environ = []string{"WEIR_HOSTNAME_FILE=weir.toml"}
	c, _, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	if c.Hostname != "from.the.file.example" {
		t.Errorf("hostname is %q", c.Hostname)
	}
}

func TestFaultsOfTheEnvironment(t *testing.T) {
	for _, test := range []struct {
		name    string
		environ []string
		problem string
	}{
		{"value and file at once", []string{"WEIR_HOSTNAME=a", "WEIR_HOSTNAME_FILE=/b"}, "both set"},
		{"file missing", []string{"WEIR_HOSTNAME_FILE=/b"}, "cannot be read"},
		{"unknown key", []string{"WEIR_SMTP__MAX_ERROR=1"}, `no key "smtp.max_error"`},
		{"unknown section", []string{"WEIR_SMPT__MAX_ERRORS=1"}, `no key "smpt"`},
		{"bad value", []string{"WEIR_SMTP__MAX_ERRORS=many"}, `"many" is not a whole number`},
		{"empty value where none can be", []string{"WEIR_SMTP__MAX_ERRORS="}, "not a whole number"},
		{"out of limits", []string{"WEIR_SMTP__MAX_RECIPIENTS=0"}, "WEIR_SMTP__MAX_RECIPIENTS: 0 is too small"},
		{"gap in a list", []string{"WEIR_ROUTE__1__TO=example.org"}, "number 0 is not set"},
		{"no number in a list", []string{"WEIR_ROUTE__TO__TO=example.org"}, "is not the number"},
		{"endless list", []string{"WEIR_ROUTE__4000000000__TO=example.org"}, "is not the number"},
		{"section alone", []string{"WEIR_ROUTE__0=example.org"}, "the key in it is missing"},
		{"below a key", []string{"WEIR_SMTP__MAX_ERRORS__X=1"}, "has none below it"},
		{"open relay", []string{"WEIR_CLIENTS__ALLOW=0.0.0.0/0"}, "open relay"},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := sourceOf("")
			src.Environ = test.environ
			_, _, err := Load(src)
			found := false
			for _, f := range faultsOf(t, err) {
				found = found || f.File == "environment" && strings.Contains(f.Problem, test.problem)
			}
			if !found {
				t.Errorf("no fault of the environment says %q:\n%v", test.problem, err)
			}
		})
	}
}

func TestFaultsOfTheCommandLine(t *testing.T) {
	for key, text := range map[string]string{"smtp.max_eror": "1", "smtp.max_errors": "x", "retry.max": "1s", "listener.tls": "off", "clients.open_relay": "maybe"} {
		src := sourceOf("")
		src.Flags = map[string]string{key: text}
		_, _, err := Load(src)
		if faults := faultsOf(t, err); len(faults) != 1 || faults[0].File != "command line" {
			t.Errorf("%s=%s: %v", key, text, err)
		}
	}
}

func TestBooleansAndLevelsOfTheEnvironment(t *testing.T) {
	for text, want := range map[string]bool{"true": true, "YES": true, "1": true, "on": true, "false": false, "no": false, "0": false, "Off": false} {
		c, _, err := Load(Source{Hostname: "mail.example.org", Environ: []string{"WEIR_CLIENTS__OPEN_RELAY=" + text}})
		if err != nil || c.Clients.OpenRelay != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]slog.Level{"debug": slog.LevelDebug, "INFO": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError} {
		c, _, err := Load(Source{Hostname: "mail.example.org", Environ: []string{"WEIR_LOG__LEVEL=" + text}})
		if err != nil || c.Log.Level != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRelayWithoutAnyNameAsksForOne(t *testing.T) {
	_, _, err := Load(Source{})
	if err == nil || !strings.Contains(err.Error(), `write hostname = "mail.example.org"`) {
		t.Errorf("%v", err)
	}
}

func TestVariablesOfOthersDoNotStopTheRelay(t *testing.T) {
	_, warnings, err := Load(Source{Hostname: "mail.example.org", Base: Dev("/tmp/weir"), Environ: []string{
		"WEIR_SERVICE_HOST=10.0.0.1", "WEIR_SERVICE_PORT=25", "WEIR_SERVICE_PORT_SMTP=25",
		"WEIR_PORT=tcp://10.0.0.1:25", "WEIR_PORT_25_TCP_ADDR=10.0.0.1", "WEIR_ADMIN_PORT_80_TCP=x",
		"WEIR_ADMIN_SERVICE_HOST=10.0.0.2", "WEIR_CONFIG=/etc/weir/weir.toml", "WEIRD=1", "HOSTNAME=x",
		"WEIR_HOSTNAM=typo",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || warnings[0].Key != "WEIR_HOSTNAM" || !strings.Contains(warnings[0].Suggestion, "WEIR_HOSTNAME") {
		t.Errorf("want one warning, about the typing error; got %v", warnings)
	}
}

func TestFileThatIsNotThere(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "weir.toml")
	if _, _, err := Load(Source{Path: missing, Optional: true, Hostname: "mail.example.org"}); err != nil {
		t.Errorf("the usual file may be missing: %v", err)
	}
	_, _, err := Load(Source{Path: missing, Hostname: "mail.example.org"})
	if err == nil || !strings.Contains(err.Error(), missing+": there is no such file") {
		t.Errorf("the message does not say that the file is missing: %v", err)
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	for _, test := range []struct {
		name string
		read func(string) ([]byte, error)
		want string
	}{
		{"permission", func(string) ([]byte, error) {
			return nil, &fs.PathError{Op: "open", Path: "weir.toml", Err: fs.ErrPermission}
		}, "cannot be read: permission denied"},
		{"folder", func(string) ([]byte, error) { return os.ReadFile(t.TempDir()) }, "is a directory"},
		{"disk", func(string) ([]byte, error) { return nil, errors.New("input/output error") }, "input/output error"},
		{"another file", func(string) ([]byte, error) { return make([]byte, maxFileSize+1), nil }, "too much for a configuration"},
		{"binary", func(string) ([]byte, error) { return []byte("\x7fELF\x02\x01\x00\xff\n\x00\x00"), nil }, "weir.toml:1:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Load(Source{Path: "weir.toml", Hostname: "mail.example.org", ReadFile: test.read})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestGarbageGivesFewFaults(t *testing.T) {
	_, err := loadText(t, strings.Repeat("a b = c\n", 1000))
	if n := len(faultsOf(t, err)); n == 0 || n > maxSyntaxFaults+1 {
		t.Errorf("%d faults", n)
	}
}

func TestByteOrderMarkAndCRLFAreTaken(t *testing.T) {
	c, err := loadText(t, "\ufeffhostname = \"a.example\"\r\n\r\n[smtp]\r\nmax_errors = 7\r\n")
	if err != nil || c.Hostname != "a.example" || c.SMTP.MaxErrors != 7 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestColumnsAreCountedInCharacters(t *testing.T) {
	_, err := loadText(t, `accept_for = ["ä.example", "b..example"]`)
	faults := faultsOf(t, err)
	if len(faults) != 2 || faults[1].Column != 28 || faults[1].Width != 12 || faults[1].Line != 1 {
		t.Errorf("%+v", faults)
	}
}

func TestUnquotedWordIsMarkedAndNotItsKey(t *testing.T) {
	_, err := loadText(t, "[smtp]\nbare_newline = bare")
	faults := faultsOf(t, err)
	if len(faults) != 1 || faults[0].Column != 16 || faults[0].Suggestion != `write bare_newline = "bare"` {
		t.Errorf("%+v", faults)
	}
}

func TestBaseIsNotChanged(t *testing.T) {
	base := Dev("/tmp/weir")
	base.Lifecycle.Windows = []Window{{Length: time.Hour}}
	want := *base
	src := sourceOf("[[listener]]\naddress = \"127.0.0.1:1\"\n[clients]\nallow = \"192.0.2.1\"\n[[lifecycle.window]]\nstart = \"03:00\"")
	src.Base, src.Environ = base, []string{"WEIR_LISTENER__0__NAME=x"}
	c, _, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	want.Lifecycle.Windows = []Window{{Length: time.Hour}}
	want.Listeners = Dev("/tmp/weir").Listeners
	if diff := cmp.Diff(&want, base, equal()); diff != "" {
		t.Errorf("Load wrote into its base (-want +got)\n%s", diff)
	}
	if !c.Dev || c.Listeners[0].Name != "x" || c.StateDir != "/tmp/weir" {
		t.Errorf("the base is lost: %+v", c)
	}
}

func TestStateDirectoryOfSystemdIsADefault(t *testing.T) {
	for _, test := range []struct{ file, environ, want string }{
		{"", "", "/var/lib/weir"},
		{"", "STATE_DIRECTORY=/var/lib/private/weir:/var/lib/other", "/var/lib/private/weir"},
		{`state_dir = "/srv"`, "STATE_DIRECTORY=/var/lib/private/weir", "/srv"},
	} {
		src := sourceOf(test.file)
		src.Environ = []string{test.environ}
		c, _, err := Load(src)
		if err != nil || c.StateDir != test.want {
			t.Errorf("%+v: %v, %v", test, c, err)
		}
	}
}

func TestDevIsReadyToUse(t *testing.T) {
	c, warnings, err := Load(Source{Base: Dev("/tmp/weir"), Hostname: "laptop"})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %v", err, warnings)
	}
	if c.Listeners[0].Address != "127.0.0.1:1025" || c.Admin.HTTP != "127.0.0.1:8025" || c.Admin.Socket != "/tmp/weir/admin.sock" {
		t.Errorf("%+v", c)
	}
}
