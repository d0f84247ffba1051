package disk

import (
	"bytes"
	"crypto/rand"
	"io"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

func TestMessageSurvivesAReopening(t *testing.T) {
	dir := t.TempDir()
	ids := mail.NewIDSource(rand.Reader)
	s, err := Open(t.Context(), dir, Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 10, 300 << 10} {
		id, _ := ids.Next(time.Now())
		e := &mail.Envelope{ID: id, Arrived: time.Now(), Recipients: []mail.Recipient{{Path: smtp.Path{Local: "a", Domain: "b.test"}, Progress: mail.Progress{Due: time.Now()}}}}
		if err := s.Put(t.Context(), e, bytes.NewReader(bytes.Repeat([]byte("x"), size))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), dir, Options{Reserve: -1}); err != nil {
		t.Fatal(err)
	}
	leases, err := s.Claim(t.Context(), 10)
	if err != nil || len(leases) != 3 {
		t.Fatalf("%d leases, %v", len(leases), err)
	}
	for _, l := range leases {
		c, err := s.Content(t.Context(), l.Envelope.ID)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(c)
		if err != nil || int64(len(b)) != l.Envelope.Size {
			t.Errorf("%d octets, %v, want %d", len(b), err, l.Envelope.Size)
		}
		c.Close()
		p := l.Envelope.Recipients[0].Progress
		p.State = mail.Relayed
		if err := s.Settle(t.Context(), l, []mail.Outcome{{Recipient: 0, Progress: p}}); err != nil {
			t.Error(err)
		}
	}
	stats, _ := s.Stats(t.Context())
	if stats.Messages != 0 || stats.Bytes != 0 || stats.Leased != 0 {
		t.Errorf("%+v is left", stats)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
