package smtp

import (
	"strings"
	"testing"
)

func TestParseBody(t *testing.T) {
	for s, want := range map[string]Body{
		"7BIT": Body7Bit, "7bit": Body7Bit, "8BITMIME": Body8BitMIME, "8BitMime": Body8BitMIME, "BINARYMIME": BodyBinaryMIME,
	} {
		if got, err := ParseBody(s); err != nil || got != want || !strings.EqualFold(got.String(), s) {
			t.Errorf("ParseBody(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "8BIT", "BINARY", "8BITMIME ", "7\u212aBIT"} {
		_, err := ParseBody(s)
		wantSyntaxError(t, s, err, PartValue)
	}
}

func TestParseRet(t *testing.T) {
	for s, want := range map[string]Ret{"FULL": RetFull, "full": RetFull, "HDRS": RetHeaders, "hdrs": RetHeaders} {
		if got, err := ParseRet(s); err != nil || got != want || !strings.EqualFold(got.String(), s) {
			t.Errorf("ParseRet(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "HEADERS", "FULL,HDRS"} {
		_, err := ParseRet(s)
		wantSyntaxError(t, s, err, PartValue)
	}
	if RetUnset.String() != "" {
		t.Errorf("RetUnset writes %q", RetUnset)
	}
}

func TestParseNotify(t *testing.T) {
	for _, tc := range []struct {
		in, out string
		want    Notify
	}{
		{"NEVER", "NEVER", NotifyNever},
		{"never", "NEVER", NotifyNever},
		{"SUCCESS", "SUCCESS", NotifySuccess},
		{"DELAY,failure", "FAILURE,DELAY", NotifyDelay | NotifyFailure},
		{"DELAY,FAILURE,SUCCESS", "SUCCESS,FAILURE,DELAY", NotifySuccess | NotifyFailure | NotifyDelay},
	} {
		if got, err := ParseNotify(tc.in); err != nil || got != tc.want || got.String() != tc.out {
			t.Errorf("ParseNotify(%q) = %q, %v; want %q", tc.in, got, err, tc.out)
		}
	}
	if got := Notify(0).String(); got != "" {
		t.Errorf("nothing writes %q", got)
	}
}

func TestParseNotifyBad(t *testing.T) {
	for rule, s := range map[string]string{
		"empty":               "",
		"unknown":             "ALWAYS",
		"empty word":          "SUCCESS,",
		"empty word first":    ",SUCCESS",
		"4.1 NEVER, another":  "NEVER,DELAY",
		"4.1 another, NEVER":  "DELAY,NEVER",
		"twice":               "DELAY,delay",
		"NEVER twice":         "NEVER,NEVER",
		"space":               "SUCCESS, DELAY",
		"wrong separator":     "SUCCESS;DELAY",
		"a number of repeats": strings.Repeat("SUCCESS,", 1000),
	} {
		got, err := ParseNotify(s)
		wantSyntaxError(t, rule+": "+s, err, PartValue)
		if got != 0 {
			t.Errorf("%s: %v beside the error", rule, got)
		}
	}
}

func TestParseEnvID(t *testing.T) {
	for s, want := range map[string]string{
		"QQ314159":                         "QQ314159",
		"a+2Bb+3Dc+20d":                    "a+b=c d",
		strings.Repeat("x", MaxEnvID):      strings.Repeat("x", MaxEnvID),
		strings.Repeat("+2B", MaxEnvID):    strings.Repeat("+", MaxEnvID),
		"<id@example.org>":                 "<id@example.org>",
		"":                                 "",
		"a+":                               "",
		"a b":                              "",
		"a=b":                              "",
		"+0D+0ABcc:+20x":                   "",
		"+00":                              "",
		"+7F":                              "",
		"+09":                              "",
		"+C3+A4":                           "",
		strings.Repeat("x", MaxEnvID+1):    "",
		strings.Repeat("+41", MaxEnvID+1):  "",
		"\u00e4":                           "",
		strings.Repeat("x", 1<<16) + "+00": "",
	} {
		got, err := ParseEnvID(s)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseEnvID(%q) = %q, %v; want %q", s, got, err, want)
		}
		if err != nil {
			wantSyntaxError(t, s, err, PartValue)
		}
	}
}

func TestParseMailAuth(t *testing.T) {
	for s, want := range map[string]string{
		"<>":                      "<>",
		"user@example.org":        "<user@example.org>",
		"e+3Dmc2@example.com":     "<e=mc2@example.com>",
		"+22a+20b+22@example.org": `<"a b"@example.org>`,
	} {
		if p, err := ParseMailAuth(s); err != nil || p.String() != want {
			t.Errorf("ParseMailAuth(%q) = %q, %v; want %q", s, p, err, want)
		}
	}
	for _, s := range []string{
		"", "<user@example.org>", "+3Cuser@example.org+3E", "user", "a=b@example.org", "user@example.org+0D+0A", "user+0A@example.org", "+",
	} {
		p, err := ParseMailAuth(s)
		if err == nil || !p.IsNull() {
			t.Errorf("ParseMailAuth(%q) = %q, %v", s, p, err)
		}
	}
}

func FuzzParameterValues(f *testing.F) {
	for _, s := range []string{"", "NEVER", "SUCCESS,FAILURE,DELAY", "8BITMIME", "FULL", "a+2Bb", "<>", "user@example.org", "1024", "rfc822;a@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseNotify(s); err == nil {
			if again, err := ParseNotify(n.String()); err != nil || again != n {
				t.Errorf("NOTIFY %q: %q reads as %v, %v", s, n, again, err)
			}
		}
		if b, err := ParseBody(s); err == nil && !strings.EqualFold(b.String(), s) {
			t.Errorf("BODY %q became %v", s, b)
		}
		if r, err := ParseRet(s); err == nil && !strings.EqualFold(r.String(), s) {
			t.Errorf("RET %q became %v", s, r)
		}
		if id, err := ParseEnvID(s); err == nil {
			wire := string(AppendXtext(nil, id))
			if again, err := ParseEnvID(wire); err != nil || again != id {
				t.Errorf("ENVID %q: %q reads as %q, %v", s, wire, again, err)
			}
		}
		if p, err := ParseMailAuth(s); err == nil && p.Check() != nil {
			t.Errorf("AUTH %q became %q: %v", s, p, p.Check())
		}
		if n, err := ParseSize(s); err == nil && n < 0 {
			t.Errorf("SIZE %q became %d", s, n)
		}
	})
}
