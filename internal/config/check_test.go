package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An open relay is never made by a configuration that does not say so in words.
func TestOpenRelayHasToBeNamed(t *testing.T) {
	for _, network := range []string{"0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/2", "2000::/3", "::ffff:0.0.0.0/96", "2400::/12", "fc00::/6"} {
		text := "[clients]\nallow = [\"" + network + "\"]\n"
		if _, err := loadText(t, text); err == nil || !strings.Contains(err.Error(), "open relay") {
			t.Errorf("%s was taken: %v", network, err)
		}
		_, warnings, err := Load(sourceOf(text + "open_relay = true\n"))
		if err != nil {
			t.Errorf("%s with open_relay was refused: %v", network, err)
		}
		if !hasKey(warnings, "clients.open_relay") {
			t.Errorf("%s with open_relay gave no warning", network)
		}
	}
	if _, err := loadText(t, `accept_for = ["*"]`); err == nil || !strings.Contains(err.Error(), "open relay") {
		t.Errorf(`accept_for = ["*"] was taken: %v`, err)
	}
}

func TestWideNetworksAreWarnedOf(t *testing.T) {
	for network, wide := range map[string]bool{
		"10.0.0.0/8": true, "192.168.0.0/15": true, "192.168.0.0/16": false, "127.0.0.0/8": false,
		"2001:db8::/31": true, "2001:db8::/32": false, "fd00::/8": true, "::1/128": false, "192.0.2.1": false,
	} {
		_, warnings, err := Load(sourceOf("[clients]\nallow = \"" + network + "\"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := hasKey(warnings, "clients.allow[0]"); got != wide {
			t.Errorf("%s: warned %v, want %v", network, got, wide)
		}
	}
}

func hasKey(faults []Fault, key string) bool {
	for _, f := range faults {
		if f.Key == key {
			return true
		}
	}
	return false
}

// Each of these alone is refused, at the key named.
func TestValuesThatCannotBeTaken(t *testing.T) {
	for _, test := range []struct{ key, text string }{
		{"hostname", `hostname = "192.0.2.1/24"`},
		{"state_dir", `state_dir = ""`},
		{"deliver", "next_hop = \"smtp://a\"\ndeliver = \"direct\""},
		{"next_hop[0]", `next_hop = "smtp://localhost:2525"`},
		{"next_hop[1]", `next_hop = ["smtp://a", "lmtp+unix:/` + strings.Repeat("x", 120) + `"]`},
		{"next_hop[0]", "next_hop = \"smtp://127.0.0.1:26\"\n[[listener]]\naddress = \":26\""},
		{"next_hop[0]", "next_hop = \"lmtp+unix:/run/a\"\n[[listener]]\naddress = \"unix:/run/a\""},
		{"accept_for[0]", `accept_for = "a@b"`},
		{"route[0].to", "[[route]]\nnext_hop = \"smtp://a\""},
		{"route[0].to", "[[route]]\nto = []\nnext_hop = \"smtp://a\""},
		{"route[0].next_hop", "[[route]]\nto = \"example.org\""},
		{"route[1].to[0]", "[[route]]\nto = \"example.org\"\nnext_hop = \"smtp://a\"\n[[route]]\nto = \"Example.ORG\"\nnext_hop = \"smtp://a\""},
		{"route[0].to[0]", "deliver = \"direct\"\n[[route]]\nto = \"*\"\nnext_hop = \"smtp://a\""},
		{"route[0].next_hop[0]", "[[route]]\nto = \"a\"\nnext_hop = \"lmtp+unix:/a\"\ntls = \"encrypted\""},
		{"listener", `listener = []`},
		{"smtp.unrecognized_parameter", "[smtp]\nunrecognized_parameter = 501"},
		{"smtp.unrecognized_parameter", "[smtp]\nunrecognized_parameter = \"504\""},
		{"smtp.future_release", "[smtp]\nfuture_release = \"1500ms\""},
		{"smtp.future_release", "[smtp]\nfuture_release = \"20000d\""},
		{"smtp.deliver_by_min", "[smtp]\ndeliver_by_min = \"1ms\""},
		{"listener[0].address", "[[listener]]\naddress = \"25\""},
		{"listener[0].address", "[[listener]]\naddress = \"127.0.0.1:smtp\""},
		{"listener[0].address", "[[listener]]\naddress = \"127.0.0.1:65536\""},
		{"listener[1].address", "[[listener]]\naddress = \":25\"\n[[listener]]\naddress = \":25\""},
		{"listener[0].tls", "[[listener]]\naddress = \":465\"\ntls = \"implicit\""},
		{"listener[0].tls", "[[listener]]\naddress = \"unix:/run/a\"\ntls = \"implicit\""},
		{"listener[0].protocol", "[[listener]]\naddress = \":25\"\nprotocol = \"lmtp\""},
		{"tls.certificate[0]", "[tls]\ncertificate = \"a.pem\""},
		{"tls.key[1]", "[tls]\ncertificate = \"a.pem\"\nkey = [\"a.pem\", \"b.pem\"]"},
		{"tls.certificate[1]", "[tls]\ncertificate = [\"a.pem\", \"none.pem\"]\nkey = [\"a.pem\", \"b.pem\"]"},
		{"tls.acme.names", "[tls.acme]\nnames = \"mail.example.org\""},
		{"tls.acme.names[0]", "[tls.acme]\nnames = \"*.example.org\"\naccept_terms = true"},
		{"tls.acme.directory", "[tls.acme]\nnames = \"mail.example.org\"\naccept_terms = true\ndirectory = \"http://a/\""},
		{"tls.acme.key_id", "[tls.acme]\nnames = \"mail.example.org\"\naccept_terms = true\nkey_id = \"x\""},
		{"tls.min_version", "[tls]\nmin_version = \"1.1\""},
		{"listener[0].key[0]", "[[listener]]\nkey = \"a.pem\""},
		{"listener[0].client_certificate", "[[listener]]\nclient_certificate = \"request\""},
		{"listener[0].auth", "[[listener]]\naddress = \":587\"\nprotocol = \"submission\"\n[tls.acme]\nnames = \"a.b\"\naccept_terms = true"},
		{"listener[0].protocol", "[[listener]]\naddress = \":587\"\nprotocol = \"submission\""},
		{"listener[0].protocol", "[[listener]]\naddress = \":465\"\nprotocol = \"submissions\""},
		{"listener[0].protocol", "[[listener]]\naddress = \"unix:/run/a\"\nprotocol = \"submission\""},
		{"listener[0].tls", "[[listener]]\naddress = \":587\"\nprotocol = \"submission\"\ntls = \"off\""},
		{"listener[0].tls", "[[listener]]\naddress = \":587\"\nprotocol = \"submission\"\ntls = \"implicit\""},
		{"listener[0].mode", "[[listener]]\naddress = \":25\"\nmode = \"0660\""},
		{"listener[0].mode", "[[listener]]\naddress = \"unix:/run/a\"\nmode = \"0888\""},
		{"listener[0].mode", "[[listener]]\naddress = \"unix:/run/a\"\nmode = \"7777\""},
		{"listener[0].owner", "[[listener]]\naddress = \":25\"\nowner = \"weir\""},
		{"listener[0].client_ca", "[[listener]]\nclient_ca = \"none.pem\""},
		{"tls.key[0]", "[tls]\nkey = \"a.pem\""},
		{"smtp.max_message_size", "[smtp]\nmax_message_size = 65535"},
		{"smtp.max_recipients", "[smtp]\nmax_recipients = 0"},
		{"smtp.max_received", "[smtp]\nmax_received = -1"},
		{"smtp.max_errors", "[smtp]\nmax_errors = -1"},
		{"smtp.max_errors", "[smtp]\nmax_errors = 99999999999999999999"},
		{"smtp.command_timeout", "[smtp]\ncommand_timeout = \"999ms\""},
		{"retry.first", "[retry]\nfirst = \"0\""},
		{"retry.max", "[retry]\nmax = \"59s\""},
		{"retry.expire", "[retry]\nexpire = \"1m\""},
		{"delivery.connections", "[delivery]\nconnections = 0"},
		{"delivery.source_address[2]", "[delivery]\nsource_address = [\"192.0.2.1\", \"::1\", \"192.0.2.1\"]"},
		{"lane[0]", "[[lane]]\nconnections = 2"},
		{"lane[0].match[0]", "[[lane]]\nmatch = [\"a b\"]"},
		{"lane[1].match[0]", "[[lane]]\nmatch = [\".example.net\"]\n[[lane]]\nname = \"x\"\nmatch = [\".EXAMPLE.net\"]"},
		{"lane[1].name", "[[lane]]\nname = \"x\"\nmatch = [\"a.example\"]\n[[lane]]\nname = \"X\"\nmatch = [\"b.example\"]"},
		{"lane[0].name", "[[lane]]\nname = \"x,y\"\nmatch = [\"a.example\"]"},
		{"lane[0].connections", "[[lane]]\nmatch = [\"a.example\"]\nconnections = -1"},
		{"delivery.ehlo", "[delivery]\nehlo = \"a b\""},
		{"spool.memtable", "[spool]\nmemtable = \"512KiB\""},
		{"spool.large_body", "[spool]\nlarge_body = \"9MiB\""},
		{"spool.min_sync_interval", "[spool]\nmin_sync_interval = \"1s\""},
		{"admin.socket", "[admin]\nsocket = \"a.sock\""},
		{"admin.http", "[admin]\nhttp = \":8025\""},
		{"admin.http", "[admin]\nhttp = \"8025\""},
		{"admin.http", "[admin]\nhttp = \"[2001:db8::1]:8025\""},
		{"listener[0].class", "[[listener]]\naddress = \":25\"\nclass = \"Known\""},
		{"listener[0].proxy_protocol", "[[listener]]\naddress = \"unix:/run/a\"\nproxy_protocol = \"10.0.0.0/8\""},
		{"listener[0].proxy_protocol[1]", "[[listener]]\naddress = \":25\"\nproxy_protocol = [\"10.0.0.0/8\", \"0.0.0.0/0\"]"},
		{"clients.connections", "[clients]\nconnections = -1"},
		{"clients.network.connections", "[clients.network]\nconnections = -1"},
		{"clients.connection_rate", "[clients]\nconnection_rate = 100"},
		{"clients.network.bytes_rate", "[clients]\nnetwork.bytes_rate = \"1GiB\""},
		{"clients.known[0]", "[clients]\nknown = \"example.org\""},
		{"clients.exempt[1]", "[clients]\nexempt = [\"192.0.2.1\", \"192.0.2.1/24\"]"},
		{"admission.mode", "[admission]\nmode = \"off\""},
		{"admission.max_connections", "[admission]\nmax_connections = -1"},
		{"admission.slots", "[admission]\nslots = -1"},
		{"admission.slots", "[admission]\nslots = 11\nmax_connections = 10"},
		{"admission.memory", "[admission]\nmemory = \"31MiB\""},
		{"admission.queue_limit", "[admission]\nqueue_limit = -1"},
		{"admission.wait", "[admission]\nwait = \"30.001s\""},
		{"admission.wait", "[admission]\nwait = \"0\""},
		{"admission.refusal_cpu", "[admission]\nrefusal_cpu = 0"},
		{"admission.refusal_cpu", "[admission]\nrefusal_cpu = 101"},
		{"admission.retry_min", "[admission]\nretry_min = \"0\""},
		{"admission.retry_max", "[admission]\nretry_max = \"59s\""},
		{"admission.retry_min", "[admission]\nretry_min = \"31m\""},
		{"admission.retry_max", "[admission]\nretry_max = \"61m\""},
		{"greylist.delay", "[greylist]\ndelay = \"0\""},
		{"greylist.window", "[greylist]\nwindow = \"90s\""},
		{"greylist.delay", "[greylist]\ndelay = \"1d\""},
		{"greylist.keep", "[greylist]\nkeep = \"23h\""},
		{"greylist.reply", "[greylist]\nreply = 450"},
		{"greylist.reply", "[greylist]\nreply = \"451\""},
		{"lifecycle.grace", "[lifecycle]\ngrace = \"25h\""},
		{"lifecycle.lame_duck", "[lifecycle]\nlame_duck = \"61m\""},
		{"lifecycle.window[0].start", "[[lifecycle.window]]\ndays = \"Sun\""},
		{"lifecycle.window[0].start", "[[lifecycle.window]]\nstart = \"24:00\""},
		{"lifecycle.window[0].days[1]", "[[lifecycle.window]]\nstart = \"03:00\"\ndays = [\"Sun\", \"Son\"]"},
		{"lifecycle.window[0].length", "[[lifecycle.window]]\nstart = \"03:00\"\nlength = \"0\""},
		{"lifecycle.window[0].length", "[[lifecycle.window]]\nstart = \"03:00\"\nlength = \"1d1m\""},
		{"lifecycle.window[1].listener", "[[lifecycle.window]]\nstart = \"03:00\"\n[[lifecycle.window]]\nstart = \"03:00\"\nlistener = \"public\""},
	} {
		_, err := loadText(t, test.text)
		if !hasKey(faultsOf(t, err), test.key) {
			t.Errorf("%q: no fault at %s: %v", test.text, test.key, err)
		}
	}
}

func TestWarningsStandAtTheirKey(t *testing.T) {
	for _, test := range []struct{ key, text string }{
		{"next_hop", ""},
		{"hostname", `hostname = "mail"`},
		{"accept_for[0]", "deliver = \"direct\"\naccept_for = \"example.org\""},
		{"listener[0].tls", "[[listener]]\naddress = \":465\""},
		{"next_hop[0]", `next_hop = "smtp://a:465"`},
		{"next_hop[0]", `next_hop = "smtps://a:587"`},
		{"smtp.max_recipients", "[smtp]\nmax_recipients = 99"},
		{"smtp.command_timeout", "[smtp]\ncommand_timeout = \"4m\""},
		{"retry.delay_notice", "[retry]\ndelay_notice = \"5d\""},
		{"listener[0].class", "[[listener]]\naddress = \":25\"\nclass = \"control\""},
		{"clients.known[1]", "[clients]\nknown = [\"192.0.2.0/24\", \"0.0.0.0/0\"]"},
		{"clients.exempt[0]", "[clients]\nexempt = \"::/0\""},
		{"clients.network.connections", "[clients]\nconnections = 20\nnetwork = { connections = 10 }"},
		{"admission.memory", "[admission]\nmemory = \"63MiB\""},
		{"greylist.delay", "[greylist]\ndelay = \"61m\""},
		{"greylist.exempt[0]", "[greylist]\nexempt = \"0.0.0.0/0\""},
		{"lifecycle.window[0].days[0]", "[[lifecycle.window]]\ndays = \"2020-02-02\"\nstart = \"03:00\""},
	} {
		_, warnings, err := Load(sourceOf(test.text))
		if err != nil || !hasKey(warnings, test.key) {
			t.Errorf("%q: no warning at %s: %v %v", test.text, test.key, warnings, err)
		}
	}
}

// What is right gives neither faults nor warnings.
func TestGoodConfigurationsAreSilent(t *testing.T) {
	for _, text := range []string{
		`next_hop = "smtp://smarthost.example.net:587"`,
		`deliver = "direct"`,
		"accept_for = \"example.org\"\n[[route]]\nto = \"*\"\nnext_hop = \"smtp+mx://example.net\"",
		"deliver = \"direct\"\naccept_for = [\"example.org\", \"a.example.net\", \".example.net\"]\n[[route]]\nto = [\"example.org\", \".example.net\"]\nnext_hop = \"lmtp+unix:/run/lmtp\"\ntls = \"off\"",
		"next_hop = \"smtp://a\"\n[[listener]]\naddress = \"localhost:2525\"\n[[listener]]\naddress = \"[::1]:2525\"\n[[listener]]\naddress = \"unix:/run/a\"\nprotocol = \"lmtp\"",
		"next_hop = \"smtp://a\"\n[admin]\nhttp = \"[::1]:8025\"\nsocket = \"\"",
		"next_hop = \"smtp://a\"\n[retry]\ndelay_notice = \"0\"\n[delivery]\nsource_address = [\"192.0.2.1\", \"2001:db8::1\"]",
		"next_hop = \"smtp://a\"\n[[listener]]\naddress = \"localhost:2526\"\nclass = \"control\"\n[[listener]]\naddress = \"unix:/run/a\"\nclass = \"control\"\n[[listener]]\naddress = \":587\"\nclass = \"submission\"",
		"next_hop = \"smtp://a\"\n[admission]\nmode = \"observe\"\nslots = 10\nmax_connections = 10\nmemory = \"64MiB\"\nwait = \"30s\"\nrefusal_cpu = 100\nretry_min = \"1h\"\nretry_max = \"1h\"",
		"next_hop = \"smtp://a\"\n[clients]\nconnections = 10\nconnection_rate = 0\nbytes_rate = \"1GiB/1h\"\n[clients.network]\nconnections = 10",
		"next_hop = \"smtp://a\"\n[greylist]\nenabled = true\ndelay = \"1s\"\nwindow = \"2s\"\nkeep = \"1d\"\nreply = 421",
		"next_hop = \"smtp://a\"\n[lifecycle]\nlame_duck = \"1h\"\n[[lifecycle.window]]\nstart = 00:00:00\nlength = \"1d\"\nlistener = \"127.0.0.1:2525\"",
	} {
		if _, warnings, err := Load(sourceOf(text)); err != nil || len(warnings) > 0 {
			t.Errorf("%q:\n%v\n%v", text, err, warnings)
		}
	}
}

func TestDevelopmentMayShowItsPageBeyondTheMachine(t *testing.T) {
	src := sourceOf("[admin]\nhttp = \":8025\"")
	src.Base = Dev("/tmp/weir")
	_, warnings, err := Load(src)
	if err != nil || !hasKey(warnings, "admin.http") {
		t.Errorf("want a warning alone: %v %v", warnings, err)
	}
}

func TestCertificateIsLoaded(t *testing.T) {
	now := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	cert, key := selfSigned(t, now)
	_, otherKey := selfSigned(t, now)
	for _, test := range []struct {
		name, cert, key, problem string
		at                       time.Time
		warning                  bool
	}{
		{name: "good", cert: cert, key: key, at: now},
		{name: "ended", cert: cert, key: key, at: now.Add(48 * time.Hour), warning: true},
		{name: "of another key", cert: cert, key: otherKey, at: now, problem: "does not match"},
		{name: "exchanged", cert: key, key: cert, at: now, problem: "cannot be used"},
		{name: "not PEM", cert: "x", key: key, at: now, problem: "cannot be used"},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := sourceOf("next_hop = \"smtp://a\"\n[tls]\ncertificate = \"c\"\nkey = \"k\"\n[[listener]]\naddress = \":465\"\ntls = \"implicit\"")
			read := src.ReadFile
			src.Now = test.at
			src.ReadFile = func(name string) ([]byte, error) {
				switch name {
				case "c":
					return []byte(test.cert), nil
				case "k":
					return []byte(test.key), nil
				}
				return read(name)
			}
			_, warnings, err := Load(src)
			if test.problem == "" && err != nil || test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)) {
				t.Errorf("got %v, want %q", err, test.problem)
			}
			if hasKey(warnings, "tls.certificate[0]") != test.warning {
				t.Errorf("warnings: %v", warnings)
			}
		})
	}
}

// A key that everyone may read is no secret.
func TestAKeyForEveryoneIsWarnedOf(t *testing.T) {
	now := time.Now()
	cert, key := selfSigned(t, now)
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o604: true} {
		dir := t.TempDir()
		for name, text := range map[string]string{"c": cert, "k": key} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
				t.Fatal(err)
			}
		}
		src := sourceOf(fmt.Sprintf("[tls]\ncertificate = %q\nkey = %q\n", filepath.Join(dir, "c"), filepath.Join(dir, "k")))
		text := src.ReadFile
		src.ReadFile = func(name string) ([]byte, error) {
			if strings.HasPrefix(name, dir) {
				return os.ReadFile(name)
			}
			return text(name)
		}
		_, warnings, err := Load(src)
		if err != nil {
			t.Fatal(err)
		}
		if got := hasKey(warnings, "tls.key[0]"); got != warned {
			t.Errorf("%v: warned %v, want %v", mode, got, warned)
		}
	}
}

// selfSigned makes a certificate that is good for a day, in PEM.
func selfSigned(t *testing.T, now time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"mail.example.org"}, NotBefore: now, NotAfter: now.Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", pkcs8)
}
