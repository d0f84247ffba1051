package smtp

import (
	"bytes"
	"testing"
)

func TestDotEncoder(t *testing.T) {
	for _, tc := range []struct{ rule, in, wire string }{
		{"empty", "", ".\r\n"},
		{"4.5.2 plain", "a\r\n", "a\r\n.\r\n"},
		{"4.5.2 no newline at the end", "a", "a\r\n.\r\n"},
		{"4.5.2 dot first", ".", "..\r\n.\r\n"},
		{"4.5.2 lone dot", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"},
		{"4.5.2 dot and text", ".a\r\n.b", "..a\r\n..b\r\n.\r\n"},
		{"4.5.2 two dots", "..\r\n", "...\r\n.\r\n"},
		{"4.5.2 dots elsewhere", "a.\r\nb.c\r\n", "a.\r\nb.c\r\n.\r\n"},
		{"empty lines", "\r\n\r\n", "\r\n\r\n.\r\n"},
		{"dot after bare LF", "a\n.\nb\r\n", "a\n..\nb\r\n.\r\n"},
		{"dot after bare CR", "a\r.\rb\r\n", "a\r..\rb\r\n.\r\n"},
		{"dots after each", "\r.\n.\r\n.", "\r..\n..\r\n..\r\n.\r\n"},
		{"bare LF at the end", "a\n", "a\n\r\n.\r\n"},
		{"bare CR at the end", "a\r", "a\r\r\n.\r\n"},
	} {
		var e DotEncoder
		if wire := e.Finish(e.Append([]byte("DATA\r\n"), []byte(tc.in))); string(wire) != "DATA\r\n"+tc.wire {
			t.Errorf("%s: %q is sent as %q, want %q", tc.rule, tc.in, wire, tc.wire)
		}
		e.Reset()
		var wire []byte
		for i := range len(tc.in) {
			wire = e.Append(wire, []byte(tc.in[i:i+1]))
			wire = e.Append(wire, nil)
		}
		if wire = e.Finish(wire); string(wire) != tc.wire {
			t.Errorf("%s, octet by octet: %q is sent as %q, want %q", tc.rule, tc.in, wire, tc.wire)
		}
	}
}

func TestDotEncoderDoesNotAllocate(t *testing.T) {
	src := sampleMessage(10 << 10)
	dst := make([]byte, 0, 2*len(src))
	n := testing.AllocsPerRun(10, func() {
		var e DotEncoder
		e.Finish(e.Append(dst, src))
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzDotEncoder(f *testing.F) {
	for _, s := range []string{"", ".", "a\r\n.b", "\n.\n", "\r.\r", "a\r", "a\n", "..\r\n..", "\r\n\r\n.\r\n"} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, content []byte, split uint8) {
		var e DotEncoder
		wire := e.Finish(e.Append(nil, content))
		checkNoEarlyEnd(t, content)

		e.Reset()
		cut := int(split) % (len(content) + 1)
		pieces := e.Finish(e.Append(e.Append(nil, content[:cut]), content[cut:]))
		if !bytes.Equal(wire, pieces) {
			t.Errorf("%q cut at %d is sent as %q, whole as %q", content, cut, pieces, wire)
		}

		want := content
		if len(want) > 0 && !bytes.HasSuffix(want, []byte("\r\n")) {
			want = append(want[:len(want):len(want)], "\r\n"...)
		}
		got, n, done, bare := decodeAll(t, RejectBare, wire)
		if !done || n != len(wire) || bare != hasBareNewline(want) {
			t.Errorf("%q is sent as %q: decoded up to %d, done %v, bare %v", content, wire, n, done, bare)
		}
		if !bare && !bytes.Equal(got, want) {
			t.Errorf("%q is sent as %q and received as %q", content, wire, got)
		}
	})
}

func BenchmarkDotEncoder(b *testing.B) {
	src := sampleMessage(10 << 10)
	dst := make([]byte, 0, 2*len(src))
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		var e DotEncoder
		e.Finish(e.Append(dst, src))
	}
}
