package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/weirmail/weir/reply"
)

// The pairs that people confuse most are written by hand.
func TestConfusedPairsAreWrittenByHand(t *testing.T) {
	inEach(t, func(t *testing.T, c *Catalog) {
		for _, p := range [][2]reply.Code{
			{421, 450},
			{421, 451},
			{421, 452},
			{421, 504},
			{421, 521},
			{421, 554},
			{450, 550},
			{451, 452},
			{452, 552},
			{500, 502},
			{500, 501},
			{502, 504},
			{503, 504},
			{504, 535},
			{504, 538},
			{504, 555},
			{534, 535},
			{535, 530},
			{550, 551},
			{550, 553},
			{550, 554},
			{551, 550},
			{552, 452},
			{554, 521},
			{555, 501},
			{556, 550},
		} {
			if cmp := c.Compare(p[0], p[1]); !cmp.ByHand || cmp.Short == "" || len(cmp.Differences) == 0 {
				t.Errorf("%v is not written by hand", p)
			}
		}
	})
}

func TestEachPairByHandIsWhole(t *testing.T) {
	inEach(t, func(t *testing.T, c *Catalog) {
		if len(c.texts.Pairs) != len(c.facts.pairs) {
			t.Errorf("%d pairs have texts, %d have facts", len(c.texts.Pairs), len(c.facts.pairs))
		}
		for p, row := range c.facts.pairs {
			text := c.texts.Pairs[p.String()]
			whole(t, p.String(), text.Short)
			some(t, p.String()+" differences", text.Differences)
			some(t, p.String()+" first", text.First)
			some(t, p.String()+" second", text.Second)
			var ids []string
			for _, part := range text.Parts {
				ids = append(ids, part.ID)
				whole(t, p.String()+" "+part.ID, part.Heading)
				some(t, p.String()+" "+part.ID, part.Text)
			}
			for id, lines := range row.Dialogues {
				if !slices.Contains(ids, id) {
					t.Errorf("%v: a dialogue for the part %q", p, id)
				}
				if _, err := dialogue(lines); err != nil {
					t.Errorf("%v: %v", p, err)
				}
			}
			if _, ok := c.Code(p.a); !ok || row.A >= row.B {
				t.Errorf("%v: the lower code stands first, and both are in the catalogue", p)
			}
			if _, ok := c.Code(p.b); !ok {
				t.Errorf("%v: %v is not in the catalogue", p, p.b)
			}
		}
	})
}

// Each pair of codes can be compared, in either order, and what is said does
// not depend on the order.
func TestEveryPairComposes(t *testing.T) {
	inEach(t, func(t *testing.T, c *Catalog) {
		pages := c.Codes()
		for _, a := range pages {
			for _, b := range pages {
				if a.Code == b.Code {
					continue
				}
				cmp := c.Compare(a.Code, b.Code)
				some(t, a.Code.String()+"-"+b.Code.String(), cmp.Differences)
				for _, use := range cmp.Uses {
					some(t, "use of "+use.Code.String(), use.Text)
				}
				for _, sentence := range slices.Concat(cmp.Differences, cmp.Uses[0].Text, cmp.Uses[1].Text) {
					if strings.ContainsAny(sentence, "{}") {
						t.Fatalf("%v and %v: a place is left in %q", a.Code, b.Code, sentence)
					}
				}
			}
		}
	})
}

// Lists are joined as the language does it, also where the parts are words of
// closed lists.
func TestComparisonsAreJoinedAsTheLanguageDoes(t *testing.T) {
	for tag, test := range map[string]struct{ next, cell string }{"en": {", ", "; "}, "ja": {"、", "、"}, "ko": {", ", ", "}, "ru": {", ", "; "}, "ar": {"، ", "؛ "}, "tr": {", ", "; "}} {
		c := In(tag)
		if c.Language.Tag != tag {
			t.Errorf("%s is not offered", tag)
			continue
		}
		cmp := c.Compare(250, 552)
		all := strings.Join(cmp.Differences, "\n")
		if !strings.Contains(all, "MAIL"+test.next+"RCPT"+test.next) {
			t.Errorf("%s: %s", tag, all)
		}
		for _, row := range cmp.Rows {
			if row.Key == "stages" && !strings.Contains(row.Values[0], "MAIL"+test.cell+"RCPT"+test.cell) {
				t.Errorf("%s: %s", tag, row.Values[0])
			}
		}
	}
}

// What is composed agrees with the facts.
func TestComposedDifferencesAreTrue(t *testing.T) {
	c := In("en")
	for _, test := range []struct {
		a, b reply.Code
		want []string
		not  []string
	}{
		{421, 555, []string{"421 is temporary", "555 is permanent", "421 the connection is closed by the server; after 555 it stays open"}, nil},
		{452, 555, []string{"452 is temporary"}, []string{"closed"}},
		{450, 458, []string{"Both are temporary", "After both the connection stays open"}, []string{"permanent"}},
		{421, 420, []string{"Both are temporary", "420 is not defined"}, []string{"stays open"}},
		{550, 299, []string{"550 is permanent", "299 is success"}, []string{"connection"}},
	} {
		cmp := c.Compare(test.a, test.b)
		said := strings.Join(cmp.Differences, "\n")
		for _, want := range test.want {
			if !strings.Contains(said, want) {
				t.Errorf("%v and %v lack %q:\n%s", test.a, test.b, want, said)
			}
		}
		for _, not := range test.not {
			if strings.Contains(said, not) {
				t.Errorf("%v and %v say %q:\n%s", test.a, test.b, not, said)
			}
		}
	}
}

func TestOrderOfComparedCodesIsThatOfTheQuestion(t *testing.T) {
	c := In("en")
	cmp := c.Compare(504, 421, 504)
	if !slices.Equal(cmp.Codes, []reply.Code{504, 421}) || !cmp.ByHand {
		t.Fatalf("%v, by hand %v", cmp.Codes, cmp.ByHand)
	}
	if !strings.Contains(cmp.Uses[0].Text[0], "504") || !strings.Contains(cmp.Uses[1].Text[0], "421") {
		t.Errorf("the uses are exchanged: %q", cmp.Uses)
	}
	if len(cmp.Parts) < 7 {
		t.Errorf("421 and 504 have only %d parts", len(cmp.Parts))
	}
	three := c.Compare(421, 450, 550)
	if len(three.Pairs) != 3 || len(three.Rows) == 0 || len(three.Rows[0].Values) != 3 {
		t.Errorf("three codes: %+v", three)
	}
	if one := c.Compare(421); len(one.Uses) != 1 || len(one.Differences) != 0 {
		t.Errorf("one code: %+v", one)
	}
	if none := c.Compare(); len(none.Codes) != 0 {
		t.Errorf("no code: %+v", none)
	}
}
