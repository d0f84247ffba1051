package test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"github.com/weirmail/weir/internal/dkim"
	"github.com/weirmail/weir/smtpserver"
)

// signing is a domain with an RSA key and an Ed25519 key, and what the DNS has of
// them.
type signing struct {
	configuration string
	records       map[string]string
}

func newSigning(t testing.TB, dir string) *signing {
	t.Helper()
	s := &signing{records: map[string]string{}}
	for _, a := range []dkim.Algorithm{dkim.RSA, dkim.Ed25519} {
		k, err := dkim.Generate(a)
		if err != nil {
			t.Fatal(err)
		}
		text, err := k.PEM()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, string(a)+".pem")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if s.records[dkim.Name(string(a), "example.org")], err = k.Record(); err != nil {
			t.Fatal(err)
		}
		s.configuration += fmt.Sprintf("[[dkim]]\ndomain = \"example.org\"\nselector = %q\nkey_file = %q\n", string(a), file)
	}
	return s
}

// verify holds a message to its signatures, and returns how many there are.
func (s *signing) verify(t testing.TB, name string, message []byte) int {
	t.Helper()
	all, err := msgauth.VerifyWithOptions(bytes.NewReader(message), &msgauth.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if r, ok := s.records[name]; ok {
			return []string{r}, nil
		}
		return nil, errors.New("there is no " + name)
	}})
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for _, v := range all {
		if v.Err != nil {
			t.Errorf("%s: %v in\n%.2000s", name, v.Err, message)
		}
	}
	return len(all)
}

// keepingHop is a next hop that keeps messages whole.
type keepingHop struct {
	mu       sync.Mutex
	messages [][]byte
}

func startKeepingHop(t testing.TB) (*keepingHop, string) {
	t.Helper()
	h := &keepingHop{}
	hop := startNextHop(t, func(s *smtpserver.Server) {
		s.NewSession = func(context.Context, *smtpserver.Conn) (smtpserver.Session, error) { return (*keepingSession)(h), nil }
	})
	return h, hop.address
}

func (h *keepingHop) await(t testing.TB, n int) [][]byte {
	t.Helper()
	got := func() [][]byte {
		h.mu.Lock()
		defer h.mu.Unlock()
		return slices.Clone(h.messages)
	}
	until(t, fmt.Sprintf("%d messages at the next hop", n), func() bool { return len(got()) >= n })
	return got()
}

type keepingSession keepingHop

func (*keepingSession) Mail(context.Context, *smtpserver.Mail) error { return nil }
func (*keepingSession) Rcpt(context.Context, *smtpserver.Rcpt) error { return nil }

func (s *keepingSession) Data(_ context.Context, c *smtpserver.Content) (string, error) {
	b, err := io.ReadAll(c)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, b)
	return "", nil
}

func (*keepingSession) Reset() {}
func (*keepingSession) Close() {}

// signable tells whether a message of the corpus has an author with keys.
func signable(s *sample) bool { return bytes.Contains(s.content, []byte("<ada@example.org>\r\n")) }

// nameOf finds which message of the corpus has arrived, by its Message-ID or its size.
func nameOf(message []byte) string {
	_, after, _ := bytes.Cut(message, []byte("Message-ID: <"))
	name, _, _ := bytes.Cut(after, []byte("@"))
	return string(name)
}

// TestSignaturesHoldAfterTheJourney: whatever a message looks like, what arrives has
// signatures that hold, by three programs that verify them.
func TestSignaturesHoldAfterTheJourney(t *testing.T) {
	dir := folder(t)
	s := newSigning(t, dir)
	hop, address := startKeepingHop(t)
	d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n%s", address, s.configuration))
	samples := corpus()
	want := map[string]bool{}
	for i := range samples {
		if samples[i].name != "50 MiB of attachment" {
			sendByClient(t, d.address(), &samples[i], "")
			want[nameOf(samples[i].content)] = signable(&samples[i])
		}
	}
	messages := hop.await(t, len(samples)-1)
	for _, m := range messages {
		name, signatures := nameOf(m), 0
		if want[name] {
			signatures = 2
		}
		if got := bytes.Count(m, []byte("DKIM-Signature: ")); got != signatures {
			t.Errorf("%q has %d signatures, not %d", name, got, signatures)
		}
		if name != "noise" { // the verifier takes a CR for an end of line; dkimpy does not
			s.verify(t, name, m)
		}
	}
	t.Run("dkimpy", func(t *testing.T) { s.dkimpy(t, messages) })
	t.Run("opendkim", func(t *testing.T) { s.opendkim(t, messages) })
}

// judged are the messages that another program is asked about: those with signatures,
// but for some that it cannot read as they are.
func judged(messages [][]byte, not ...string) [][]byte {
	var some [][]byte
	for _, m := range messages {
		if bytes.HasPrefix(m, []byte("DKIM-Signature:")) && !slices.Contains(not, nameOf(m)) {
			some = append(some, m)
		}
	}
	return some
}

func (s *signing) dkimpy(t *testing.T, messages [][]byte) {
	python := "/usr/bin/python3" // the one that Debian's packages are for
	if exec.Command(python, "-c", "import dkim, nacl").Run() != nil {
		t.Skip("no dkimpy here (Debian: python3-dkim)")
	}
	dir := t.TempDir()
	records, err := json.Marshal(s.records)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "records.json"), string(records))
	some := judged(messages, "folded header", "no header that makes sense") // it wants fields as they should be
	for i, m := range some {
		write(t, filepath.Join(dir, fmt.Sprintf("%d.eml", i)), string(m))
	}
	out, err := exec.Command(python, "testdata/dkim_verify.py", dir).CombinedOutput()
	if err != nil || string(out) != fmt.Sprintf("%d signatures hold\n", 2*len(some)) {
		t.Errorf("%v\n%s", err, out)
	}
}

func (s *signing) opendkim(t *testing.T, messages [][]byte) {
	opendkim := need(t, "opendkim")
	dir := t.TempDir()
	keys := ""
	for name, record := range s.records {
		if strings.HasPrefix(name, "rsa.") { // it knows no other
			keys += name + " " + record + "\n"
		}
	}
	write(t, filepath.Join(dir, "keys"), keys)
	write(t, filepath.Join(dir, "conf"), fmt.Sprintf("Mode v\nTestPublicKeys %s\n", filepath.Join(dir, "keys")))
	// It reads a file by its lines, and has limits for what it reads.
	for i, m := range judged(messages, "noise", "many fields", "open", "bare", "binary", "no header that makes sense") {
		if i == 60 {
			break
		}
		file := filepath.Join(dir, fmt.Sprintf("%d.eml", i))
		write(t, file, string(m))
		out, err := exec.Command(opendkim, "-x", filepath.Join(dir, "conf"), "-vv", "-t", file).CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("dkim=pass")) {
			t.Errorf("%q: %v\n%s", nameOf(m), err, out)
		}
	}
}

// TestSignaturesHoldBehindPostfix: they hold where another server passes mail on.
func TestSignaturesHoldBehindPostfix(t *testing.T) {
	dir := folder(t)
	s := newSigning(t, dir)
	hop, address := startKeepingHop(t)
	postfix := startPostfix(t, address)
	d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n%s", postfix, s.configuration))
	samples := ordinaries()
	for i := range samples {
		sendByClient(t, d.address(), &samples[i], "")
	}
	for _, m := range hop.await(t, len(samples)) {
		if got := s.verify(t, nameOf(m), m); got != 2 {
			t.Errorf("%q has %d signatures", nameOf(m), got)
		}
	}
}

// TestMailOfStrangersIsNotSigned, whatever its From says.
func TestMailOfStrangersIsNotSigned(t *testing.T) {
	dir := folder(t)
	s := newSigning(t, dir)
	hop, address := startKeepingHop(t)
	d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\naccept_for = [\"example.net\"]\n%s[clients]\nallow = [\"192.0.2.1\"]\n", address, s.configuration))
	samples := ordinaries()
	sendByClient(t, d.address(), &samples[0], "")
	m := hop.await(t, 1)[0]
	if got := s.verify(t, "a stranger's", m); got != 0 {
		t.Errorf("%d signatures", got)
	}
}

// TestNoticesAreSigned where there is a key for the relay's own name.
func TestNoticesAreSigned(t *testing.T) {
	dir := folder(t)
	s := newSigning(t, dir)
	s.configuration = strings.ReplaceAll(s.configuration, "example.org", "relay.test")
	for name, record := range s.records {
		s.records[strings.Replace(name, "example.org", "relay.test", 1)] = record
	}
	hop, address := startKeepingHop(t)
	refusing := startNextHop(t, func(server *smtpserver.Server) { server.Limits.MessageSize = 1 })
	d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n%s[[route]]\nto = [\"example.net\"]\nnext_hop = \"smtp://%s\"\n[notices]\nlanguage = [\"ja\", \"en\"]\n",
		address, s.configuration, refusing.address))
	samples := ordinaries()
	sendByClient(t, d.address(), &samples[0], "")
	m := hop.await(t, 1)[0]
	if got := s.verify(t, "the notice", m); got != 2 || !bytes.Contains(m, []byte("Content-Language: ja, en")) {
		t.Errorf("%d signatures of\n%s", got, m)
	}
}
