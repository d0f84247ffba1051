package smtp

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// decodeAll decodes the whole of src at once.
func decodeAll(t *testing.T, mode LineEnding, src []byte) (content []byte, nsrc int, done, bare bool) {
	t.Helper()
	d := NewDotDecoder(mode)
	dst := make([]byte, 2*len(src)+4)
	ndst, nsrc, done, err := d.Decode(dst, src)
	if err != nil {
		t.Fatalf("Decode(%q): %v", src, err)
	}
	return dst[:ndst], nsrc, done, d.Bare()
}

func TestDotDecoder(t *testing.T) {
	for _, tc := range []struct {
		rule, in, content, rest string
		normalized              string // content with NormalizeBare, if the input has a bare newline
	}{
		{"4.1.1.4 plain", "a\r\n.\r\n", "a\r\n", "", ""},
		{"4.1.1.4 empty message", ".\r\n", "", "", ""},
		{"4.1.1.4 one empty line", "\r\n.\r\n", "\r\n", "", ""},
		{"RFC 2920 commands follow", "a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n", ""},
		{"RFC 2920 dots follow", ".\r\n.\r\n", "", ".\r\n", ""},
		{"4.5.2 stuffed dot", "..\r\n.\r\n", ".\r\n", "", ""},
		{"4.5.2 stuffed dot and text", "a\r\n..b\r\n.\r\n", "a\r\n.b\r\n", "", ""},
		{"4.5.2 three dots", "...\r\n.\r\n", "..\r\n", "", ""},
		{"4.5.2 a dot and text", ".b\r\n.\r\n", "b\r\n", "", ""},
		{"4.5.2 dots elsewhere", "a.\r\nb..c\r\n.\r\n", "a.\r\nb..c\r\n", "", ""},
		{"many lines", "a\r\nb\r\n\r\n..\r\n\r\nc\r\n.\r\n", "a\r\nb\r\n\r\n.\r\n\r\nc\r\n", "", ""},
		{"8-bit and NUL", "\x00\xff\r\n.\r\n", "\x00\xff\r\n", "", ""},
		{"NUL is not a line start", "a\r\n\x00.\r\nb\r\n.\r\n", "a\r\n\x00.\r\nb\r\n", "", ""},

		{"2.3.8 bare LF", "a\nb\r\n.\r\n", "a\nb\r\n", "", "a\r\nb\r\n"},
		{"2.3.8 bare LF first", "\nb\r\n.\r\n", "\nb\r\n", "", "\r\nb\r\n"},
		{"2.3.8 bare CR", "a\rb\r\n.\r\n", "a\rb\r\n", "", "a\r\nb\r\n"},
		{"2.3.8 two CR", "a\r\r\n.\r\n", "a\r\r\n", "", "a\r\n\r\n"},
		{"2.3.8 two LF", "a\r\n\n.\r\nb\r\n.\r\n", "a\r\n\n.\r\nb\r\n", "", "a\r\n\r\n.\r\nb\r\n"},
		{"2.3.8 LF CR", "a\n\rb\r\n.\r\n", "a\n\rb\r\n", "", "a\r\n\r\nb\r\n"},
		{"smuggling LF.LF", "a\n.\nb\r\n.\r\n", "a\n.\nb\r\n", "", "a\r\n.\r\nb\r\n"},
		{"smuggling LF.CRLF", "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", "", "a\r\n.\r\nb\r\n"},
		{"smuggling CRLF.LF", "a\r\n.\nb\r\n.\r\n", "a\r\n.\nb\r\n", "", "a\r\n.\r\nb\r\n"},
		{"smuggling CRLF.CR", "a\r\n.\rb\r\n.\r\n", "a\r\n.\rb\r\n", "", "a\r\n.\r\nb\r\n"},
		{"smuggling CR.CR", "a\r.\rb\r\n.\r\n", "a\r.\rb\r\n", "", "a\r\n.\r\nb\r\n"},
		{"smuggling CR.CRLF", "a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n", "", "a\r\n.\r\nb\r\n"},
		{"smuggling CR.LF", "a\r.\nb\r\n.\r\n", "a\r.\nb\r\n", "", "a\r\n.\r\nb\r\n"},
		{"smuggling LF.CR", "a\n.\rb\r\n.\r\n", "a\n.\rb\r\n", "", "a\r\n.\r\nb\r\n"},
		{"smuggling CRLF.CRCRLF", "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n.\r\r\nb\r\n", "", "a\r\n.\r\n\r\nb\r\n"},
		{"smuggling, at the start", ".\nb\r\n.\r\n", ".\nb\r\n", "", ".\r\nb\r\n"},
		{"smuggling, two dots after LF", "a\n..\r\n.\r\n", "a\n..\r\n", "", "a\r\n..\r\n"},
		{"smuggling, CR before the end", "a\r\r\n.\r\nQUIT", "a\r\r\n", "QUIT", "a\r\n\r\n"},
	} {
		wantBare := tc.normalized != ""
		content, n, done, bare := decodeAll(t, RejectBare, []byte(tc.in))
		if string(content) != tc.content || tc.in[n:] != tc.rest || !done || bare != wantBare {
			t.Errorf("%s: %q became %q, rest %q, done %v, bare %v", tc.rule, tc.in, content, tc.in[n:], done, bare)
		}
		want := tc.content
		if wantBare {
			want = tc.normalized
		}
		content, n, done, bare = decodeAll(t, NormalizeBare, []byte(tc.in))
		if string(content) != want || tc.in[n:] != tc.rest || !done || bare != wantBare {
			t.Errorf("%s, normalized: %q became %q, rest %q, done %v, bare %v", tc.rule, tc.in, content, tc.in[n:], done, bare)
		}
	}
}

func TestDotDecoderFindsNoEnd(t *testing.T) {
	for _, in := range []string{
		"", "a", "a\r\n", "a\r\n.", "a\r\n.\r", "a\n.\n", "a\n.\r\n", "a\r\n.\n", "a\r.\r", "a\r.\r\n", ".", ".\r", ".\n", ".\r.\n",
		"..\r\n", "a\r\n..\r\n", "a\r\n.\r\r\n", " .\r\n", "\x00.\r\n", "a\r\n\x00.\r\n", "a.\r\n", "\r\r\n..\r\n",
	} {
		for _, mode := range []LineEnding{RejectBare, NormalizeBare} {
			_, n, done, _ := decodeAll(t, mode, []byte(in))
			if done || n != len(in) {
				t.Errorf("mode %d: %q: done %v after %d", mode, in, done, n)
			}
		}
	}
}

func TestDotDecoderNeedsNoRoomForTheEnd(t *testing.T) {
	const content, rest = "line\r\n.\r\n", "QUIT\r\n"
	var e DotEncoder
	src := append(e.Finish(e.Append(nil, []byte(content))), rest...)
	d := NewDotDecoder(RejectBare)
	dst := make([]byte, len(content))
	ndst, nsrc, done, err := d.Decode(dst, src)
	if string(dst[:ndst]) != content || string(src[nsrc:]) != rest || !done || err != nil {
		t.Errorf("%q, rest %q, %v, %v", dst[:ndst], src[nsrc:], done, err)
	}
}

func TestDotDecoderSaysWhenThereIsNoRoom(t *testing.T) {
	d := NewDotDecoder(RejectBare)
	if ndst, nsrc, done, err := d.Decode(nil, []byte("a")); ndst != 0 || nsrc != 0 || done || !errors.Is(err, io.ErrShortBuffer) {
		t.Errorf("%d, %d, %v, %v", ndst, nsrc, done, err)
	}
	if ndst, nsrc, done, err := d.Decode(nil, nil); ndst != 0 || nsrc != 0 || done || err != nil {
		t.Errorf("nothing to do: %d, %d, %v, %v", ndst, nsrc, done, err)
	}
}

func TestDotDecoderStopsAtTheEnd(t *testing.T) {
	d := NewDotDecoder(RejectBare)
	var dst [16]byte
	d.Decode(dst[:], []byte(".\r\n"))
	if ndst, nsrc, done, err := d.Decode(dst[:], []byte("QUIT\r\n")); ndst != 0 || nsrc != 0 || !done || err != nil {
		t.Errorf("%d, %d, %v, %v", ndst, nsrc, done, err)
	}
}

// sampleMessage is about size octets of text with dots, dot-stuffed with its end.
func sampleMessage(size int) []byte {
	line := "The quick brown fox jumps over the lazy dog. And again, for 70 columns...\r\n"
	content := strings.Repeat(line, size/len(line)) + ".\r\n.dot\r\n"
	var e DotEncoder
	return e.Finish(e.Append(nil, []byte(content)))
}

func TestDotDecoderDoesNotAllocate(t *testing.T) {
	src := sampleMessage(10 << 10)
	bare := bytes.ReplaceAll(src, []byte("fox"), []byte("\r\n.\n\r"))
	dst := make([]byte, 2*len(bare))
	for _, mode := range []LineEnding{RejectBare, NormalizeBare} {
		for _, in := range [][]byte{src, bare} {
			n := testing.AllocsPerRun(10, func() {
				d := NewDotDecoder(mode)
				d.Decode(dst, in)
			})
			if n != 0 {
				t.Errorf("mode %d: %v allocations", mode, n)
			}
		}
	}
}

// TestDotDecoderLooksAheadOnce has content that cannot be copied in one run. Having
// looked over all of it in vain, the decoder must not look over the rest again for
// each octet: a megabyte of bare CR would then cost minutes.
func TestDotDecoderLooksAheadOnce(t *testing.T) {
	src := bytes.Repeat([]byte("a\r"), 1000)
	d := NewDotDecoder(NormalizeBare)
	if n, scanned := d.run(make([]byte, len(src)), src); n != 0 || scanned != len(src) {
		t.Errorf("copied %d; looked at %d octets of %d", n, scanned, len(src))
	}
	if n, scanned := d.run(make([]byte, 100), src); n != 0 || scanned != 100 {
		t.Errorf("with little room: copied %d; looked at %d octets of 100", n, scanned)
	}
}

func TestDotDecoderTakesHostileContent(t *testing.T) {
	const size = 1 << 18
	for _, unit := range []string{"\r", "\n", "a\r", "a\n", "\r\n..", "\r\n.\n", "\r\n.\r", "..\r\n"} {
		in := []byte(strings.Repeat(unit, size/len(unit)) + "\r\n.\r\n")
		for _, mode := range []LineEnding{RejectBare, NormalizeBare} {
			want, _, wantBare := modelDecode(mode, string(in))
			content, n, done, bare := decodeAll(t, mode, in)
			if string(content) != want || !done || n != len(in) || bare != wantBare {
				t.Errorf("%q in mode %d: done %v after %d of %d, bare %v", unit, mode, done, n, len(in), bare)
			}
		}
	}
}

// modelDecode says by plain string operations what the decoder has to do with
// input that has an end.
func modelDecode(mode LineEnding, in string) (content string, n int, bare bool) {
	n = strings.Index("\r\n"+in, "\r\n.\r\n") + 3 // behind the end
	lines := strings.Split(in[:n-3], "\r\n")
	for i, line := range lines {
		if rest, dot := strings.CutPrefix(line, "."); dot && !strings.HasPrefix(rest, "\r") && !strings.HasPrefix(rest, "\n") {
			line = rest
		}
		bare = bare || strings.ContainsAny(line, "\r\n")
		if mode == NormalizeBare {
			line = strings.NewReplacer("\r", "\r\n", "\n", "\r\n").Replace(line)
		}
		lines[i] = line
	}
	return strings.Join(lines, "\r\n"), n, bare
}

// decodeInPieces gives the decoder pieces of src and room in dst of the sizes in
// splits, again and again.
func decodeInPieces(t *testing.T, mode LineEnding, src, splits []byte) (content []byte, nsrc int, bare bool) {
	t.Helper()
	d := NewDotDecoder(mode)
	at := 0
	next := func() int {
		if len(splits) == 0 {
			return 1
		}
		at++
		return int(splits[at%len(splits)]%17) + 1
	}
	for {
		piece := src[nsrc:min(nsrc+next(), len(src))]
		dst := make([]byte, next())
		nd, ns, done, err := d.Decode(dst, piece)
		content, nsrc = append(content, dst[:nd]...), nsrc+ns
		if done {
			return content, nsrc, d.Bare()
		}
		if err != nil || nd == 0 && ns == 0 {
			t.Fatalf("stuck at %d of %q: %v", nsrc, src, err)
		}
	}
}

func FuzzDotDecoder(f *testing.F) {
	for _, s := range []string{
		"", ".", "..", "a\r\nb", "a\r\n..b\r\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r\n.\r", "\r\n.\r\r\n", "\r\r\n.\r\n", "\r\n.\r\nQUIT\r\n",
		"a\n..\nb", "\r\n\x00.\r\n", ".\r\n", "long line. long line. long line. \r\n\r\n.x",
	} {
		f.Add([]byte(s), []byte{})
		f.Add([]byte(s), []byte{2, 0, 5, 1})
	}
	f.Fuzz(func(t *testing.T, in, splits []byte) {
		in = append(in[:len(in):len(in)], "\r\n.\r\n"...)
		for _, mode := range []LineEnding{RejectBare, NormalizeBare} {
			want, wantN, wantBare := modelDecode(mode, string(in))
			content, n, done, bare := decodeAll(t, mode, in)
			if string(content) != want || n != wantN || !done || bare != wantBare {
				t.Errorf("mode %d: %q became %q up to %d, done %v, bare %v; want %q up to %d, bare %v", mode, in, content, n, done, bare, want, wantN, wantBare)
			}
			content, n, bare = decodeInPieces(t, mode, in, splits)
			if string(content) != want || n != wantN || bare != wantBare {
				t.Errorf("mode %d, in pieces %v: %q became %q up to %d, bare %v; want %q up to %d, bare %v", mode, splits, in, content, n, bare, want, wantN, wantBare)
			}
			if mode == RejectBare {
				inPlace := bytes.Clone(in)
				d := NewDotDecoder(mode)
				ndst, _, _, _ := d.Decode(inPlace, inPlace)
				if string(inPlace[:ndst]) != want {
					t.Errorf("in place: %q became %q, want %q", in, inPlace[:ndst], want)
				}
			}
			if (mode == NormalizeBare || !bare) && hasBareNewline(content) {
				t.Errorf("mode %d: %q left a bare newline in %q", mode, in, content)
			}
			checkNoEarlyEnd(t, content)
		}
	})
}

// TestDotDecoderAgreesWithTheModel tries short alphabets, in which every order of
// CR, LF and dot comes up, with the model that FuzzDotDecoder uses.
func TestDotDecoderAgreesWithTheModel(t *testing.T) {
	random := rand.New(rand.NewPCG(5321, 2))
	for range 5000 {
		in := make([]byte, random.IntN(120))
		for i := range in {
			in[i] = "\r\n.a"[random.IntN(4)]
		}
		in = append(bytes.ReplaceAll(in, []byte("a"), []byte("\r\n")), "\r\n.\r\n"...)
		splits := []byte{byte(random.IntN(17)), byte(random.IntN(17)), byte(random.IntN(17))}
		for _, mode := range []LineEnding{RejectBare, NormalizeBare} {
			want, wantN, wantBare := modelDecode(mode, string(in))
			content, n, done, bare := decodeAll(t, mode, in)
			if string(content) != want || n != wantN || !done || bare != wantBare {
				t.Fatalf("mode %d: %q became %q up to %d, bare %v; want %q up to %d, bare %v", mode, in, content, n, bare, want, wantN, wantBare)
			}
			content, n, bare = decodeInPieces(t, mode, in, splits)
			if string(content) != want || n != wantN || bare != wantBare {
				t.Fatalf("mode %d, in pieces %v: %q became %q up to %d, bare %v; want %q up to %d, bare %v", mode, splits, in, content, n, bare, want, wantN, wantBare)
			}
			checkNoEarlyEnd(t, content)
		}
	}
}

func hasBareNewline(b []byte) bool {
	return strings.ContainsAny(strings.ReplaceAll(string(b), "\r\n", ""), "\r\n")
}

// checkNoEarlyEnd encodes content and looks for the end of data as the most
// lenient of servers would: any CR or LF, a dot, any CR or LF.
func checkNoEarlyEnd(t *testing.T, content []byte) {
	t.Helper()
	newline := func(c byte) bool { return c == '\r' || c == '\n' }
	var e DotEncoder
	wire := e.Finish(e.Append(nil, content))
	for i := range len(wire) - 1 {
		if wire[i] == '.' && (i == 0 || newline(wire[i-1])) && newline(wire[i+1]) {
			if i != len(wire)-len(".\r\n") {
				t.Errorf("%q is sent as %q, which may be taken to end at %d", content, wire, i)
			}
			return
		}
	}
	t.Errorf("%q is sent as %q, which has no end", content, wire)
}

func BenchmarkDotDecoder(b *testing.B) {
	src := sampleMessage(10 << 10)
	dst := make([]byte, len(src))
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		d := NewDotDecoder(RejectBare)
		d.Decode(dst, src)
	}
}
