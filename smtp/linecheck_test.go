package smtp

import (
	"bytes"
	"strings"
	"testing"
)

// found is what a LineChecker answers at the end.
type found struct{ Bare, EightBit, LongLine, NUL bool }

func checkLines(content []byte, piece int) found {
	var c LineChecker
	for len(content) > piece {
		c.Check(content[:piece])
		content = content[piece:]
	}
	c.Check(content)
	return found{c.Bare(), c.EightBit(), c.LongLine(), c.NUL()}
}

func TestLineChecker(t *testing.T) {
	x998 := strings.Repeat("x", 998)
	for _, tc := range []struct {
		rule, in string
		want     found
	}{
		{"empty", "", found{}},
		{"plain", "a\r\nb\r\n\r\n", found{}},
		{"no newline at the end", "a\r\nb", found{}},
		{"2.3.8 bare LF", "a\nb\r\n", found{Bare: true}},
		{"2.3.8 bare LF first", "\nb\r\n", found{Bare: true}},
		{"2.3.8 bare CR", "a\rb\r\n", found{Bare: true}},
		{"2.3.8 two CR", "a\r\r\n", found{Bare: true}},
		{"2.3.8 CR at the end", "a\r\nb\r", found{Bare: true}},
		{"2.3.8 LF CR", "a\n\rb", found{Bare: true}},
		{"2.3.8 as many CR as LF", "a\rb\nc\r\n", found{Bare: true}},
		{"2.3.8 as many CR as LF, LF first", "a\nb\rc\r\n", found{Bare: true}},
		{"RFC 6152 UTF-8", "ä\r\n", found{EightBit: true}},
		{"RFC 6152 late", strings.Repeat("a", 70) + "\x80", found{EightBit: true}},
		{"RFC 6152 in the middle", strings.Repeat("a", 20) + "\xff" + strings.Repeat("a", 70), found{EightBit: true}},
		{"RFC 6152 highest ASCII", strings.Repeat("\x7f", 70), found{}},
		{"NUL", "a\x00\r\n", found{NUL: true}},
		{"NUL first", "\x00", found{NUL: true}},
		{"4.5.3.1.6 998 octets", x998 + "\r\n" + x998 + "\r\n", found{}},
		{"4.5.3.1.6 998 octets without end", x998, found{}},
		{"4.5.3.1.6 999 octets", x998 + "x\r\na\r\n", found{LongLine: true}},
		{"4.5.3.1.6 999 octets without end", "a\r\nx" + x998, found{LongLine: true}},
		{"4.5.3.1.6 998 octets, bare LF", x998 + "\n", found{Bare: true}},
		{"4.5.3.1.6 999 octets, bare LF", x998 + "x\n", found{Bare: true, LongLine: true}},
		{"4.5.3.1.6 a CR inside counts", strings.Repeat("x", 997) + "\r\r\n", found{Bare: true}},
		{"4.5.3.1.6 a CR too much", x998 + "\r\r\n", found{Bare: true, LongLine: true}},
		{"all at once", "\x00\x80\n" + x998 + "x", found{true, true, true, true}},
	} {
		for _, piece := range []int{1 << 20, 1, 2, 3, 7, 64, 999, 1000} {
			if got := checkLines([]byte(tc.in), piece); got != tc.want {
				t.Errorf("%s, in pieces of %d: %+v, want %+v", tc.rule, piece, got, tc.want)
			}
		}
	}
}

func TestLineCheckerDoesNotAllocate(t *testing.T) {
	content := sampleMessage(10 << 10)
	if n := testing.AllocsPerRun(10, func() { var c LineChecker; c.Check(content) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// modelLines says by plain operations what the checker has to find.
func modelLines(content []byte) found {
	f := found{
		Bare: hasBareNewline(content),
		NUL:  bytes.Contains(content, []byte{0}),
	}
	for _, c := range content {
		f.EightBit = f.EightBit || c > 127
	}
	for _, line := range bytes.Split(content, []byte("\n")) {
		f.LongLine = f.LongLine || len(bytes.TrimSuffix(line, []byte("\r"))) > 998
	}
	return f
}

func FuzzLineChecker(f *testing.F) {
	for _, s := range []string{"", "a\r\nb\n", "\r", "\n\r", "\x00ä\r\n", strings.Repeat("x", 999), strings.Repeat("x", 998) + "\r\n\r"} {
		f.Add([]byte(s), uint16(1), uint16(1))
		f.Add([]byte(s), uint16(5), uint16(997))
	}
	f.Fuzz(func(t *testing.T, unit []byte, piece, repeat uint16) {
		content := bytes.Repeat(unit, int(repeat)%100+1)
		if len(content) > 1<<16 {
			return
		}
		want := modelLines(content)
		if got := checkLines(content, int(piece)+1); got != want {
			t.Errorf("%q in pieces of %d: %+v, want %+v", content, int(piece)+1, got, want)
		}
	})
}

func BenchmarkLineChecker(b *testing.B) {
	content := sampleMessage(10 << 10)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		var c LineChecker
		c.Check(content)
	}
}
