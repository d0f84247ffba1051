package smtptest

import (
	"errors"
	"strings"
	"testing"
)

func TestParseTakes(t *testing.T) {
	for name, text := range map[string]string{
		"a greeting":                  "S: 220 hello\n",
		"comments and empty lines":    "# what\n\nS: 220 hello\n",
		"CRLF line ends":              "S: 220 hello\r\nC: QUIT\r\n",
		"an empty line that is said":  "S:\n",
		"escapes":                     `S: 220 \r\n\t\0\\\*\x41\c` + "\n",
		"a pattern":                   "C: MAIL FROM:<*> SIZE=*\n",
		"data":                        "C: <data>\n",
		"data of a size":              "C: <data 0>\n",
		"data with content":           "C: <data>\n| Subject: x\n|\n| .\n",
		"chunks":                      "C: <bdat>\nC: <bdat 1>\nC: <bdat more>\nC: <bdat 1 last>\n",
		"a whole reply":               "S: <reply 250*>\n",
		"the end of a side":           "C: <eof>\nS: 221 bye\n",
		"every directive":             "wait 1s\nstarttls\nclose\n--- connection\nreset\n--- connection\nstall\n--- connection\ndrain\n",
		"handshakes that end badly":   "starttls refuse\n--- connection\nstarttls fails\n",
		"a title for a connection":    "--- connection the second one\nS: 220 hello\n",
		"a connection without script": "--- connection\n",
		"an angle bracket in a line":  "C: <data\n",
		"UTF-8":                       "C: RCPT TO:<jörg@example.net>\n",
	} {
		d, err := Parse("x", text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := Parse("x", d.String())
		if err != nil || again.String() != d.String() {
			t.Errorf("%s: not the same after a round trip: %v\n%s", name, err, d)
		}
	}
}

func TestParseRefusesWithLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                    {"", "x:1: the dialogue is empty"},
		"only comments":              {"# a\n# b\n", "x:2: the dialogue is empty"},
		"an unknown word":            {"S: 220 a\nhang up\n", `x:2: "hang up" is neither`},
		"another speaker":            {"X: 220 a\n", `x:1: "X: 220 a" is neither`},
		"lower case":                 {"s: 220 a\n", "is neither"},
		"no space":                   {"S:220 a\n", "exactly one space"},
		"two spaces":                 {"S:  220 a\n", "exactly one space"},
		"space at the end":           {"S: 220 a \n", "white space at the end"},
		"tab at the end":             {"S: 220 a\t\n", "white space at the end"},
		"a control character":        {"S: 220 a\x00b\n", "a control character"},
		"an unknown escape":          {`S: 220 \q` + "\n", "unknown escape"},
		"a backslash at the end":     {`S: 220 \` + "\n", "backslash at the end"},
		"half an escape":             {`S: 220 \x4` + "\n", "two hexadecimal digits"},
		"no hexadecimal digits":      {`S: 220 \xzz` + "\n", "two hexadecimal digits"},
		"no line end in the middle":  {`S: 220 \c a` + "\n", `\c before the end`},
		"data from the server":       {"S: <data>\n", `<data> is not known after "S:"`},
		"a reply from the client":    {"C: <reply 250*>\n", `not known after "C:"`},
		"an unknown special":         {"C: <dota>\n", "<dota> is not known"},
		"a size that is none":        {"C: <data ten>\n", `"ten" is not a size`},
		"a size below zero":          {"C: <data -1>\n", "is not a size"},
		"a size beyond reason":       {"C: <data 99999999999>\n", "is not a size"},
		"two sizes":                  {"C: <data 1 2>\n", "is not a size"},
		"data that is the last":      {"C: <data last>\n", "is not a size"},
		"both last and more":         {"C: <bdat last more>\n", "is not a size"},
		"content without data":       {"C: DATA\n| text\n", `without a <data>`},
		"content before all":         {"| text\n", `without a <data>`},
		"content without its space":  {"C: <data>\n|text\n", "one space follows"},
		"a duration that is none":    {"wait long\n", "is not a duration"},
		"a duration below zero":      {"wait -1s\n", "is not a duration"},
		"something behind the close": {"close\nS: 220 a\n", `nothing can follow "close" on line 1`},
		"something behind a refusal": {"starttls refuse\nS: 220 a\n", "nothing can follow"},
		"a title without a space":    {"--- connections\n", "is followed by a space"},
	} {
		_, err := Parse("x", c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %q, want %q in it", name, err, c.want)
		}
		if parseErr, ok := errors.AsType[*ParseError](err); !ok || parseErr.Line == 0 {
			t.Errorf("%s: no *ParseError with a line: %v", name, err)
		}
	}
}

func TestParseReportsEveryLineAtFault(t *testing.T) {
	_, err := Parse("x", "S:220\nC: QUIT\nbye\n")
	if err == nil || !strings.Contains(err.Error(), "x:1:") || !strings.Contains(err.Error(), "x:3:") {
		t.Errorf("got %v, want lines 1 and 3", err)
	}
}

func TestPatternMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"QUIT", "QUIT", true},
		{"QUIT", "QUIT ", false},
		{"QUIT", "quit", false},
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "anything", true},
		{"EHLO *", "EHLO ", true},
		{"EHLO *", "EHLO", false},
		{"*a*b*", "xxaxxbxx", true},
		{"*a*b*", "xxbxxaxx", false},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"*ab", "abab", true},
		{"a*b*c", "abcbc", true},
		{"**", "a", true},
		{`\*`, "*", true},
		{`\*`, "a", false},
		{`\x41\0`, "A\x00", true},
		{"250*PIPELINING*", "250-mx\n250-PIPELINING\n250 HELP", true},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil {
			t.Fatalf("%q: %v", c.pattern, err)
		}
		if got := p.match(c.text); got != c.want {
			t.Errorf("pattern %q, text %q: %v, want %v", c.pattern, c.text, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 PIPELINING\nC: DATA\nS: 354 go\nC: <data 10>\n| a\n|\n| \\.b\\c\nclose\n",
		"# c\n--- connection two\nstarttls\nC: <bdat 3 last>\nwait 1m\nstall\n--- connection\nS: <reply 2*>\nC: <eof>\n",
		"S: \\x20\\r\\n\\t\\0\\\\\\*\n", "starttls refuse\r\n", "C:\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse("fuzz", text)
		if err != nil {
			return
		}
		again, err := Parse("fuzz", d.String())
		if err != nil {
			t.Fatalf("its own text is refused: %v\n%s", err, d)
		}
		if again.String() != d.String() {
			t.Fatalf("not the same after a round trip:\n%s\n---\n%s", d, again)
		}
	})
}
