package test

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/inbound/auth"
	"github.com/weirmail/weir/smtptest"
)

// signIn is a program for Python that signs in by each mechanism that it knows, and
// sends.
const signIn = `
import smtplib, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
for mechanism in ("PLAIN", "LOGIN"):
    with smtplib.SMTP(sys.argv[1], int(sys.argv[2]), timeout=60) as s:
        s.ehlo()
        assert not s.has_extn("auth"), "AUTH before TLS"
        s.starttls(context=context)
        s.ehlo()
        s.user, s.password = "ada@example.org", "correct horse"
        s.auth(mechanism, getattr(s, "auth_" + mechanism.lower()))
        s.sendmail("ada@example.org", ["bob@example.net"], b"Subject: " + mechanism.encode() + b"\r\n\r\nx\r\n")
        try:
            s.sendmail("eve@example.org", ["bob@example.net"], b"x\r\n")
        except smtplib.SMTPSenderRefused as e:
            assert e.smtp_code == 553, e
        else:
            raise Exception("sent as another")
with smtplib.SMTP(sys.argv[1], int(sys.argv[2]), timeout=60) as s:
    s.starttls(context=context)
    try:
        s.login("ada@example.org", "wrong")
    except smtplib.SMTPAuthenticationError as e:
        assert e.smtp_code == 535, e
    else:
        raise Exception("signed in by a wrong password")
    assert s.mail("ada@example.org")[0] == 530
`

// TestClientsCannotSignIn: Python and curl sign in over STARTTLS, and what they send goes
// on to the next hop.
func TestClientsCannotSignIn(t *testing.T) {
	ca := smtptest.NewCA(t)
	hop := startNextHop(t, nil)
	dir := folder(t)
	users := filepath.Join(dir, "users")
	err := auth.EditUsers(users, func(us *auth.Users) error {
		u := &auth.User{Name: "ada@example.org"}
		if err := u.SetPassword("correct horse", true); err != nil {
			return err
		}
		return us.Add(u)
	})
	if err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n[auth]\nusers = %q\nsenders = \"self\"\n"+
		"[[listener]]\naddress = \"127.0.0.1:0\"\nauth = \"required\"\n%s",
		hop.address, users, writeCertificate(t, dir, ca.Issue("relay.test"))))
	host, port, err := net.SplitHostPort(d.mail[0])
	if err != nil {
		t.Fatal(err)
	}
	mail := filepath.Join(dir, "mail")
	write(t, mail, "Subject: by curl\r\n\r\nx\r\n")
	for _, command := range [][]string{
		{"python3", "-c", signIn, host, port},
		{"curl", "-sS", "--insecure", "--ssl-reqd", "--user", "ada@example.org:correct horse", "smtp://" + d.mail[0], "--mail-from", "ada@example.org", "--mail-rcpt", "bob@example.net", "--upload-file", mail},
	} {
		if out, err := exec.Command(need(t, command[0]), command[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command[0], err, out)
		}
	}
	for _, a := range hop.await(t, 3) {
		if !strings.Contains(string(a.trace), " with ESMTPSA id ") {
			t.Errorf("the trace field says nothing of the account: %q", a.trace)
		}
	}
	if out := d.output(); strings.Contains(out, "correct horse") || !strings.Contains(out, "ada@example.org") {
		t.Errorf("the log has a password, or not who has signed in:\n%s", out)
	}
}
