package test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// postfixDaemons is where Debian has the parts of Postfix.
const postfixDaemons = "/usr/lib/postfix/sbin"

// startPostfix starts a Postfix of its own that takes mail from this machine
// and hands all of it to the next hop. It returns its address.
func startPostfix(t testing.TB, nextHop string) string {
	t.Helper()
	return startPostfixWith(t, nextHop, "smtp_tls_security_level = none\n")
}

// startPostfixWith is startPostfix with settings of main.cf for how it hands it on.
func startPostfixWith(t testing.TB, nextHop, settings string) string {
	t.Helper()
	need(t, "postfix")
	if os.Getuid() != 0 {
		t.Skip("LEFT OUT: Postfix can be started by root alone")
	}
	dir := folder(t)
	port := freePort(t)
	host, nextPort, err := net.SplitHostPort(nextHop)
	if err != nil {
		t.Fatal(err)
	}
	makePostfixFolders(t, dir)
	front := "- smtpd"
	if strings.Contains(settings, "postscreen_") {
		front = "1 postscreen\nsmtpd pass - - n - - smtpd\ndnsblog unix - - n - 0 dnsblog\ntlsproxy unix - - n - 0 tlsproxy"
	}
	write(t, filepath.Join(dir, "etc", "main.cf"), fmt.Sprintf(`
compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
daemon_directory = %[2]s
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.test
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [%[3]s]:%[4]s
smtp_line_length_limit = 0
message_size_limit = 104857600
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
maillog_file = %[1]s/log
maillog_file_prefixes = /tmp, %[1]s
%[5]s`, dir, postfixDaemons, host, nextPort, settings))
	write(t, filepath.Join(dir, "etc", "master.cf"), fmt.Sprintf(`
127.0.0.1:%d inet n - n - %s
pickup unix n - n 60 1 pickup
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
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
`, port, front))
	cmd := exec.Command(filepath.Join(postfixDaemons, "master"), "-c", filepath.Join(dir, "etc"), "-d")
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "MAIL_CONFIG=" + filepath.Join(dir, "etc")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("what Postfix wrote:\n%s", log)
		}
	})
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	until(t, "Postfix to listen", func() bool {
		nc, err := net.Dial("tcp", address)
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
	return address
}

// makePostfixFolders makes the folders that Postfix expects.
func makePostfixFolders(t testing.TB, dir string) {
	t.Helper()
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Fatal(err)
	}
	drop, err := user.LookupGroup("postdrop")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(drop.Gid)
	make := func(name string, mode os.FileMode, uid, gid int) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	make("", 0o755, 0, 0)
	make("etc", 0o755, 0, 0)
	make("data", 0o700, uid, -1)
	make("queue", 0o755, 0, 0)
	make("queue/pid", 0o755, 0, 0)
	for _, name := range []string{"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"} {
		make("queue/"+name, 0o700, uid, -1)
	}
	make("queue/maildrop", 0o730, uid, gid)
	make("queue/public", 0o710, uid, gid)
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// freePort returns a port that nobody listens on.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// ordinaries are messages that Postfix carries without changing them.
func ordinaries() []sample {
	var some []sample
	all := corpus()
	for i := range all {
		s := &all[i]
		if !s.binary && !s.utf8 && len(s.content) < 1<<20 && len(some) < 40 && strings.HasPrefix(s.name, "ordinary") {
			some = append(some, *s)
		}
	}
	return some
}

func TestPostfixAsTheClient(t *testing.T) {
	hop := startNextHop(t, nil)
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address))
	postfix := startPostfix(t, d.address())
	samples := ordinaries()
	for i := range samples {
		sendByClient(t, postfix, &samples[i], "")
	}
	for _, a := range hop.await(t, len(samples)) {
		if from := a.mail.Path.Address(); from != "ada@example.org" {
			t.Errorf("the reverse-path is %q", from)
		}
	}
}

func TestPostfixAsTheNextHop(t *testing.T) {
	hop := startNextHop(t, nil)
	postfix := startPostfix(t, hop.address)
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n", postfix))
	samples := ordinaries()
	for i := range samples {
		sendByClient(t, d.address(), &samples[i], "")
	}
	hop.await(t, len(samples))
}
