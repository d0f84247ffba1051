package smtp

import (
	"bytes"
	"fmt"
	"math"
	"testing"
)

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{
		"0":                    0,
		"1":                    1,
		"00000000000000000512": 512,
		"10485760":             10485760,
		"9223372036854775807":  math.MaxInt64,
		"9223372036854775808":  math.MaxInt64,
		"99999999999999999999": math.MaxInt64,
	} {
		if got, err := ParseSize(s); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "-1", "+1", "1k", "0x10", " 1", "1 ", "1.5", "x", "000000000000000000001", "\u0661"} {
		_, err := ParseSize(s)
		wantSyntaxError(t, s, err, PartValue)
	}
}

func TestParseBDAT(t *testing.T) {
	for s, want := range map[string]string{
		"0":                        "0 false",
		"1000":                     "1000 false",
		"86 LAST":                  "86 true",
		"0 last":                   "0 true",
		" 5  LAST ":                "5 true",
		"9223372036854775807":      "9223372036854775807 false",
		"00000000000000000000005":  "5 false",
		"9223372036854775807 LAST": "9223372036854775807 true",
	} {
		size, last, err := ParseBDAT([]byte(s))
		if got := fmt.Sprint(size, last); err != nil || got != want {
			t.Errorf("ParseBDAT(%q) = %s, %v; want %s", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", " ", "LAST", "-1", "1k", "9223372036854775808", "99999999999999999999999", "1 FIRST", "1 LAST x", "1 LASTX", "1 2", "1LAST", "1\tLAST", "1\x00",
	} {
		size, last, err := ParseBDAT([]byte(s))
		wantSyntaxError(t, s, err, PartArgument)
		if size != 0 || last {
			t.Errorf("ParseBDAT(%q): %d, %v beside the error", s, size, last)
		}
	}
}

func FuzzParseBDAT(f *testing.F) {
	f.Add([]byte("86 LAST"))
	f.Add([]byte("9223372036854775808"))
	f.Fuzz(func(t *testing.T, args []byte) {
		size, last, err := ParseBDAT(args)
		if err != nil {
			wantSyntaxError(t, string(args), err, PartArgument)
			return
		}
		if size < 0 || last != bytes.Contains(bytes.ToUpper(args), []byte("LAST")) {
			t.Errorf("%q became %d, %v", args, size, last)
		}
	})
}
