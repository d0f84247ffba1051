package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWidthsOfText(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "421": 3, "über": 4, "u\u0308ber": 4, "サーバー": 8, "421 サーバー": 12, "서버": 4, "服务器": 6, "ﾊﾝｶｸ": 4, "сервер": 6, "خادم": 4, "a\u200db": 2,
	} {
		if got := textWidth(text); got != want {
			t.Errorf("%q is %d columns wide, not %d", text, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text    string
		columns int
		want    []string
	}{
		{"", 10, []string{""}},
		{"one two three", 20, []string{"one two three"}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one two three", 3, []string{"one", "two", "three"}},
		{"averylongword and more", 5, []string{"averylongword", "and", "more"}},
		{"exactly ten", 11, []string{"exactly ten"}},
		// Japanese breaks anywhere, but a line begins with no full stop.
		{"サーバーは混んでいます。", 12, []string{"サーバーは混", "んでいます。"}},
		{"これは長い文です。", 16, []string{"これは長い文で", "す。"}},
		{"（括弧）の中", 8, []string{"（括弧）", "の中"}},
		{"これは（括弧）", 8, []string{"これは", "（括弧）"}},
		{"送信・受信", 4, []string{"送", "信・", "受信"}},
		{"サーバー（421）。", 14, []string{"サーバー", "（421）。"}},
		{"コード421を見る", 9, []string{"コード421", "を見る"}},
		// Korean breaks at blanks.
		{"서버가 바쁩니다 다시", 10, []string{"서버가", "바쁩니다", "다시"}},
		{"الخادم مشغول الآن", 12, []string{"الخادم مشغول", "الآن"}},
	} {
		got := wrap(test.text, test.columns)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q at %d (-want +got):\n%s", test.text, test.columns, diff)
		}
		if joined := strings.Join(got, ""); strings.ReplaceAll(joined, " ", "") != strings.ReplaceAll(test.text, " ", "") {
			t.Errorf("%q has lost something: %q", test.text, got)
		}
	}
}

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
