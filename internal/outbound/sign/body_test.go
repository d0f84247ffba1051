package sign

import (
	"crypto/sha256"
	"strings"
	"testing"
)

// relaxed is the form of RFC 6376 section 3.4.4 in the plainest words, to hold the
// hash against.
func relaxed(body string) string {
	body = strings.ReplaceAll(body, "\r\n", "\n")
	lines := strings.Split(body, "\n")
	for i, line := range lines {
		var b strings.Builder
		blank := false
		for _, c := range []byte(line) {
			if c == ' ' || c == '\t' {
				blank = true
				continue
			}
			if blank {
				b.WriteByte(' ')
			}
			blank = false
			b.WriteByte(c)
		}
		lines[i] = b.String()
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

func hashOf(body string, piece int) string {
	h := newBodyHash()
	for len(body) > piece {
		_, _ = h.Write([]byte(body[:piece]))
		body = body[piece:]
	}
	_, _ = h.Write([]byte(body))
	return string(h.sum())
}

// The bodies of RFC 6376 and of RFC 5322, and what is odd about others.
var bodies = []string{
	"", "\r\n", " \r\n\t\r\n", " C \r\nD \t E\r\n\r\n\r\n", "x", "x\r\n", "x\r", "x\r\r\n", "x \ry", "\rx", "x\r\n\r", "\r\r\r\n\r",
	"x\ny\n", "x \n\n", " ", "\t", "x ", "x \t", " x", "\r\n\r\nx", strings.Repeat("a b\t\r\n", 5000), strings.Repeat("\r\n", 9000) + "x",
	strings.Repeat("x", 3*bodyBuffer), strings.Repeat("x", bodyBuffer-1) + " y\r\n", "\x00\xff \x00\r\n",
}

func TestBodiesInTheirRelaxedForm(t *testing.T) {
	for _, body := range bodies {
		want := sha256.Sum256([]byte(relaxed(body)))
		for _, piece := range []int{1, 2, 7, 1 << 20} {
			if got := hashOf(body, piece); got != string(want[:]) {
				t.Errorf("%.60q in pieces of %d: the hash is not that of %.60q", body, piece, relaxed(body))
			}
		}
	}
	if got := relaxed(" C \r\nD \t E\r\n\r\n\r\n"); got != " C\r\nD E\r\n" { // the example of RFC 6376 section 3.4.5
		t.Errorf("%q", got)
	}
}

func FuzzBody(f *testing.F) {
	for _, body := range bodies {
		f.Add(body, uint(3))
	}
	f.Fuzz(func(t *testing.T, body string, piece uint) {
		want := sha256.Sum256([]byte(relaxed(body)))
		if hashOf(body, int(piece%1000)+1) != string(want[:]) {
			t.Errorf("%q", body)
		}
	})
}

func BenchmarkBody(b *testing.B) {
	body := []byte(strings.Repeat("Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do.\r\n", 16<<10))
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		h := newBodyHash()
		_, _ = h.Write(body)
		h.sum()
	}
}
