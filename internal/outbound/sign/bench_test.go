package sign

import (
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/dkim"
	"github.com/weirmail/weir/internal/mail"
)

// BenchmarkHeader: what a message costs that is signed, one that is signed already,
// and one that is not to be signed.
func BenchmarkHeader(b *testing.B) {
	text := "From: ada@example.org\r\nTo: bob@example.net\r\nSubject: x\r\n\r\n" + strings.Repeat("Lorem ipsum dolor sit amet, consectetur.\r\n", 100)
	for name, kinds := range map[string][]dkim.Algorithm{"rsa": {dkim.RSA}, "ed25519": {dkim.Ed25519}, "both": {dkim.RSA, dkim.Ed25519}} {
		w := newWorld(b)
		for _, a := range kinds {
			w.add("example.org", string(a), a)
		}
		s := w.signer()
		run := func(b *testing.B, e *mail.Envelope, text string, fresh bool) {
			o := opener{text: text, memory: true}
			b.ReportAllocs()
			for n := uint32(0); b.Loop(); n++ {
				if fresh {
					e.ID = mail.ID{1, byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}
				}
				if _, err := s.Header(e, o.open); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.Run(name+"/new", func(b *testing.B) { run(b, envelope(1, mail.Trusted, ""), text, true) })
		if len(kinds) == 2 {
			b.Run("again", func(b *testing.B) { run(b, envelope(2, mail.Trusted, ""), text, false) })
			b.Run("stranger", func(b *testing.B) { run(b, envelope(3, mail.Stranger, ""), text, false) })
			b.Run("other domain", func(b *testing.B) {
				run(b, envelope(4, mail.Trusted, ""), strings.Replace(text, "ada@example.org", "ada@example.com", 1), true)
			})
		}
	}
}
