package test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// sender is a program that hands one message to a relay.
type sender struct {
	name string
	send func(t testing.TB, address string, s *sample, file string)
}

func senders() []sender {
	return []sender{
		{"smtplib", sendBySmtplib},
		{"curl", sendByCurl},
		{"swaks", sendBySwaks},
		{"smtpclient", sendByClient},
	}
}

func TestMessagesArriveAsTheyWereSent(t *testing.T) {
	hop := startNextHop(t, nil)
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address))
	dir := folder(t)
	samples := corpus()
	if len(samples) < 200 {
		t.Fatalf("%d messages, want 200", len(samples))
	}
	left := map[[sha256.Size]byte]string{}
	all := senders()
	for i := range samples {
		s := &samples[i]
		left[s.sum()] = s.name
		file := filepath.Join(dir, "message")
		if err := os.WriteFile(file, s.content, 0o600); err != nil {
			t.Fatal(err)
		}
		by := all[i%len(all)]
		if s.binary || s.utf8 || len(s.content) > 1<<20 {
			by = all[3] // the others do not speak BDAT, or take a minute
		}
		if by.name == "swaks" && bytes.HasSuffix(s.content, []byte("\r\n.\r\n")) {
			by = all[0] // swaks would take the dot for the end of the data
		}
		by.send(t, d.address(), s, file)
	}
	for _, a := range hop.await(t, len(samples)) {
		if _, ok := left[a.sum]; !ok {
			t.Errorf("a message arrived that was not sent: %.300s", a.content)
		}
		delete(left, a.sum)
		if !bytes.HasPrefix(a.trace, []byte("Received: from ")) {
			t.Errorf("the first field is %q", a.trace)
		}
	}
	for _, name := range left {
		t.Errorf("did not arrive as it was sent: %s", name)
	}
}

// smtplib is a program for Python that sends the file of its arguments.
const smtplib = `
import smtplib, sys
host, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with smtplib.SMTP(host, port, timeout=60) as s:
    s.ehlo("python.test")
    with open(path, "rb") as f:
        refused = s.sendmail("ada@example.org", ["bob@example.net"], f.read(), mail_options=["BODY=8BITMIME"])
    assert not refused, refused
`

func sendBySmtplib(t testing.TB, address string, s *sample, file string) {
	t.Helper()
	host, port, _ := net.SplitHostPort(address)
	command(t, s, need(t, "python3"), "-c", smtplib, host, port, file)
}

func sendByCurl(t testing.TB, address string, s *sample, file string) {
	t.Helper()
	command(t, s, need(t, "curl"), "--silent", "--show-error", "--max-time", "60", "smtp://"+address+"/curl.test",
		"--mail-from", "ada@example.org", "--mail-rcpt", "bob@example.net", "--upload-file", file)
}

func sendBySwaks(t testing.TB, address string, s *sample, file string) {
	t.Helper()
	// swaks ends what it is given with an end of line of its own.
	if err := os.WriteFile(file, bytes.TrimSuffix(s.content, []byte("\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, s, need(t, "swaks"), "--server", address, "--helo", "swaks.test", "--silent", "2",
		"--from", "ada@example.org", "--to", "bob@example.net", "--data", "@"+file)
}

func command(t testing.TB, s *sample, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s with %q: %v\n%s", filepath.Base(name), s.name, err, out)
	}
}

// sendByClient sends by Weir's own client: by BDAT where the content is binary.
func sendByClient(t testing.TB, address string, s *sample, _ string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	result, err := sendOver(ctx, address, s)
	if err != nil {
		t.Fatalf("%q: %v", s.name, err)
	}
	if r := result.Recipients[0].Reply; !r.Code.Completed() {
		t.Fatalf("%q: %v", s.name, r)
	}
}

func sendOver(ctx context.Context, address string, s *sample) (*smtpclient.Result, error) {
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c, err := smtpclient.New(ctx, nc, smtpclient.Options{LocalName: "client.test", TLS: smtpclient.TLSNone})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	t := smtpclient.Transaction{
		ReversePath: smtp.Path{Local: "ada", Domain: "example.org"},
		Recipients:  []smtpclient.Recipient{{Path: smtp.Path{Local: "bob", Domain: "example.net"}}},
		Content:     smtpclient.Content{Bytes: s.content, Size: int64(len(s.content)), Binary: s.binary},
	}
	if s.binary {
		t.MailParams = append(t.MailParams, smtp.Param{Keyword: "BODY", Value: "BINARYMIME", HasValue: true})
	}
	if s.utf8 {
		t.MailParams = append(t.MailParams, smtp.Param{Keyword: "SMTPUTF8"}, smtp.Param{Keyword: "BODY", Value: "8BITMIME", HasValue: true})
	}
	return c.Send(ctx, &t)
}

func TestEveryClientSeesTheMessageNamed(t *testing.T) {
	hop := startNextHop(t, nil)
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address))
	out, err := exec.Command(need(t, "swaks"), "--server", d.address(), "--from", "ada@example.org",
		"--to", "bob@example.net", "--helo", "swaks.test").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "250 2.0.0 ") {
		t.Errorf("the reply has no status code: %s", out)
	}
	hop.await(t, 1)
}
