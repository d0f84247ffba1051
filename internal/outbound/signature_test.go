package outbound

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/dkim"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/sign"
)

// signerFor makes a signer with a key for a domain.
func signerFor(t *testing.T, domain string) *sign.Signer {
	t.Helper()
	k, err := dkim.Generate(dkim.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	text, err := k.PEM()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := sign.New(sign.Options{Keys: []sign.Key{{Domain: domain, Selector: "s", File: file}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// putText stores a message of somebody who may send as anybody.
func (w *world) putText(text string, to ...string) mail.ID {
	w.t.Helper()
	e := w.envelope("alice@example.org", to...)
	e.Origin.Standing = mail.Trusted
	if err := w.spool.Put(w.t.Context(), e, strings.NewReader(text)); err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

const authored = "From: alice@example.org\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"

// What cannot be signed waits, with a fault that says why, and goes out signed when
// it can be. It never goes out without.
func TestWhatCannotBeSignedWaits(t *testing.T) {
	signer := signerFor(t, "example.org")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Signer = signer })
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		w.spool.unreadable = true
		w.start()
		id := w.putText(authored, "bob@example.net")
		p := w.after(time.Second, id, 0)
		if p.State != mail.Waiting || p.Attempts != 1 || p.Last.Problem != "the message could not be signed: input/output error" || p.Last.Reason != "local-error" {
			t.Errorf("%+v", p)
		}
		faults := w.takeFaults()
		if len(faults) != 1 || faults[0].Error() != "signing: message "+id.String()+" waits: the message could not be signed: input/output error" {
			t.Errorf("%v", faults)
		}
		w.spool.mu.Lock()
		w.spool.unreadable = false
		w.spool.mu.Unlock()
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := sink.all(); len(got) != 1 || !strings.HasPrefix(got[0], "DKIM-Signature: v=1; a=ed25519-sha256;") || !strings.HasSuffix(got[0], "\r\n"+authored) {
			t.Errorf("%q", got)
		}
	})
}

// A message that can never be signed comes back, and says why.
func TestWhatCanNeverBeSignedComesBack(t *testing.T) {
	signer := signerFor(t, "example.org")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Signer = signer })
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		w.host("example.org", sink.dial)
		w.start()
		w.putText("From: alice@example.org\r\nX-Long: "+strings.Repeat("x", 1<<20)+"\r\n\r\n", "bob@example.net")
		time.Sleep(time.Minute)
		synctest.Wait()
		w.takeFaults()
		got := sink.all()
		if len(got) != 1 || !strings.Contains(got[0], "Diagnostic-Code: x-weir; the message could not be signed: its header section\r\n is longer than 1 MiB") || !strings.Contains(got[0], "Status: 5.6.0") {
			t.Errorf("%d messages: %.3000q", len(got), got)
		}
	})
}

// Mail of a stranger goes as it came, and so does all mail where nothing is signed.
func TestWhatIsNotSignedGoesAsItCame(t *testing.T) {
	signer := signerFor(t, "example.org")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Signer = signer })
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		w.start()
		e := w.envelope("alice@example.org", "bob@example.net")
		if err := w.spool.Put(t.Context(), e, strings.NewReader(authored)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := sink.all(); len(got) != 1 || got[0] != authored {
			t.Errorf("%q", got)
		}
	})
}
