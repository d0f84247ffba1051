package smtp

import (
	"fmt"
	"testing"
)

func TestPriority(t *testing.T) {
	for p := MinPriority; p <= MaxPriority; p++ {
		if got, err := ParsePriority(p.String()); err != nil || got != p || p.String() != fmt.Sprint(int(p)) {
			t.Errorf("%d writes %q, which reads as %v, %v", int(p), p, got, err)
		}
	}
	for _, s := range []string{"", "-", "-0", "+1", "10", "-10", "01", " 1", "1 ", "1.", "--1", "x", "\u0661", "1\x00"} {
		got, err := ParsePriority(s)
		wantSyntaxError(t, s, err, PartValue)
		if got != 0 {
			t.Errorf("ParsePriority(%q): %v beside the error", s, got)
		}
	}
}

func FuzzParsePriority(f *testing.F) {
	for _, s := range []string{"0", "-9", "9", "-0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := ParsePriority(s); err == nil && p.String() != s {
			t.Errorf("%q reads as %q", s, p)
		}
	})
}
