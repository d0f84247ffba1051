package prose

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWidthsOfText(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "421": 3, "über": 4, "u\u0308ber": 4, "サーバー": 8, "421 サーバー": 12, "서버": 4, "服务器": 6, "ﾊﾝｶｸ": 4, "сервер": 6, "خادم": 4, "a\u200db": 2,
	} {
		if got := Width(text); got != want {
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
		got := Wrap(test.text, test.columns)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q at %d (-want +got):\n%s", test.text, test.columns, diff)
		}
		if joined := strings.Join(got, ""); strings.ReplaceAll(joined, " ", "") != strings.ReplaceAll(test.text, " ", "") {
			t.Errorf("%q has lost something: %q", test.text, got)
		}
	}
}
