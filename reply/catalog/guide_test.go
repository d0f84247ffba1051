package catalog

import (
	"testing"

	"github.com/weirmail/weir/reply"
)

// What a guide points to is there, and every guide is told whole.
func TestGuidesAreWhole(t *testing.T) {
	c := In("en")
	guides := c.Guides()
	if len(guides) != 10 || len(c.texts.Guides) != len(guides) {
		t.Errorf("%d guides, %d texts", len(guides), len(c.texts.Guides))
	}
	for _, g := range guides {
		if g.Title == "" || g.Short == "" || g.Done == "" || len(g.Signs) == 0 || len(g.Sender) == 0 || len(g.Operator) == 0 ||
			len(g.Recipient) == 0 || len(g.Avoid) == 0 || len(g.Replies) == 0 || len(g.Look) == 0 {
			t.Errorf("the guide %s lacks something: %+v", g.ID, g)
		}
		for _, code := range g.Codes {
			if _, ok := c.Code(code); !ok {
				t.Errorf("%s: no code %s", g.ID, code)
			}
		}
		for _, name := range g.Enhanced {
			e, _, _ := reply.ParseEnhanced(name)
			if _, ok := c.Enhanced(e); !ok {
				t.Errorf("%s: no enhanced code %s", g.ID, name)
			}
		}
		for _, p := range g.Pairs {
			if p.Short == "" {
				t.Errorf("%s: nobody has written about %s and %s", g.ID, p.A, p.B)
			}
		}
		for _, line := range g.Replies {
			if e := c.Explain(line, Options{}); !e.Named {
				t.Errorf("%s: the example is not understood: %s", g.ID, line)
			}
		}
	}
}
