package smtp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMailGood(t *testing.T) {
	user := Path{"user", "example.org"}
	for _, tc := range []struct {
		rule, args string
		path       Path
		params     []Param
	}{
		{"4.1.1.2 plain", "FROM:<user@example.org>", user, nil},
		{"4.1.1.2 case of FROM", "from:<user@example.org>", user, nil},
		{"4.1.1.2 null", "FROM:<>", Path{}, nil},
		{"4.1.1.2 null with parameter", "FROM:<> SIZE=1", Path{}, []Param{{"SIZE", "1", true}}},
		{"tolerated space after FROM:", "FROM: <user@example.org>", user, nil},
		{"tolerated spaces before and after FROM:", "  FROM:   <user@example.org>", user, nil},
		{"tolerated space at the end", "FROM:<user@example.org>  ", user, nil},
		{"tolerated spaces between parameters", "FROM:<user@example.org>  SIZE=1   RET=FULL ", user, []Param{{"SIZE", "1", true}, {"RET", "FULL", true}}},
		{"4.1.2 keyword in any case", "FROM:<user@example.org> sIzE=1 x-Other=y", user, []Param{{"SIZE", "1", true}, {"X-OTHER", "y", true}}},
		{"4.1.2 keyword without value", "FROM:<user@example.org> SMTPUTF8 REQUIRETLS", user, []Param{{"SMTPUTF8", "", false}, {"REQUIRETLS", "", false}}},
		{"4.1.2 value untouched", "FROM:<user@example.org> ENVID=a+2Bb BODY=8bitmime", user, []Param{{"ENVID", "a+2Bb", true}, {"BODY", "8bitmime", true}}},
		{"RFC 4954 AUTH", "FROM:<user@example.org> AUTH=<>", user, []Param{{"AUTH", "<>", true}}},
		{"4.1.2 keyword of a digit", "FROM:<user@example.org> 8", user, []Param{{"8", "", false}}},
		{"RFC 6531 value", "FROM:<δ@example.org> X=δ", Path{"δ", "example.org"}, []Param{{"X", "δ", true}}},
		{"4.1.2 quoted local part with bracket and space", `FROM:<"a> SIZE=1"@example.org> SIZE=2`, Path{"a> SIZE=1", "example.org"}, []Param{{"SIZE", "2", true}}},
		{"C source route", "FROM:<@a.example:user@example.org>", user, nil},
	} {
		given := []Param{{"SIZE", "of another command", true}}
		p, params, err := ParseMail([]byte(tc.args), given)
		if err != nil || p != tc.path {
			t.Errorf("%s: ParseMail(%q) = %q, %v; want %q", tc.rule, tc.args, p, err, tc.path)
			continue
		}
		if diff := cmp.Diff(append(given, tc.params...), params); diff != "" {
			t.Errorf("%s: parameters of %q:\n%s", tc.rule, tc.args, diff)
		}
	}
}

func TestParseRcptGood(t *testing.T) {
	for args, want := range map[string]Path{
		"TO:<user@example.org>":                     {"user", "example.org"},
		"to: <user@example.org> NOTIFY=NEVER":       {"user", "example.org"},
		"TO:<Postmaster>":                           {"Postmaster", ""},
		"TO:<postmaster> ORCPT=rfc822;x@y":          {"postmaster", ""},
		"TO:<Postmaster@example.org>":               {"Postmaster", "example.org"},
		"TO:<@a.example,@b.example:user@[::1]>":     {},
		"TO:<@a.example,@b.example:u@[IPv6:::1]>":   {"u", "[IPv6:::1]"},
		`TO:<""@example.org>`:                       {"", "example.org"},
		"TO:<user@example.org> NOTIFY=NEVER,NEVER ": {"user", "example.org"},
	} {
		p, _, err := ParseRcpt([]byte(args), nil)
		if (err == nil) != (want != Path{}) || p != want {
			t.Errorf("ParseRcpt(%q) = %q, %v; want %q", args, p, err, want)
		}
	}
}

func TestParseMailBad(t *testing.T) {
	for _, tc := range []struct {
		rule, args string
		part       Part
		offset     int
	}{
		{"4.1.1.2 nothing", "", PartCommand, 0},
		{"4.1.1.2 TO", "TO:<a@b>", PartCommand, 0},
		{"4.1.1.2 no colon", "FROM <a@b>", PartCommand, 0},
		{"4.1.1.2 colon apart", "FROM :<a@b>", PartCommand, 0},
		{"4.1.1.2 cut off", "FRO", PartCommand, 0},
		{"4.1.1.2 no path", "FROM:", PartBrackets, 5},
		{"4.1.1.2 no brackets", "FROM:a@example.org", PartBrackets, 5},
		{"4.1.1.2 no brackets, with a name", "FROM: Someone <a@example.org>", PartBrackets, 6},
		{"4.1.1.2 parameter for a path", "FROM: SIZE=1", PartBrackets, 6},
		{"4.1.1.2 tab after FROM:", "FROM:\t<a@b>", PartBrackets, 5},
		{"4.1.1.2 no closing bracket", "FROM:<a@b", PartBrackets, 9},
		{"4.1.1.2 no closing bracket, parameter", "FROM:<a@b SIZE=1", PartDomain, 9},
		{"4.1.1.2 local part only", "FROM:<Postmaster>", PartDomain, 16},
		{"4.1.2 no space before parameters", "FROM:<a@b>SIZE=1", PartParam, 10},
		{"4.1.2 junk after the path", "FROM:<a@b>> SIZE=1", PartParam, 10},
		{"4.1.2 tab before parameters", "FROM:<a@b>\tSIZE=1", PartParam, 10},
		{"4.1.2 null and junk", "FROM:<>x", PartParam, 7},
		{"4.1.2 keyword missing", "FROM:<a@b> =1", PartParam, 11},
		{"4.1.2 keyword starts with hyphen", "FROM:<a@b> -A=1", PartParam, 11},
		{"4.1.2 keyword with underscore", "FROM:<a@b> A_B=1", PartParam, 12},
		{"4.1.2 keyword with UTF-8", "FROM:<a@b> \u212aEY=1", PartParam, 11},
		{"4.1.2 value missing", "FROM:<a@b> SIZE=", PartParam, 16},
		{"4.1.2 value missing before another", "FROM:<a@b> SIZE= BODY=7BIT", PartParam, 16},
		{"4.1.2 equals sign in value", "FROM:<a@b> ENVID=a=b", PartParam, 18},
		{"4.1.2 NUL in value", "FROM:<a@b> ENVID=a\x00b", PartParam, 18},
		{"4.1.2 tab in value", "FROM:<a@b> ENVID=a\tb", PartParam, 18},
		{"4.1.2 CR in value", "FROM:<a@b> ENVID=a\rRSET", PartParam, 18},
		{"4.1.2 LF in keyword", "FROM:<a@b> ENV\nID", PartParam, 14},
		{"RFC 6531 invalid UTF-8 in value", "FROM:<a@b> X=\xff", PartParam, 13},
		{"RFC 6531 C1 control in value", "FROM:<a@b> X=a\u0085", PartParam, 14},
		{"RFC 3461 4.5 twice", "FROM:<a@b> RET=FULL ret=HDRS", PartParam, 20},
		{"too many", "FROM:<a@b>" + manyParams(MaxParams+1), PartParam, 10 + len(manyParams(MaxParams)) + 1},
	} {
		given := []Param{{"SIZE", "given before", true}}
		p, params, err := ParseMail([]byte(tc.args), given)
		wantSyntaxError(t, tc.args, err, tc.part)
		if se := err.(*SyntaxError); se.Offset != tc.offset {
			t.Errorf("%s: %v; want it at %d", tc.rule, se, tc.offset)
		}
		if !p.IsNull() || len(params) != 1 || params[0] != given[0] {
			t.Errorf("%s: %q and %v beside the error", tc.rule, p, params)
		}
	}
}

func TestParseMailTakesAsManyParametersAsItSays(t *testing.T) {
	_, params, err := ParseMail([]byte("FROM:<a@b>"+manyParams(MaxParams)), nil)
	if err != nil || len(params) != MaxParams {
		t.Errorf("%d parameters, %v", len(params), err)
	}
}

func manyParams(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " P%d=1", i)
	}
	return b.String()
}

func TestParseRcptBad(t *testing.T) {
	for args, part := range map[string]Part{
		"":                             PartCommand,
		"FROM:<a@b>":                   PartCommand,
		"TO:<>":                        PartPath,
		"TO: <> NOTIFY=NEVER":          PartPath,
		"TO:a@example.org":             PartBrackets,
		"TO:<user>":                    PartDomain,
		"TO:<postmaster2>":             PartDomain,
		"TO:<user@>":                   PartDomain,
		"TO:<@a.example:>":             PartLocal,
		"TO:<a@b>ORCPT=rfc822;x":       PartParam,
		"TO:<a@b> <c@d>":               PartParam,
		"TO:<a@b>,<c@d>":               PartParam,
		"TO:<a@b>\r\nDATA":             PartParam,
		"TO:<a@b> NOTIFY=NEVER notify": PartParam,
	} {
		_, _, err := ParseRcpt([]byte(args), nil)
		wantSyntaxError(t, args, err, part)
	}
}

func TestParseMailAllocatesLittle(t *testing.T) {
	args := []byte("FROM:<someone@example.org> SIZE=10240 BODY=8BITMIME")
	params := make([]Param, 0, 4)
	// The path and the two values.
	if n := testing.AllocsPerRun(100, func() { _, _, _ = ParseMail(args, params) }); n > 3 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseMail(f *testing.F) {
	for _, s := range []string{
		"FROM:<a@example.org>", "FROM: <> SIZE=1 BODY=8BITMIME", "from:<@a,@b:\"c d\"@[192.0.2.1]>  AUTH=<> SMTPUTF8",
		"FROM:<δ@δ.org> ENVID=a+2B RET=FULL", "FROM:<a@b>x", "FROM:a@b", "FROM:<a@b> A=1 a=2", "FROM:<a@b> A=\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, args []byte) {
		p, params, err := ParseMail(args, nil)
		if err != nil {
			wantSyntaxError(t, string(args), err, err.(*SyntaxError).Part)
			return
		}
		if p.Domain == "" && !p.IsNull() {
			t.Errorf("%q has no domain", p)
		}
		checkCommandReadsBack(t, "FROM:", p, params, ParseMail)
	})
}

func FuzzParseRcpt(f *testing.F) {
	for _, s := range []string{
		"TO:<a@example.org>", "TO:<Postmaster> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@b", "to: <@a:\"\\\"\"@b>", "TO:<>", "TO:<user>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, args []byte) {
		p, params, err := ParseRcpt(args, nil)
		if err != nil {
			wantSyntaxError(t, string(args), err, err.(*SyntaxError).Part)
			return
		}
		if p.IsNull() || p.Domain == "" && !p.IsPostmaster() {
			t.Errorf("%q as a recipient", p)
		}
		checkCommandReadsBack(t, "TO:", p, params, ParseRcpt)
	})
}

// checkCommandReadsBack writes a command as a client would and parses that.
func checkCommandReadsBack(t *testing.T, word string, p Path, params []Param, parse func([]byte, []Param) (Path, []Param, error)) {
	t.Helper()
	line := p.Append([]byte(word))
	for _, param := range params {
		line = append(append(line, ' '), param.Keyword...)
		if param.HasValue {
			line = append(append(line, '='), param.Value...)
		}
	}
	q, again, err := parse(line, nil)
	if err != nil || q != p || !cmp.Equal(params, again) {
		t.Errorf("%q and %v wrote %q, which reads as %q, %v, %v", p, params, line, q, again, err)
	}
	for _, c := range line {
		if isControl(c) {
			t.Errorf("control character in %q", line)
		}
	}
}
