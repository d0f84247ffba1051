package test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirmail/weir/smtptest"
)

// What is handed in over any submission listener is mended, and arrives as it was
// sent otherwise; what comes by a listener for relaying arrives as it was sent.
func TestSubmittedMailIsGivenADateAndAnID(t *testing.T) {
	ca, dir := smtptest.NewCA(t), folder(t)
	hop := startNextHop(t, nil)
	d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n"+
		"[[listener]]\naddress = \"127.0.0.2:0\"\nprotocol = \"submission\"\nauth = \"off\"\n"+
		"[[listener]]\naddress = \"127.0.0.3:0\"\nprotocol = \"submissions\"\nauth = \"off\"\n%s",
		hop.address, writeCertificate(t, dir, ca.Issue("relay.test"))))
	file := filepath.Join(dir, "mail")
	for name, test := range map[string]struct {
		args   []string
		mended bool
	}{
		"relay":       {[]string{"smtp://" + d.mail[0]}, false},
		"submission":  {[]string{"--ssl-reqd", "smtp://" + d.mail[1]}, true},
		"submissions": {[]string{"smtps://" + d.mail[2]}, true},
	} {
		content := "Subject: by " + name + "\r\n\r\nHello\r\n"
		write(t, file, content)
		args := append([]string{"-sS", "--insecure", "--mail-from", "ada@example.org", "--mail-rcpt", "bob@example.net", "--upload-file", file}, test.args...)
		if out, err := exec.Command(need(t, "curl"), args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		var got string
		until(t, "the message by "+name, func() bool {
			for _, a := range hop.got() {
				if strings.HasSuffix(string(a.content), content) {
					got = strings.TrimPrefix(string(a.content), string(a.trace))
				}
			}
			return got != ""
		})
		added := strings.TrimSuffix(got, content)
		if mended := strings.HasPrefix(added, "Date: ") && strings.Contains(added, "\r\nMessage-ID: <"); mended != test.mended || !mended && added != "" {
			t.Errorf("%s: added %q", name, added)
		}
	}
}

func TestAUnixSocketIsForWhoItIsMeantFor(t *testing.T) {
	dir := folder(t)
	path := filepath.Join(dir, "mail.sock")
	configuration := fmt.Sprintf("[[listener]]\naddress = \"unix:%s\"\nmode = \"0660\"\nowner = \":%d\"\n", path, os.Getgid())
	d := startDaemon(t, dir, configuration)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Fatalf("the socket has %v, %v", info.Mode(), err)
	}
	// A relay that was killed leaves its socket behind; the next takes its place.
	d.kill()
	if _, err := os.Lstat(path); err != nil {
		t.Fatalf("nothing was left behind: %v", err)
	}
	startDaemon(t, dir, configuration)
	stranger := stranger{network: "unix", address: path, count: new(atomic.Int64)}
	if err := stranger.send("over a Unix socket"); err != nil {
		t.Error(err)
	}
}

func TestLMTPAnswersForEachRecipient(t *testing.T) {
	hop, dir := startNextHop(t, nil), folder(t)
	path := filepath.Join(dir, "lmtp.sock")
	startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n[[listener]]\naddress = \"unix:%s\"\nprotocol = \"lmtp\"\n", hop.address, path))
	nc, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	c := &dialogue{t: t, nc: nc, r: bufio.NewReader(nc)}
	c.hear("220 ")
	c.say("EHLO client.test\r\n")
	c.hear("502 5.5.1 ")
	c.say("LHLO client.test\r\nMAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.net>\r\nRCPT TO:<eve@example.net>\r\nDATA\r\n")
	for _, want := range []string{"250 ", "250 ", "250 ", "250 ", "354 "} {
		c.hear(want)
	}
	c.say("Subject: by LMTP\r\n\r\nx\r\n.\r\nQUIT\r\n")
	for _, want := range []string{"250 2.0.0 ", "250 2.0.0 ", "221 "} { // one for each recipient
		c.hear(want)
	}
	if a := hop.await(t, 1)[0]; !strings.Contains(string(a.trace), " with LMTP id ") {
		t.Errorf("the trace field tells of another protocol: %q", a.trace)
	}
}

// Ports for submission speak TLS as their clients expect, with every client.
func TestClientsSubmitOverTLS(t *testing.T) {
	ca, dir := smtptest.NewCA(t), folder(t)
	hop := startNextHop(t, nil)
	write(t, filepath.Join(dir, "ca.pem"), ca.PEM())
	d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n"+
		"[[listener]]\naddress = \"127.0.0.1:0\"\nprotocol = \"submission\"\nauth = \"off\"\n"+
		"[[listener]]\naddress = \"127.0.0.2:0\"\nprotocol = \"submissions\"\nauth = \"off\"\n%s",
		hop.address, writeCertificate(t, dir, ca.Issue("localhost", "127.0.0.1", "127.0.0.2"))))
	file := filepath.Join(dir, "mail")
	write(t, file, "Subject: x\r\n\r\nx\r\n")
	const script = `
import smtplib, ssl, sys
host, port, implicit = sys.argv[1].rsplit(":", 1)[0], int(sys.argv[1].rsplit(":", 1)[1]), sys.argv[2] == "implicit"
context = ssl.create_default_context(cafile=sys.argv[3])
if implicit:
    s = smtplib.SMTP_SSL(host, port, context=context, timeout=60)
else:
    s = smtplib.SMTP(host, port, timeout=60)
    s.starttls(context=context)
s.sendmail("ada@example.org", ["bob@example.net"], b"Subject: x\r\n\r\nx\r\n")
s.quit()
`
	trust := filepath.Join(dir, "ca.pem")
	swaks := []string{"swaks", "--from", "ada@example.org", "--to", "bob@example.net", "--helo", "swaks.test"}
	commands := [][]string{
		{"curl", "-sS", "--cacert", trust, "--ssl-reqd", "smtp://" + d.mail[0], "--mail-from", "ada@example.org", "--mail-rcpt", "bob@example.net", "--upload-file", file},
		{"curl", "-sS", "--cacert", trust, "smtps://" + d.mail[1], "--mail-from", "ada@example.org", "--mail-rcpt", "bob@example.net", "--upload-file", file},
		{"python3", "-c", script, d.mail[0], "starttls", trust},
		{"python3", "-c", script, d.mail[1], "implicit", trust},
		append(swaks, "--server", d.mail[0], "--tls"),
		append(swaks, "--server", d.mail[1], "--tls-on-connect"),
	}
	for _, command := range commands {
		if out, err := exec.Command(need(t, command[0]), command[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
	for _, a := range hop.await(t, len(commands)) {
		if !strings.Contains(string(a.trace), " with ESMTPS id ") {
			t.Errorf("the trace field says nothing of TLS: %q", a.trace)
		}
	}
}

// Without accounts there is nobody who could submit, and without having signed in
// nobody does.
func TestSubmissionIsForAccounts(t *testing.T) {
	ca, dir := smtptest.NewCA(t), folder(t)
	configuration := "[[listener]]\naddress = \"127.0.0.1:0\"\nprotocol = \"submissions\"\n" + writeCertificate(t, dir, ca.Issue("relay.test"))
	if out, err := exec.Command(program, "config", "check", "--config", writeConfiguration(t, dir, configuration)).CombinedOutput(); err == nil || !strings.Contains(string(out), "nothing says who may sign in") {
		t.Errorf("without accounts: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "users"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, dir, configuration+fmt.Sprintf("[auth]\nusers = %q\n", filepath.Join(dir, "users")))
	c := throughProxy(t, d.address(), "", ca.ClientConfig("relay.test"))
	c.hear("220 ")
	c.say("EHLO client.test\r\nMAIL FROM:<ada@example.org>\r\n")
	c.hear("250 ")
	c.hear("530 5.7.0 ")
}
