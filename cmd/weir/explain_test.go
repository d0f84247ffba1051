package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/weirmail/weir/internal/prose"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog"
)

func english(t *testing.T) *catalog.Catalog {
	t.Helper()
	c := catalog.In("en")
	if c.Language.Tag != "en" {
		t.Fatal("no English")
	}
	return c
}

// The pages as they look in a terminal.
func TestPagesOfReplies(t *testing.T) {
	explained := func(input string) func(io.Writer) error {
		return func(w io.Writer) error {
			e := &explainer{cat: english(t), paper: &paper{out: w, columns: columns}, out: w}
			return e.explain(input)
		}
	}
	printed(t, "explain-504", explained("504"))
	printed(t, "explain-550", explained("550"))
	printed(t, "explain-4.5.3", explained("4.5.3"))
	printed(t, "explain-greylisting", explained("450 4.7.1 Greylisted, try again in 300 seconds"))
	printed(t, "explain-conflict", explained("554 4.4.7 Message expired"))
	printed(t, "explain-gmail", explained("421-4.7.28 Our system has detected an unusual rate of mail originating from your IP address. gsmtp"))
	printed(t, "explain-weir", explained("504 5.5.4 AUTH mechanism CRAM-MD5 is not available; offered here: PLAIN; reason=auth-mechanism"))
	compared := func(codes ...reply.Code) func(io.Writer) error {
		return func(w io.Writer) error {
			e := &explainer{cat: english(t), paper: &paper{out: w, columns: columns}, out: w}
			return e.compare(codes)
		}
	}
	printed(t, "compare-421-504", compared(421, 504))
	printed(t, "compare-421-555", compared(421, 555))
	printed(t, "compare-three", compared(450, 451, 550))
}

// No line of a page is wider than the page, but what has no blank to break at
// and dialogues, which are shown as they go over the wire.
func TestPagesAreNarrow(t *testing.T) {
	for _, language := range catalog.Languages() {
		c := catalog.In(language.Tag)
		for _, page := range c.Codes() {
			var out bytes.Buffer
			e := &explainer{cat: c, paper: &paper{out: &out, columns: columns}, out: &out}
			if err := e.explain(page.Code.String()); err != nil {
				t.Fatal(err)
			}
			for line := range bytes.Lines(out.Bytes()) {
				line := string(bytes.TrimRight(line, "\n"))
				if prose.Width(line) > columns && !bytes.HasPrefix([]byte(line), []byte("    S: ")) && !bytes.HasPrefix([]byte(line), []byte("    C: ")) {
					t.Errorf("%s %v: %d columns: %q", language.Tag, page.Code, prose.Width(line), line)
				}
			}
		}
	}
}

// A line of Japanese or Chinese begins with no full stop and no closing bracket,
// and ends with no opening one: of the pages of codes and reasons, and of
// comparisons.
func TestLinesBreakWhereTheyMay(t *testing.T) {
	for _, language := range catalog.Languages() {
		c := catalog.In(language.Tag)
		var out bytes.Buffer
		e := &explainer{cat: c, paper: &paper{out: &out, columns: columns}, out: &out}
		var codes []reply.Code
		for _, page := range c.Codes() {
			codes = append(codes, page.Code)
			if err := e.explain(page.Code.String()); err != nil {
				t.Fatal(err)
			}
		}
		for _, page := range c.Reasons() {
			if err := e.explain(page.Reason.String()); err != nil {
				t.Fatal(err)
			}
		}
		for _, pair := range c.Pairs() {
			if err := e.compare([]reply.Code{pair.A, pair.B}); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.compare(codes); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSpace(line)
			first, _ := utf8.DecodeRuneInString(line)
			last, _ := utf8.DecodeLastRuneInString(line)
			if prose.Width(string(first)) == 2 && !prose.MayBegin(first) || prose.Width(string(last)) == 2 && !prose.MayEnd(last) {
				t.Errorf("%s: %q", language.Tag, line)
			}
		}
	}
}

func TestBareCodes(t *testing.T) {
	for _, test := range []struct {
		args []string
		want int
	}{
		{[]string{"421"}, 1},
		{[]string{"421", "504"}, 2},
		{[]string{"421,", "450,", "550"}, 3},
		{[]string{"421", "vs", "504"}, 2},
		{[]string{"421", "4.7.0"}, 0},
		{[]string{"421", "Too", "many"}, 0},
		{[]string{"421 504"}, 0},
		{[]string{"999"}, 0},
	} {
		codes, ok := bareCodes(test.args)
		if ok != (test.want > 0) || ok && len(codes) != test.want {
			t.Errorf("%q: %v, %v", test.args, codes, ok)
		}
	}
}
