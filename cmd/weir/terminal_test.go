package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBlocksAreIndentedAndNarrow(t *testing.T) {
	var out bytes.Buffer
	p := &paper{out: &out, columns: 30}
	p.block("  Class", 10, "temporary: the `same may work` `later`")
	p.item("an element of a list that goes on")
	want := "" +
		"  Class   temporary: the \"same\n" +
		"          may work\" later\n" +
		"  • an element of a list that\n" +
		"    goes on\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Codes keep the order of their words in text from right to left, and Latin
// words that an Arabic comma stands between follow each other as that text does.
func TestCodesStayReadableFromRightToLeft(t *testing.T) {
	for text, want := range map[string]string{
		"Say `450 4.7.1` or `EHLO`.": `Say "450 4.7.1" or EHLO.`,
		"أرسل `450 4.7.1` الآن":      "أرسل \u200e\"450 4.7.1\"\u200e الآن",
		"رمز، نص، `EHLO`، `HELO`":    "رمز، نص، \u200eEHLO\u200e،\u200f \u200eHELO\u200e",
		"MAIL، RCPT؛ DATA":           "MAIL،\u200f RCPT؛\u200f DATA",
	} {
		if got := unmarked(text); got != want {
			t.Errorf("%q is written as %q, not %q", text, got, want)
		}
	}
}

func TestColoursAreMarks(t *testing.T) {
	colourful, plain := &paper{colours: true}, &paper{}
	if got := colourful.marked(bold, "421"); got != "\x1b[1m421\x1b[0m" {
		t.Errorf("%q", got)
	}
	if got := plain.marked(bold, "421") + colourful.marked(bold, ""); got != "421" {
		t.Errorf("%q", got)
	}
}

// What somebody else wrote cannot play tricks with the terminal.
func TestRepliesAreMadePrintable(t *testing.T) {
	var out bytes.Buffer
	e := &explainer{cat: english(t), paper: &paper{out: &out, columns: columns}, out: &out}
	if err := e.explain("550 5.1.1 no \x1b[31msuch\x07 user"); err != nil {
		t.Fatal(err)
	}
	e.annotate("a line\x1b[2J 450 4.7.1 Greylisted")
	if strings.ContainsAny(out.String(), "\x1b\x07") {
		t.Errorf("%q", out.String())
	}
}
