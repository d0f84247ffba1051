package conformance

import (
	"strings"
	"testing"
)

func TestParseSaysWhatIsWrong(t *testing.T) {
	for _, tc := range []struct{ name, file, source, want string }{
		{"the name of the file", "ehlo.txt", "", "ehlo.txt:1: the file is to be named"},
		{"a step before a dialogue", "", "hello", ":1: a dialogue begins with ==="},
		{"no name", "", "===\nMUST\nhello", ":1: the dialogue has no name"},
		{"the same name twice", "", "=== a\nMUST\nhello\n=== a\nMUST\nhello", ":4: the dialogue of line 1"},
		{"no level", "", "=== a\nhello", ":2: levels are MUST, SHOULD, MAY, WEIR"},
		{"half a section", "", "=== a\nMUST 5321\nhello", ":2: behind the level"},
		{"no steps", "", "=== a\nMUST\n=== b\nMUST\nhello", ":1: the dialogue has no steps"},
		{"needs behind steps", "", "=== a\nMUST\nhello\nneeds SIZE", ":4: needs stands before"},
		{"no step", "", "=== a\nMUST\nsay hello", `:3: "say" is no step`},
		{"an escape", "", `=== a` + "\nMUST\n" + `C: \q`, ":3: unknown escape"},
		{"a backslash at the end", "", `=== a` + "\nMUST\n" + `C: \`, ":3: a backslash at the end"},
		{"an open brace", "", "=== a\nMUST\nC: {sender", ":3: a brace is not closed"},
		{"an open brace with a text", "", "=== a\nMUST\nC: {base64 x", ":3: a brace is not closed"},
		{"a closing brace", "", "=== a\nMUST\nC: x}", ":3: a closing brace"},
		{"a variable", "", "=== a\nMUST\nC: {nobody}", ":3: there is no variable {nobody}"},
		{"a function", "", "=== a\nMUST\nC: {reverse abc}", ":3: {reverse …} is not known"},
		{"a count", "", "=== a\nMUST\nC: {repeat many x}", ":3: there is no variable {many}"},
		{"no code", "", "=== a\nMUST\nS:", ":3: a code is missing"},
		{"a code", "", "=== a\nMUST\nS: 600", `:3: "600" is no code`},
		{"only closed", "", "=== a\nMUST\nS: closed", ":3: only closed"},
		{"a repetition", "", "=== a\nMUST\ntimes 0", ":3: times takes a number"},
		{"open lines", "", "=== a\nMUST\nC: {lines 3", ":3: a brace is not closed"},
		{"a pause", "", "=== a\nMUST\nwait long", ":3: time: invalid duration"},
	} {
		file := tc.file
		if file == "" {
			file = "rfc5321-4.1.txt"
		}
		_, err := Parse(file, tc.source)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.want)
		}
	}
}

func TestTextIsExpanded(t *testing.T) {
	values := map[string]string{"sender": "a@b.test", "size": "10", "user": "u", "password": "p"}
	for _, tc := range []struct{ source, want string }{
		{``, "\r\n"},
		{`a\c`, "a"},
		{`\r\n\t\0\\\{\}\xff\c`, "\r\n\t\x00\\{}\xff"},
		{`<{sender}>\c`, "<a@b.test>"},
		{`{size+1} {size-1}\c`, "11 9"},
		{`{repeat 3 ab}c\c`, "abababc"},
		{`{repeat size+1 x}\c`, "xxxxxxxxxxx"},
		{`{lines 10}\c`, "abcdefgh\r\n"},
		{`{length {lines size+100}}\c`, "110"},
		{`{length {repeat 3 ab}}\c`, "6"},
		{`{base64 \0{user}\0{password}}\c`, "AHUAcA=="},
	} {
		parsed, err := parseText(tc.source)
		if err != nil {
			t.Errorf("%s: %v", tc.source, err)
			continue
		}
		got, err := parsed.expand(nil, values)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: got %q, %v, want %q", tc.source, got, err, tc.want)
		}
	}
}

func TestTextThatCannotBeExpanded(t *testing.T) {
	for source, want := range map[string]string{
		`{sender}`:                      "there is no value for {sender}",
		`{repeat size x}`:               "there is no value for {size}",
		`{user+1}`:                      "no number",
		`{repeat 70000000 x}`:           "more than",
		`{repeat 9000 {repeat 9000 x}}`: "more than",
	} {
		parsed, err := parseText(source)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsed.expand(nil, map[string]string{"user": "u"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", source, err, want)
		}
	}
}

func TestExpectation(t *testing.T) {
	one := &response{"504", []string{"5.5.4 No such thing; offered here: PLAIN"}}
	two := &response{"250", []string{"2.0.0 One", "2.0.0 Two"}}
	bare := &response{"250", []string{"2.0.0 One", "Two"}}
	for _, tc := range []struct {
		source string
		reply  *response
		want   bool
	}{
		{"504", one, true},
		{"501|504", one, true},
		{"5yz", one, true},
		{"504|closed", one, true},
		{"501", one, false},
		{"4yz", one, false},
		{"not 501", one, true},
		{"not 501|504", one, false},
		{"not 5yz", one, false},
		{"504 5.5.4", one, true},
		{"504 5.*.4", one, true},
		{"504 5.7.4", one, false},
		{"250 2.0.0", two, true},
		{"250 2.0.0", bare, false},
		{"504 *OFFERED*plain*", one, true},
		{"504 5.5.4 *plain*offered*", one, false},
		{"250 *two", two, true},
	} {
		e, err := parseExpectation(tc.source)
		if err != nil {
			t.Errorf("%s: %v", tc.source, err)
			continue
		}
		if err := e.match(tc.reply, true); (err == nil) != tc.want {
			t.Errorf("%s and %s: %v", tc.source, tc.reply, err)
		}
	}
	e, _ := parseExpectation("504 5.9.9")
	if err := e.match(one, false); err != nil {
		t.Errorf("a status that is not offered is looked at: %v", err)
	}
}

// FuzzParse: a file is taken, or refused with its line.
func FuzzParse(f *testing.F) {
	dialogues, err := files.ReadDir("dialogues")
	if err != nil {
		f.Fatal(err)
	}
	for _, d := range dialogues {
		source, err := files.ReadFile("dialogues/" + d.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(source))
	}
	f.Add("=== a\nSHOULD 1 2\nneeds !A=b tls:C\ntimes 3\nC: {lines size+1}{length {base64 x}}\\c\nS: 2 x not 5yz|closed 5.*.1 *a*\ngiven X\nwait 1ms")
	f.Fuzz(func(t *testing.T, source string) {
		some, err := Parse("rfc5321-4.1.txt", source)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "rfc5321-4.1.txt:") {
				t.Errorf("no place in %v", err)
			}
			return
		}
		for _, d := range some {
			d.unbound()
		}
	})
}
