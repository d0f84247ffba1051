package servers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// postfixDaemons is where Debian has the parts of Postfix.
const postfixDaemons = "/usr/lib/postfix/sbin"

// StartPostfix starts a Postfix with its own defaults. It can be started by root
// alone.
func StartPostfix(ctx context.Context, dir string) (*Running, error) {
	master := filepath.Join(postfixDaemons, "master")
	if _, err := os.Stat(master); err != nil || os.Geteuid() != 0 {
		return nil, fmt.Errorf("%w: Postfix has to be installed, and started by root", ErrMissing)
	}
	version, err := exec.CommandContext(ctx, "postconf", "-d", "-h", "mail_version").Output()
	if err != nil {
		return nil, fmt.Errorf("asking Postfix for its version: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	etc, err := writePostfix(dir, port)
	if err != nil {
		return nil, err
	}
	// This makes the folders of the queue, with their owners.
	if out, err := exec.CommandContext(ctx, "postfix", "-c", etc, "check").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("postfix check: %w\n%s", err, out)
	}
	server := known("Postfix", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	server.User, server.Password = user, password
	accounts, err := serveAccounts(filepath.Join(dir, "queue", "accounts"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(master, "-c", etc, "-d")
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "MAIL_CONFIG=" + etc}
	stop, err := start(ctx, cmd, server.Address, filepath.Join(dir, "said"))
	if err != nil {
		accounts.close()
		return nil, err
	}
	r := &Running{Server: server, Version: strings.TrimSpace(string(version))}
	r.Stop = func() error {
		defer accounts.close()
		return stop()
	}
	return r, nil
}

// writePostfix writes the configuration and returns its folder.
func writePostfix(dir string, port int) (etc string, err error) {
	certificate, key, err := writeCertificate(dir, "postfix.test")
	if err != nil {
		return "", err
	}
	etc = filepath.Join(dir, "etc")
	for _, name := range []string{etc, filepath.Join(dir, "queue"), filepath.Join(dir, "data")} {
		if err := os.Mkdir(name, 0o755); err != nil {
			return "", err
		}
	}
	if out, err := exec.Command("chown", "postfix", filepath.Join(dir, "data")).CombinedOutput(); err != nil {
		return "", fmt.Errorf("giving Postfix its folder: %w\n%s", err, out)
	}
	main := fmt.Sprintf(postfixMain, dir, postfixDaemons, certificate, key)
	if err := os.WriteFile(filepath.Join(etc, "main.cf"), []byte(main), 0o644); err != nil {
		return "", err
	}
	return etc, os.WriteFile(filepath.Join(etc, "master.cf"), []byte(fmt.Sprintf(postfixMaster, port)), 0o644)
}

// postfixMain has what an own instance needs, who may send where, TLS as Debian's
// package sets it up, and AUTH in TLS. All else is as it comes.
const postfixMain = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
daemon_directory = %[2]s
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
myhostname = postfix.test
mydestination = $myhostname
mynetworks = 192.0.2.1/32
relay_domains = example.org
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
local_transport = discard
relay_transport = discard
default_transport = discard
smtpd_tls_cert_file = %[3]s
smtpd_tls_key_file = %[4]s
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = accounts
`

const postfixMaster = `127.0.0.1:%d inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`
