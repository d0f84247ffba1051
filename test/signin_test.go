package test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtptest"
)

const (
	account  = "ada@example.org"
	password = "correct horse, battery" // a space and a comma, as people have them
	token    = "mF_9.B5f-4.1JqM"
)

// login is how one program signs in.
type login struct {
	program   string
	mechanism string
	// implicit is TLS from the first byte; without it STARTTLS is used.
	implicit bool
}

func (s login) String() string {
	if s.implicit {
		return s.program + ", " + s.mechanism + ", submissions"
	}
	return s.program + ", " + s.mechanism + ", submission"
}

// logins are all that each program knows of what Weir offers.
func logins() (all []login) {
	for program, mechanisms := range map[string][]string{
		"swaks":      {"PLAIN", "LOGIN"},
		"smtplib":    {"PLAIN", "LOGIN"},
		"curl":       {"PLAIN", "LOGIN", "OAUTHBEARER"},
		"msmtp":      {"PLAIN", "LOGIN", "SCRAM-SHA-256", "EXTERNAL", "XOAUTH2", "OAUTHBEARER"},
		"nodemailer": {"PLAIN", "LOGIN", "XOAUTH2"},
		"postfix":    {"PLAIN", "LOGIN", "SCRAM-SHA-256"},
	} {
		for _, m := range mechanisms {
			all = append(all, login{program, m, false}, login{program, m, true})
		}
	}
	slices.SortFunc(all, func(a, b login) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// issuer is the introspection endpoint of an issuer of tokens (RFC 7662) that knows
// one token.
func issuer(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"active": r.PostFormValue("token") == token, "username": account})
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// office is a relay for people and programs that sign in, and what they need for it.
type office struct {
	daemon *daemon
	hop    *nextHop
	dir    string
}

// openOffice starts it. Its listeners are submission and submissions, in this order.
func openOffice(t testing.TB) *office {
	t.Helper()
	ca := smtptest.NewCA(t)
	o := &office{hop: startNextHop(t, nil), dir: folder(t)}
	users := filepath.Join(o.dir, "users")
	add := exec.Command(program, "user", "add", account, "--users", users)
	add.Stdin = strings.NewReader(password + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("weir user add: %v\n%s", err, out)
	}
	authority := filepath.Join(o.dir, "ca.pem")
	write(t, authority, ca.PEM())
	o.writeClientCertificate(t, ca)
	write(t, filepath.Join(o.dir, "secret"), "of-the-relay\n")
	if err := os.Chmod(filepath.Join(o.dir, "secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	listener := "[[listener]]\nprotocol = %q\naddress = \"%s:0\"\nclient_certificate = \"request\"\nclient_ca = %q\n"
	o.daemon = startDaemon(t, o.dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n", o.hop.address)+
		"[clients]\nallow = []\n"+
		fmt.Sprintf(listener, "submission", "127.0.0.1", authority)+
		fmt.Sprintf(listener, "submissions", "127.0.0.2", authority)+
		fmt.Sprintf("[auth]\nusers = %q\ncertificate_name = \"dns\"\n", users)+
		fmt.Sprintf("[auth.oauth]\nintrospection = %q\nclient_id = \"weir\"\nclient_secret_file = %q\n", issuer(t), filepath.Join(o.dir, "secret"))+
		writeCertificate(t, o.dir, ca.Issue("relay.test", "127.0.0.1", "127.0.0.2")))
	return o
}

// writeClientCertificate writes one for the account.
func (o *office) writeClientCertificate(t testing.TB, ca *smtptest.CA) {
	t.Helper()
	c := ca.Issue("printer.test")
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(o.dir, "client.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})))
	if err := os.WriteFile(filepath.Join(o.dir, "client.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// address is where a program signs in.
func (o *office) address(s login) string {
	if s.implicit {
		return o.daemon.mail[1]
	}
	return o.daemon.mail[0]
}

// who is the account that a mechanism shows.
func (s login) who() string {
	if s.mechanism == "EXTERNAL" {
		return "printer.test"
	}
	return account
}

// secret is what a mechanism needs to be told.
func (s login) secret() string {
	if strings.Contains(s.mechanism, "OAUTH") {
		return token
	}
	return password
}

// TestProgramsSignIn: each program, by each mechanism that it knows, on each listener.
func TestProgramsSignIn(t *testing.T) {
	o := openOffice(t)
	for _, s := range logins() {
		t.Run(s.String(), func(t *testing.T) {
			before := len(o.hop.got())
			if s.program == "postfix" {
				o.sendByPostfix(t, s)
			} else {
				o.sendBy(t, s)
			}
			arrived := o.hop.await(t, before+1)[before]
			if !strings.Contains(string(arrived.trace), " with ESMTPSA id ") {
				t.Errorf("the trace field is %q", arrived.trace)
			}
			until(t, "the log to tell that it signed in by "+s.mechanism, func() bool { return o.told(s) })
		})
	}
}

// told tells whether the log has the sign-in.
func (o *office) told(s login) bool {
	for line := range strings.Lines(o.daemon.output()) {
		if strings.Contains(line, `"msg":"authenticated"`) && strings.Contains(line, `"mechanism":"`+s.mechanism+`"`) &&
			strings.Contains(line, `"account":"`+s.who()+`"`) {
			return true
		}
	}
	return false
}

// sendBy sends a message by a program that sends one and ends.
func (o *office) sendBy(t *testing.T, s login) {
	t.Helper()
	cmd := o.command(t, s)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, o.daemon.tail())
	}
}

// loginByPython signs in by one mechanism and sends.
const loginByPython = `
import smtplib, ssl, sys
host, port, implicit, mechanism, user, password = sys.argv[1:]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
if implicit == "true":
    s = smtplib.SMTP_SSL(host, int(port), timeout=60, context=context)
else:
    s = smtplib.SMTP(host, int(port), timeout=60)
    s.starttls(context=context)
s.ehlo()
s.user, s.password = user, password
s.auth(mechanism, s.auth_plain if mechanism == "PLAIN" else s.auth_login)
s.sendmail("ada@example.org", ["bob@example.net"], b"Subject: by smtplib\r\n\r\nx\r\n")
s.quit()
`

func (o *office) command(t *testing.T, s login) *exec.Cmd {
	t.Helper()
	address := o.address(s)
	host, port, _ := net.SplitHostPort(address)
	mail := filepath.Join(o.dir, "mail")
	write(t, mail, "From: ada@example.org\r\nTo: bob@example.net\r\nSubject: signed in\r\n\r\nx\r\n")
	switch s.program {
	case "swaks":
		tls := "--tls"
		if s.implicit {
			tls = "--tls-on-connect"
		}
		return exec.Command(need(t, "swaks"), "--server", host, "--port", port, tls, "--auth", s.mechanism, "--auth-user", account, "--auth-password", s.secret(),
			"--from", "ada@example.org", "--to", "bob@example.net", "--helo", "swaks.test")
	case "smtplib":
		return exec.Command(need(t, "python3"), "-c", loginByPython, host, port, fmt.Sprint(s.implicit), s.mechanism, account, s.secret())
	case "curl":
		return o.curl(t, s, address, mail)
	case "msmtp":
		return o.msmtp(t, s, host, port, mail)
	case "nodemailer":
		how := "starttls"
		if s.implicit {
			how = "tls"
		}
		if _, err := os.Stat("peers/node_modules/nodemailer"); err != nil {
			t.Skip("LEFT OUT: nodemailer is not installed, see scripts/test-deps")
		}
		return exec.Command(need(t, "node"), "peers/send.js", address, how, s.mechanism, account, s.secret())
	}
	t.Fatalf("nobody knows how to run %s", s.program)
	return nil
}

func (o *office) curl(t *testing.T, s login, address, mail string) *exec.Cmd {
	t.Helper()
	url := "smtp://" + address
	if s.implicit {
		url = "smtps://" + address
	}
	args := []string{"-sS", "--max-time", "60", "--insecure", "--ssl-reqd", url, "--mail-from", "ada@example.org", "--mail-rcpt", "bob@example.net", "--upload-file", mail}
	if s.secret() == token {
		args = append(args, "--user", account, "--oauth2-bearer", token)
	} else {
		args = append(args, "--user", account+":"+password)
	}
	return exec.Command(need(t, "curl"), append(args, "--login-options", "AUTH="+s.mechanism)...)
}

func (o *office) msmtp(t *testing.T, s login, host, port, mail string) *exec.Cmd {
	t.Helper()
	starttls := "on"
	if s.implicit {
		starttls = "off"
	}
	settings := fmt.Sprintf("account default\nhost %s\nport %s\ntls on\ntls_starttls %s\ntls_certcheck off\nauth %s\nuser %s\nfrom ada@example.org\n",
		host, port, starttls, strings.ToLower(s.mechanism), s.who())
	if s.mechanism == "EXTERNAL" {
		settings += fmt.Sprintf("tls_cert_file %s\ntls_key_file %s\n", filepath.Join(o.dir, "client.pem"), filepath.Join(o.dir, "client.key"))
	} else {
		settings += "password \"" + s.secret() + "\"\n"
	}
	file := filepath.Join(o.dir, "msmtprc")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(need(t, "msmtp"), "--file", file, "bob@example.net")
	cmd.Stdin = strings.NewReader("From: ada@example.org\nTo: bob@example.net\nSubject: by msmtp\n\nx\n")
	return cmd
}

// sendByPostfix hands a message to a Postfix that signs in at its relay.
func (o *office) sendByPostfix(t *testing.T, s login) {
	t.Helper()
	if _, err := os.Stat("/usr/lib/x86_64-linux-gnu/sasl2/libplain.so"); err != nil {
		t.Skip("LEFT OUT: libsasl2-modules is not installed")
	}
	address := o.address(s)
	host, port, _ := net.SplitHostPort(address)
	passwords := filepath.Join(o.dir, "sasl_passwd")
	write(t, passwords, fmt.Sprintf("[%s]:%s %s:%s\n", host, port, account, password))
	wrapper := "no"
	if s.implicit {
		wrapper = "yes"
	}
	postfix := startPostfixWith(t, address, fmt.Sprintf("smtp_sasl_auth_enable = yes\nsmtp_sasl_password_maps = texthash:%s\n"+
		"smtp_sasl_security_options = noanonymous\nsmtp_sasl_mechanism_filter = %s\nsmtp_tls_security_level = encrypt\nsmtp_tls_wrappermode = %s\n",
		passwords, s.mechanism, wrapper))
	sendPlainly(t, postfix)
}

// sendPlainly sends a message to a server that wants no more.
func sendPlainly(t *testing.T, address string) {
	t.Helper()
	host, port, _ := net.SplitHostPort(address)
	out, err := exec.Command(need(t, "swaks"), "--server", host, "--port", port, "--from", "ada@example.org", "--to", "bob@example.net", "--helo", "swaks.test").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestNobodySendsWithoutSigningIn: what stands in the way of a client that did not, or
// that gave a wrong password, says so.
func TestNobodySendsWithoutSigningIn(t *testing.T) {
	o := openOffice(t)
	host, port, _ := net.SplitHostPort(o.daemon.mail[0])
	base := []string{"--server", host, "--port", port, "--from", "ada@example.org", "--to", "bob@example.net", "--helo", "swaks.test"}
	for _, tc := range []struct {
		rule string
		args []string
		want string
	}{
		{"no TLS, no AUTH", nil, "530 5.7.0"},
		{"TLS, no AUTH", []string{"--tls"}, "530 5.7.0"},
		{"a wrong password", []string{"--tls", "--auth", "PLAIN", "--auth-user", account, "--auth-password", "not-this-one"}, "535 5.7.8"},
		{"an unknown account", []string{"--tls", "--auth", "LOGIN", "--auth-user", "eve@example.org", "--auth-password", password}, "535 5.7.8"},
	} {
		out, err := exec.Command(need(t, "swaks"), append(slices.Clone(base), tc.args...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), tc.want) {
			t.Errorf("%s: %v\n%s", tc.rule, err, out)
		}
	}
	if n := len(o.hop.got()); n != 0 {
		t.Errorf("%d messages came through", n)
	}
	if log := o.daemon.output(); strings.Contains(log, password) || strings.Contains(log, "not-this-one") {
		t.Error("a password is in the log")
	}
}
