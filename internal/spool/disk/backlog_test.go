package disk

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

// Pebble begins with small tables in memory, and keeps them until half of a
// full one has gathered: a store that waited for it then would wait for ever.
func TestAYoungStoreDoesNotWaitForItsTables(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir(), Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ids := mail.NewIDSource(rand.Reader)
	body := bytes.Repeat([]byte("0123456789abcdef"), 8<<10)
	for range 200 { // 25 MiB, through six tables
		now := time.Now()
		id, err := ids.Next(now)
		if err != nil {
			t.Fatal(err)
		}
		e := &mail.Envelope{ID: id, Arrived: now, Recipients: []mail.Recipient{{Path: smtp.Path{Local: "a", Domain: "b.test"}, Progress: mail.Progress{Due: now}}}}
		if err := s.Put(t.Context(), e, bytes.NewReader(body)); err != nil {
			t.Fatal(err)
		}
	}
}
