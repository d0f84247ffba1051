package target

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/weirmail/weir/bench/process"
)

// Postfix runs a Postfix instance of its own: configuration, queue, data and
// log are in the folder that it is given. Only root can start one.
type Postfix struct {
	// Settings are further lines of main.cf, for those who know a faster
	// setup.
	Settings []string

	queue   string
	address string
	log     string // of its services
	said    string // by its master
	process *process.Process
}

// ErrNoPostfix is returned, wrapped, where Postfix cannot run.
var ErrNoPostfix = errors.New("Postfix cannot run here")

// PostfixVersion returns the version of the installed Postfix, or
// ErrNoPostfix.
func PostfixVersion() (string, error) {
	if os.Geteuid() != 0 {
		return "", fmt.Errorf("%w: its master has to be started by root", ErrNoPostfix)
	}
	out, err := exec.Command("postconf", "-d", "-h", "mail_version").Output()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoPostfix, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Start starts Postfix.
func (p *Postfix) Start(ctx context.Context, s Setup) error {
	var err error
	if p.address, err = freeAddress(); err != nil {
		return err
	}
	config := filepath.Join(s.Dir, "config")
	p.queue, p.log, p.said = filepath.Join(s.Dir, "queue"), filepath.Join(s.Dir, "log"), filepath.Join(s.Dir, "said")
	if err := p.write(config, s); err != nil {
		return err
	}
	// This makes the folders of the queue, with their owners.
	if out, err := exec.CommandContext(ctx, "postfix", "-c", config, "check").CombinedOutput(); err != nil {
		return fmt.Errorf("postfix check: %w\n%s", err, out)
	}
	master := filepath.Join(daemons(), "master")
	said, err := os.Create(p.said)
	if err != nil {
		return err
	}
	defer said.Close()
	p.process, err = process.Start(s.Group, process.Spec{
		Command: []string{master, "-d", "-c", config},
		Env:     []string{"MAIL_CONFIG=" + config},
		Stdout:  said, Stderr: said,
	})
	if err != nil {
		return err
	}
	return withLog(awaitGreeting(ctx, p.process, p.address), p.said, p.log)
}

// daemons is the folder of Postfix's programs.
func daemons() string {
	out, err := exec.Command("postconf", "-d", "-h", "daemon_directory").Output()
	if err != nil {
		return "/usr/lib/postfix/sbin"
	}
	return strings.TrimSpace(string(out))
}

// write writes the configuration and makes the folders that Postfix does not
// make itself. Its own user has to get through to them.
func (p *Postfix) write(config string, s Setup) error {
	if err := os.Chmod(s.Dir, 0o755); err != nil {
		return err
	}
	data := filepath.Join(s.Dir, "data")
	for _, dir := range []string{config, p.queue, data} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	owner, err := exec.Command("chown", "postfix", data).CombinedOutput()
	if err != nil {
		return fmt.Errorf("giving Postfix its folder: %w\n%s", err, owner)
	}
	if err := os.WriteFile(filepath.Join(config, "main.cf"), []byte(p.main(s)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(config, "master.cf"), []byte(p.master()), 0o644)
}

// deliveries is how many deliveries run at once. The next server is on the same
// machine and fast, so more than a few a processor only take turns. For the
// same reason its connections are not kept: to hand one from process to process
// costs more here than to make a new one.
func deliveries() int { return 4 * runtime.NumCPU() }

// main is main.cf. Whatever slows down an administrator's relay on purpose, or
// by a limit that is too low for the load, is set aside.
func (p *Postfix) main(s Setup) string {
	text := fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
daemon_directory = %[2]s
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s

myhostname = postfix.bench.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = none
smtp_tls_security_level = none
smtp_dns_support_level = disabled
smtp_host_lookup = native

default_process_limit = 300
max_use = 10000
in_flow_delay = 0
smtpd_client_event_limit_exceptions = static:all
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_client_recipient_rate_limit = 0
smtpd_error_sleep_time = 0
qmgr_message_active_limit = 100000
qmgr_message_recipient_limit = 100000
initial_destination_concurrency = %[3]d
default_destination_concurrency_limit = %[3]d
default_destination_rate_delay = 0
smtp_connection_cache_on_demand = no
`, s.Dir, daemons(), deliveries())
	text = replaced(text, p.Settings)
	if s.NextHop == "" {
		return text + "smtpd_client_restrictions = check_client_access static:HOLD\n"
	}
	host, port, _ := net.SplitHostPort(s.NextHop)
	next := fmt.Sprintf("[%s]:%s", host, port)
	return text + "relayhost = " + next + "\n"
}

// replaced puts settings in the place of those of the same name: Postfix warns
// of a second one, and each of its processes does.
func replaced(text string, settings []string) string {
	if len(settings) == 0 {
		return text
	}
	given := map[string]bool{}
	for _, setting := range settings {
		given[nameOf(setting)] = true
	}
	var kept strings.Builder
	for l := range strings.Lines(text) {
		if !given[nameOf(l)] {
			kept.WriteString(l)
		}
	}
	return kept.String() + strings.Join(settings, "\n") + "\n"
}

// nameOf is the name of a setting; an empty line has none.
func nameOf(setting string) string {
	name, _, ok := strings.Cut(setting, "=")
	if !ok {
		return ""
	}
	return strings.TrimSpace(name)
}

// master is master.cf: no service is confined to a changed root, which spares
// copies of system files in the queue's folder.
func (p *Postfix) master() string {
	return p.address + ` inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
}

// Address is where it takes mail.
func (p *Postfix) Address() string { return p.address }

// Queued counts the files of the queue.
func (p *Postfix) Queued(context.Context) (int64, error) {
	var n int64
	for _, name := range []string{"incoming", "active", "deferred", "hold"} {
		err := filepath.WalkDir(filepath.Join(p.queue, name), func(_ string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // it went its way
			}
			if err == nil && entry.Type().IsRegular() {
				n++
			}
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("counting Postfix's queue: %w", err)
		}
	}
	return n, nil
}

// Syncs is not known of Postfix.
func (p *Postfix) Syncs(context.Context) (int64, bool) { return 0, false }

// Stop stops it.
func (p *Postfix) Stop() error {
	if p.process == nil {
		return nil
	}
	return withLog(p.process.Stop(stopTime), p.said, p.log)
}
