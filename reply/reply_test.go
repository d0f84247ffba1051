package reply

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var compareStatus = cmp.AllowUnexported(Status{})

func TestClassDigitsAlwaysAgree(t *testing.T) {
	for code := Code(0); code < 1000; code++ {
		r := New(code, NewStatus(3, 2), "text")
		e := r.Enhanced()
		switch code.Class() {
		case ClassCompleted, ClassTransient, ClassPermanent:
			if e.Class() != code.Class() || e.String()[0] != code.String()[0] {
				t.Fatalf("%v carries %v", code, e)
			}
		default:
			if !e.IsZero() {
				t.Fatalf("%v carries %v, want none", code, e)
			}
		}
	}
}

func TestCodeGrammar(t *testing.T) {
	for code, want := range map[Code]bool{199: false, 200: true, 259: true, 260: false, 421: true, 499: false, 559: true, 600: false, 0: false} {
		if code.Valid() != want {
			t.Errorf("Valid(%d) = %v", code, !want)
		}
	}
}

func TestOnly221And421Close(t *testing.T) {
	for code := Code(200); code < 600; code++ {
		if code.Closes() != (code == 221 || code == 421) {
			t.Errorf("Closes(%d) = %v", code, code.Closes())
		}
	}
}

func TestAppend(t *testing.T) {
	long := strings.Repeat("word ", 150)
	for _, c := range []struct {
		name  string
		reply Reply
		want  string
	}{
		{"one line", New(250, NewStatus(1, 5), "Recipient ok"), "250 2.1.5 Recipient ok\r\n"},
		{"no text", New(250, Status{}, ""), "250 \r\n"},
		{"no text, enhanced", New(250, Undefined(), ""), "250 2.0.0\r\n"},
		{"354 has no enhanced status code", New(354, NewStatus(0, 0), "Go"), "354 Go\r\n"},
		{"lines", New(550, NewStatus(7, 1), "first\r\nsecond"), "550-5.7.1 first\r\n550 5.7.1 second\r\n"},
		{"control characters", New(451, Status{}, "a\rb\x00c\x7f"), "451 a b c \r\n"},
		{"long", New(421, NewStatus(3, 2), long), "421-4.3.2 " + long[:495] + "\r\n421 4.3.2 " + long[495:] + "\r\n"},
	} {
		if got := string(c.reply.Append(nil)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	r := New(250, NewStatus(1, 5), "Recipient ok")
	buf := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { buf = r.Append(buf[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestParseGood(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Reply
	}{
		{"250 ok\r\n", Reply{Code: 250, Lines: []string{"ok"}}},
		{"250\r\n", Reply{Code: 250}},
		{"250 \r\n", Reply{Code: 250}},
		{"250", Reply{Code: 250}},
		{"421 4.3.2 mx closing\n", Reply{Code: 421, Status: NewStatus(3, 2), Lines: []string{"mx closing"}}},
		{"250-a\r\n250-b\r\n250 c\r\n", Reply{Code: 250, Lines: []string{"a", "b", "c"}}},
		{"550-5.1.1 a\r\n550 5.1.1 b\r\n", Reply{Code: 550, Status: NewStatus(1, 1), Lines: []string{"a", "b"}}},
		{"550-5.1.1 a\r\n550 b\r\n", Reply{Code: 550, Lines: []string{"5.1.1 a", "b"}}},
		{"554 4.4.7 expired\r\n", Reply{Code: 554, Lines: []string{"4.4.7 expired"}}},
		{"250 2.0.0\r\n", Reply{Code: 250, Status: Undefined()}},
		{"550 5.7.1000 x\r\n", Reply{Code: 550, Lines: []string{"5.7.1000 x"}}},
		{"550 5.07.1 x\r\n", Reply{Code: 550, Lines: []string{"5.07.1 x"}}},
		{"570 5.7.0 x\r\n", Reply{Code: 570, Status: NewStatus(7, 0), Lines: []string{"x"}}},
	} {
		got, err := Parse(c.in)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if d := cmp.Diff(c.want, got, compareStatus); d != "" {
			t.Errorf("%q: %s", c.in, d)
		}
	}
}

func TestParseBad(t *testing.T) {
	for in, want := range map[string]error{
		"":                                ErrIncomplete,
		"25":                              ErrMalformed,
		"250-a\r\n":                       ErrIncomplete,
		"250-a\r\n251 b\r\n":              ErrMixedCodes,
		"abc def\r\n":                     ErrMalformed,
		"250x\r\n":                        ErrMalformed,
		"199 low\r\n":                     ErrInvalidCode,
		"600 high\r\n":                    ErrInvalidCode,
		"000\r\n":                         ErrInvalidCode,
		"250 " + strings.Repeat("x", 4e3): ErrTooLong,
		strings.Repeat("250-x\r\n", 129):  ErrTooMany,
	} {
		if _, err := Parse(in); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", in, err, want)
		}
	}
}

func TestParseEnhanced(t *testing.T) {
	for in, want := range map[string]string{
		"4.3.2 text": "4.3.2", "5.7.999": "5.7.999", "2.0.0 ": "2.0.0",
		"3.0.0 x": "", "5.7": "", "5.7.": "", "5..1": "", "5.7.1x": "", "x": "", "5.7.1.2": "", "5,7,1": "",
	} {
		e, rest, ok := ParseEnhanced(in)
		if e.String() != want || ok != (want != "") {
			t.Errorf("%q: %v %v", in, e, ok)
		}
		if !ok && rest != in {
			t.Errorf("%q: rest %q", in, rest)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("250-2.1.0 a\r\n250 2.1.0 b\r\n")
	f.Add("554 4.4.7 x")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s)
		if err != nil {
			return
		}
		wire := string(r.Append(nil))
		for line := range strings.Lines(wire) {
			if len(line) > MaxLine || !strings.HasSuffix(line, "\r\n") {
				t.Fatalf("bad line %q from %q", line, s)
			}
		}
		again, err := Parse(wire)
		if err != nil && !errors.Is(err, ErrTooMany) {
			t.Fatalf("%q: written as %q: %v", s, wire, err)
		}
		if err == nil && again.Code != r.Code {
			t.Fatalf("%q: code %v became %v", s, r.Code, again.Code)
		}
	})
}
