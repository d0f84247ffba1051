package sign

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/dkim"
	"github.com/weirmail/weir/internal/mail"
)

const plain = "Received: from a by b\r\nFrom: Ada <ada@example.org>\r\nTo: bob@example.net\r\nSubject: Lunch\r\n\r\nAt one?\r\n"

// messages are those whose signatures must hold, by what is odd about them.
var messages = map[string]string{
	"plain":                      plain,
	"no body":                    "From: ada@example.org\r\n\r\n",
	"no empty line":              "From: ada@example.org\r\nSubject: x\r\n",
	"no line end":                "From: ada@example.org\r\nSubject: x",
	"body without line end":      "From: ada@example.org\r\n\r\nx",
	"empty lines at the end":     "From: ada@example.org\r\n\r\nx\r\n\r\n \r\n\t\r\n\r\n",
	"nothing but empty lines":    "From: ada@example.org\r\n\r\n\r\n\r\n",
	"blanks":                     "From:  ada@example.org \r\nSubject:\ta \t b \r\n \t c\t\r\n\r\n a  b\t\r\n\t\tc \t d  \r\n",
	"folded":                     "From: Ada\r\n <ada@example.org>\r\nTo: a@x,\r\n\tb@x,\r\n c@x\r\n\r\nx\r\n",
	"names in other letters":     "FROM: ada@example.org\r\nsUBJECT : x\r\n\r\nx\r\n",
	"several of one name":        "From: ada@example.org\r\nTo: a@x\r\nTo: b@x\r\nTo: c@x\r\nReceived: x\r\n\r\nx\r\n",
	"8-bit":                      "From: ada@example.org\r\nSubject: Gr\u00fc\u00dfe\r\n\r\nGr\xfc\xdfe \u65e5\u672c\u8a9e\r\n",
	"dots":                       "From: ada@example.org\r\n\r\n.\r\n..\r\n.x\r\n",
	"long lines":                 "From: ada@example.org\r\n\r\n" + strings.Repeat("x", 30000) + "\r\n" + strings.Repeat("y ", 20000) + "\r\n",
	"bare LF":                    "From: ada@example.org\nSubject: x\n\nx\ny \n\n",
	"no fields but From":         "From: ada@example.org\r\nX-Nothing: x\r\n\r\nx\r\n",
	"a signature that is there":  "DKIM-Signature: v=1; a=rsa-sha256; d=other.example; s=x; h=From; bh=AAAA; b=AAAA\r\nFrom: ada@example.org\r\n\r\nx\r\n",
	"empty fields":               "From: ada@example.org\r\nSubject:\r\nTo: \r\n\r\nx\r\n",
	"a line that is no field":    "From: ada@example.org\r\nwhat is this\r\n and this\r\nSubject: x\r\n\r\nx\r\n",
	"many fields":                "From: ada@example.org\r\n" + strings.Repeat("To: someone@example.net\r\n", 100) + "\r\nx\r\n",
	"a long header section":      "From: ada@example.org\r\nX-Long: " + strings.Repeat("x ", 60000) + "\r\nSubject: y\r\n\r\nx\r\n",
	"an author in another case":  "From: ADA@Example.ORG\r\n\r\nx\r\n",
	"a name that looks like one": "From: \"eve@evil.example\" <ada@example.org> (eve@evil.example)\r\n\r\nx\r\n",
}

func TestSignaturesHold(t *testing.T) {
	w := newWorld(t)
	w.add("example.org", "rsa", dkim.RSA)
	w.add("example.org", "ed", dkim.Ed25519)
	s := w.signer()
	n := byte(0)
	for name, text := range messages {
		for _, memory := range []bool{true, false} {
			n++
			t.Run(name, func(t *testing.T) {
				w.t = t
				o := opener{text: text, memory: memory}
				header, err := s.Header(envelope(n, mail.Trusted, "x@other.example"), o.open)
				if err != nil {
					t.Fatal(err)
				}
				if o.opened != 1 || o.closed != 1 {
					t.Errorf("opened %d times, closed %d times", o.opened, o.closed)
				}
				for line := range strings.SplitSeq(strings.TrimSuffix(string(header), "\r\n"), "\r\n") {
					if len(line) > 78 || strings.TrimSpace(line) == "" {
						t.Errorf("a line of %d octets: %q", len(line), line)
					}
				}
				message := string(header) + text
				if !strings.Contains(text, "\r\n\r\n") && !strings.Contains(text, "\n\n") {
					message += "\r\n\r\n" // the verifier wants the empty line, which changes nothing
				}
				if strings.Contains(name, "signature that is there") {
					message = strings.Replace(message, "DKIM-Signature: v=1; a=rsa-sha256; d=other", "X-Was: d=other", 1)
				}
				if got := w.verify([]byte(message)); !slices.Equal(got, []string{"example.org", "example.org"}) {
					t.Errorf("signed for %q:\n%s", got, header)
				}
			})
		}
	}
}

// A signature does not hold any more once a field is added that is shown to the
// reader, or the body is changed.
func TestChangesBreakSignatures(t *testing.T) {
	w := newWorld(t)
	w.add("example.org", "ed", dkim.Ed25519)
	o := opener{text: plain, memory: true}
	header, err := w.signer().Header(envelope(1, mail.Trusted, ""), o.open)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(string) string{
		"another From":    func(m string) string { return "From: eve@evil.example\r\n" + m },
		"another Subject": func(m string) string { return "Subject: Pay\r\n" + m },
		"a Reply-To":      func(m string) string { return "Reply-To: eve@evil.example\r\n" + m },
		"a Cc":            func(m string) string { return "Cc: eve@evil.example\r\n" + m },
		"a changed To":    func(m string) string { return strings.Replace(m, "To: bob", "To: rob", 1) },
		"a changed body":  func(m string) string { return strings.Replace(m, "one", "two", 1) },
		"a longer body":   func(m string) string { return m + "x\r\n" },
	} {
		broken := &quiet{TB: t}
		w.t = broken
		w.verify([]byte(change(string(header) + plain)))
		if !broken.failed {
			t.Errorf("%s: the signature holds", name)
		}
	}
	w.t = t
	w.verify([]byte("Received: from c by d\r\nReturn-Path: <>\r\n" + string(header) + plain))
}

// quiet is a test whose errors are only noted.
type quiet struct {
	testing.TB
	failed bool
}

func (q *quiet) Errorf(string, ...any) { q.failed = true }

// Who is signed for: those who may speak for the domain in From, and nobody else.
func TestWhoIsSignedFor(t *testing.T) {
	w := newWorld(t)
	w.add("example.org", "a", dkim.Ed25519)
	w.add("example.net", "b", dkim.Ed25519)
	w.add("bücher.example", "c", dkim.Ed25519)
	w.records[dkim.Name("c", "xn--bcher-kva.example")] = w.records[dkim.Name("c", "bücher.example")]
	s := w.signer()
	for n, test := range []struct {
		name        string
		standing    mail.Standing
		reversePath string
		from        string
		want        string
	}{
		{"a stranger who says that he is of the domain", mail.Stranger, "ada@example.org", "ada@example.org", ""},
		{"a client that may send as anybody", mail.Trusted, "bounce@mailer.example", "ada@example.org", "example.org"},
		{"the same without a reverse-path", mail.Trusted, "", "ada@example.org", "example.org"},
		{"the same for a domain without a key", mail.Trusted, "ada@example.org", "ada@other.example", ""},
		{"a domain below one that has a key", mail.Trusted, "", "ada@news.example.org", ""},
		{"an account of the domain", mail.Bound, "ada@example.org", "ada@example.org", "example.org"},
		{"an account of the domain in other letters", mail.Bound, "ada@EXAMPLE.org", "Ada@Example.Org", "example.org"},
		{"an account of another domain", mail.Bound, "eve@evil.example", "ada@example.org", ""},
		{"an account of another domain with a key", mail.Bound, "eve@example.net", "ada@example.org", ""},
		{"an account without a reverse-path", mail.Bound, "", "ada@example.org", ""},
		{"two authors", mail.Trusted, "", "ada@example.org, bob@example.net", "example.org example.net"},
		{"two authors, of whom an account is one", mail.Bound, "ada@example.org", "ada@example.org, bob@example.net", "example.org"},
		{"two authors of one domain", mail.Trusted, "", "ada@example.org, bob@example.org", "example.org"},
		{"a name beyond ASCII", mail.Trusted, "", "ada@bücher.example", "xn--bcher-kva.example"},
		{"the same in ASCII", mail.Trusted, "", "ada@xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"nobody", mail.Trusted, "", "undisclosed", ""},
		{"two From fields", mail.Trusted, "", "ada@example.org\r\nFrom: ada@example.org", ""},
		{"no From field", mail.Trusted, "", "x\r\nSubject: y", ""},
	} {
		o := opener{text: "From: " + test.from + "\r\n\r\nx\r\n"}
		header, err := s.Header(envelope(byte(n), test.standing, test.reversePath), o.open)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		w.t = t
		if got := strings.Join(w.verify([]byte(string(header)+o.text)), " "); got != test.want {
			t.Errorf("%s: signed for %q, not %q", test.name, got, test.want)
		}
	}
}

func TestAMessageIsReadOnce(t *testing.T) {
	w := newWorld(t)
	k := w.add("example.org", "a", dkim.Ed25519)
	k.Expire = 10 * 24 * time.Hour
	s := w.signer()
	o := opener{text: plain}
	e := envelope(1, mail.Trusted, "")
	header := func() string {
		t.Helper()
		h, err := s.Header(e, o.open)
		if err != nil {
			t.Fatal(err)
		}
		return string(h)
	}
	first := header()
	w.now = w.now.Add(4 * 24 * time.Hour)
	if header() != first || o.opened != 1 {
		t.Errorf("it was opened %d times", o.opened)
	}
	w.now = w.now.Add(2 * 24 * time.Hour) // more than half of its time is over
	if header() == first || o.opened != 2 {
		t.Errorf("a signature that ends soon is used still, and the message was opened %d times", o.opened)
	}
	for n := range kept {
		if _, err := s.Header(&mail.Envelope{ID: mail.ID{2, byte(n), byte(n >> 8)}, Origin: mail.Origin{Standing: mail.Trusted}}, (&opener{text: "x"}).open); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.cache.entries) != kept {
		t.Errorf("%d signatures are kept", len(s.cache.entries))
	}
	if header(); o.opened != 3 {
		t.Errorf("the oldest is kept still")
	}
}

// A key that has changed signs from then on; one that has become unusable leaves the
// one that was there, and is told of once.
func TestKeysFollowTheirFiles(t *testing.T) {
	w := newWorld(t)
	file := w.add("example.org", "a", dkim.Ed25519).File
	s := w.signer()
	o := opener{text: plain}
	e := envelope(1, mail.Trusted, "")
	check := func(opened int) {
		t.Helper()
		w.now = w.now.Add(lookAgain)
		h, err := s.Header(e, o.open)
		if err != nil {
			t.Fatal(err)
		}
		w.verify([]byte(string(h) + plain))
		if o.opened != opened {
			t.Errorf("the message was opened %d times, not %d", o.opened, opened)
		}
	}
	check(1)
	w.write("example.org", "a", file, dkim.RSA)
	check(2)
	if err := os.WriteFile(file, []byte("half a k"), 0o600); err != nil {
		t.Fatal(err)
	}
	check(2)
	check(2)
	check(2)
	want := "the key of DKIM signatures in " + file + " cannot be used: there is no private key in PEM in it (-----BEGIN PRIVATE KEY-----); mail is signed by the key that was there before"
	if !slices.Equal(w.faults, []string{want}) {
		t.Errorf("%q", w.faults)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	check(2)
	check(2)
	if len(w.faults) != 2 || !strings.HasPrefix(w.faults[1], "looking for the key of DKIM signatures: ") {
		t.Errorf("%q", w.faults)
	}
	w.write("example.org", "a", file, dkim.Ed25519)
	check(3)
}

func TestMessagesThatCannotBeSigned(t *testing.T) {
	w := newWorld(t)
	w.add("example.org", "a", dkim.Ed25519)
	s := w.signer()
	broken := errors.New("the disk is gone")
	o := opener{err: broken}
	if _, err := s.Header(envelope(1, mail.Trusted, ""), o.open); err != broken {
		t.Errorf("not opened: %v", err)
	}
	o = opener{text: "From: ada@example.org\r\nX: " + strings.Repeat("x", 2*maxHeader) + "\r\n\r\n"}
	for _, o.memory = range []bool{true, false} {
		_, err := s.Header(envelope(2, mail.Trusted, ""), o.open)
		var e *Error
		if !errors.As(err, &e) || !e.Permanent || err.Error() != "the message could not be signed: its header section is longer than 1 MiB" {
			t.Errorf("a header section without end: %v", err)
		}
	}
	o = opener{text: plain} // what failed is tried again
	if h, err := s.Header(envelope(1, mail.Trusted, ""), o.open); err != nil || len(h) == 0 {
		t.Errorf("%v", err)
	}
}

func TestWithoutKeysNothingIsSigned(t *testing.T) {
	s, err := New(Options{})
	if s != nil || err != nil {
		t.Fatal(s, err)
	}
	if h, err := s.Header(envelope(1, mail.Trusted, ""), nil); h != nil || err != nil {
		t.Error(h, err)
	}
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	for _, k := range []Key{
		{Domain: "example.org", Selector: "a", File: "/nowhere/key.pem"},
		{Domain: "", Selector: "a", File: "/dev/null"},
		{Domain: "example.org", Selector: "a", File: "/dev/null"},
	} {
		if s, err := New(Options{Keys: []Key{k}}); err == nil || s != nil {
			t.Errorf("%+v is taken", k)
		}
	}
}

// The names that the configuration gives are signed, and none can be added.
func TestFieldsOfTheConfiguration(t *testing.T) {
	w := newWorld(t)
	w.add("example.org", "a", dkim.Ed25519).Headers = []string{"Subject", "X-Mine", "From"}
	o := opener{text: plain}
	h, err := w.signer().Header(envelope(1, mail.Trusted, ""), o.open)
	if err != nil {
		t.Fatal(err)
	}
	w.verify([]byte(string(h) + plain))
	if !strings.Contains(string(h), "h=from:from:subject:subject:x-mine;") {
		t.Errorf("%s", h)
	}
}
