package sign

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"github.com/weirmail/weir/internal/dkim"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

// world is a folder of keys, and the DNS that has their records.
type world struct {
	t       testing.TB
	dir     string
	records map[string]string
	keys    []Key
	faults  []string
	now     time.Time
}

func newWorld(t testing.TB) *world {
	return &world{t: t, dir: t.TempDir(), records: map[string]string{}, now: time.Now().Truncate(time.Second)}
}

// add makes a key for a domain, and publishes it.
func (w *world) add(domain, selector string, a dkim.Algorithm) *Key {
	w.t.Helper()
	file := filepath.Join(w.dir, domain+"."+selector+".pem")
	w.write(domain, selector, file, a)
	w.keys = append(w.keys, Key{Domain: domain, Selector: selector, File: file})
	return &w.keys[len(w.keys)-1]
}

func (w *world) write(domain, selector, file string, a dkim.Algorithm) {
	w.t.Helper()
	k, err := dkim.Generate(a)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := k.PEM()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		w.t.Fatal(err)
	}
	if w.records[dkim.Name(selector, domain)], err = k.Record(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) signer() *Signer {
	w.t.Helper()
	s, err := New(Options{
		Keys: w.keys, Now: func() time.Time { return w.now },
		Fault: func(err error) { w.faults = append(w.faults, err.Error()) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// verify holds a message to its signatures, and returns the domain of each.
func (w *world) verify(message []byte) []string {
	w.t.Helper()
	all, err := msgauth.VerifyWithOptions(bytes.NewReader(message), &msgauth.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if r, ok := w.records[name]; ok {
			return []string{r}, nil
		}
		return nil, errors.New("there is no " + name)
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	var domains []string
	for _, v := range all {
		if v.Err != nil {
			w.t.Errorf("the signature of %s does not hold: %v in\n%s", v.Domain, v.Err, message)
		}
		domains = append(domains, v.Domain)
	}
	return domains
}

// content is the content of a message.
type content struct {
	io.Reader
	memory []byte
	closed *int
}

func (c content) Bytes() []byte { return c.memory }

func (c content) Close() error {
	*c.closed++
	return nil
}

// opener opens a message, and counts how often it is opened and closed.
type opener struct {
	text           string
	memory         bool
	opened, closed int
	err            error
}

func (o *opener) open() (Content, error) {
	if o.err != nil {
		return nil, o.err
	}
	o.opened++
	if o.memory {
		return content{strings.NewReader(o.text), []byte(o.text), &o.closed}, nil
	}
	// In pieces, as a disk gives them.
	return content{io.MultiReader(strings.NewReader(o.text[:len(o.text)/3]), strings.NewReader(o.text[len(o.text)/3:])), nil, &o.closed}, nil
}

// envelope is that of a message from somebody with a standing.
func envelope(n byte, standing mail.Standing, reversePath string) *mail.Envelope {
	e := &mail.Envelope{ID: mail.ID{n}, Origin: mail.Origin{Standing: standing}}
	e.ReversePath, _ = smtp.ParseAddress(reversePath)
	return e
}
