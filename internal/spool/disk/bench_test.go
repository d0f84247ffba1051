package disk

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/vfs"
	"github.com/weirmail/weir/smtp"
)

// BenchmarkPutSettle is the life of a message that is delivered at once: Put,
// the hand-over and its settlement, by 20 sessions at a time. Four of the
// allocations are the caller's: the envelope, its recipients, the id and the
// reader.
func BenchmarkPutSettle(b *testing.B) {
	for name, fs := range map[string]vfs.FS{"disk": vfs.Disk(), "memory": vfs.NewMem()} {
		b.Run(name, func(b *testing.B) {
			dir := "spool"
			if name == "disk" {
				dir = b.TempDir()
			}
			s, err := Open(b.Context(), dir, Options{FS: fs, Reserve: -1})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			putSettle(b, s)
		})
	}
}

func putSettle(b *testing.B, s *Store) {
	ids := mail.NewIDSource(rand.Reader)
	body := bytes.Repeat([]byte("0123456789abcde\n"), 640)
	relayed := []mail.Outcome{{Progress: mail.Progress{State: mail.Relayed}}}
	s.Handover(func(l *mail.Lease) bool {
		if err := s.Settle(b.Context(), l, relayed); err != nil {
			b.Error(err)
		}
		return true
	})
	b.SetBytes(int64(len(body)))
	b.SetParallelism(10) // of two processors
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			now := time.Now()
			id, err := ids.Next(now)
			if err != nil {
				b.Fatal(err)
			}
			e := &mail.Envelope{ID: id, Arrived: now, Recipients: []mail.Recipient{{
				Path:     smtp.Path{Local: "bob", Domain: "example.net"},
				Progress: mail.Progress{Due: now},
			}}}
			if err := s.Put(b.Context(), e, bytes.NewReader(body)); err != nil {
				b.Fatal(err)
			}
		}
	})
	stats, err := s.Stats(b.Context())
	if err != nil || stats.Messages != 0 {
		b.Errorf("%+v, %v", stats, err)
	}
	b.ReportMetric(float64(stats.Flushes)/float64(b.N), "flushes/op")
}
