package catalog

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
)

func TestExplain(t *testing.T) {
	c := In("en")
	for _, test := range []struct {
		input  string
		code   reply.Code
		title  string
		reason string
		named  bool
		retry  bool
	}{
		{"421", 421, "Service not available, closing the connection", "unavailable", false, true},
		{"  504 ", 504, "Command parameter not implemented", "unsupported-parameter", false, false},
		{"250", 250, "Done", "", false, false},
		{"354 Go", 354, "Send the message", "", false, false},
		{"452 4.5.3", 452, "Too many recipients in one transaction", "too-many-recipients", true, true},
		{"4.2.2", 0, "Mailbox full", "mailbox-full", true, true},
		{"450 4.2.0 Greylisted, try again in 300 seconds", 450, "Greylisting", "greylisting", true, true},
		{"504 5.5.4 AUTH mechanism CRAM-MD5 is not available", 504, "AUTH mechanism not available", "auth-mechanism", true, false},
		{"550 5.1.1 <a@example.net>: user unknown", 550, "No such mailbox", "mailbox-unknown", true, false},
		{"greylisting", 0, "Greylisting", "greylisting", true, false},
		{"X.2.2", 0, "Mailbox full", "mailbox-full", true, false},
		{"457 Strange", 457, "Unknown code", "other", false, true},
		{"no reply at all", 0, "", "other", false, false},
		{"", 0, "", "other", false, false},
	} {
		e := c.Explain(test.input, Options{})
		if e.Code != test.code || e.Title != test.title || e.Reason.String() != test.reason || e.Named != test.named || e.Retry != test.retry {
			t.Errorf("%q: code %v, title %q, reason %v, named %v, retry %v", test.input, e.Code, e.Title, e.Reason, e.Named, e.Retry)
		}
		if test.title != "" {
			some(t, test.input, e.Means)
			for _, f := range e.Facts {
				whole(t, test.input+" "+f.Key, f.Label, f.Value)
			}
		}
	}
}

// A bare code is explained by the code, with its usual reasons; a reply that
// names its reason by the reason.
func TestExplanationsHangOnTheReasonWhereThereIsOne(t *testing.T) {
	c := In("en")
	bare, named := c.Explain("421", Options{}), c.Explain("421 4.7.0 Too many connections from your IP", Options{})
	if len(bare.Usual) == 0 || len(bare.Dialogue) == 0 || len(named.Usual) != 0 || len(named.Dialogue) != 0 {
		t.Errorf("usual reasons and a dialogue belong to the bare code: %v, %v", bare.Usual, named.Usual)
	}
	if reflect.DeepEqual(bare.Sender, named.Sender) || named.Reason != classify.ReasonConnectionLimit {
		t.Errorf("%v says the same as the bare code", named.Reason)
	}
	for _, e := range []Explanation{bare, named} {
		if len(e.Sender) == 0 || len(e.Operator) == 0 || len(e.Avoid) == 0 || len(e.Related) == 0 || len(e.RFC) == 0 {
			t.Errorf("%q lacks a part: %+v", e.Reply, e)
		}
	}
}

func TestConflictsAreShown(t *testing.T) {
	c := In("en")
	for input, want := range map[string]string{
		"421 4.7.0 Your host is permanently blocked": "The code 421 is temporary, and the text says that it is permanent",
		"554 4.4.7 Delivery time expired":            "The code 554 and the enhanced code 4.4.7 disagree",
		"550 5.7.1 Try again later":                  "The code 550 is permanent, and the text says to try again",
	} {
		if got := strings.Join(c.Explain(input, Options{}).Conflicts, "\n"); !strings.Contains(got, want) {
			t.Errorf("%q: %q", input, got)
		}
	}
	if got := c.Explain("450 4.2.0 Greylisted, try again later", Options{}).Conflicts; len(got) != 0 {
		t.Errorf("a reply that agrees with itself has the conflicts %q", got)
	}
}

func TestWaitsAreTold(t *testing.T) {
	c := In("en")
	for input, want := range map[string]string{
		"450 4.2.0 Greylisted, try again in 300 seconds": "5 min, named by the reply",
		"450 4.2.0 Greylisted":                           "5 min to begin with, since the reply names no time",
		"550 5.7.1 Rate limited, try again in 2 hours":   "a time is named, but the reply is permanent: a later try of the same does not help",
		"550 5.1.1 User unknown":                         "",
	} {
		got := ""
		for _, f := range c.Explain(input, Options{}).Facts {
			if f.Key == "delay" {
				got = f.Value
			}
		}
		if got != want {
			t.Errorf("%q: %q, not %q", input, got, want)
		}
	}
	for seconds, want := range map[int]string{1: "1 s", 75: "75 s", 120: "2 min", 150: "150 s", 1800: "30 min", 7200: "2 h", 5400: "90 min"} {
		if got := c.duration(seconds); got != want {
			t.Errorf("%d: %q", seconds, got)
		}
	}
}

func TestTheStageAddsItsNote(t *testing.T) {
	c := In("en")
	for stage, want := range map[classify.Stage]string{
		classify.StageConnect: "at the greeting", classify.StageIdle: "between two messages", classify.StageContent: "after the message",
	} {
		e := c.Explain("421 4.3.2 Shutting down", Options{Stage: stage})
		if !strings.Contains(strings.Join(e.Notes, "\n"), want) {
			t.Errorf("%v: %q", stage, e.Notes)
		}
	}
}

// A note that waiting helps, or not, goes with the class.
func TestTheClassAddsItsNote(t *testing.T) {
	c := In("en")
	if n := c.classNote(classify.ReasonGreylisting, reply.ClassPermanent); !strings.Contains(n, "permanent") {
		t.Errorf("greylisting for good: %q", n)
	}
	if n := c.classNote(classify.ReasonMailboxUnknown, reply.ClassTransient); !strings.Contains(n, "temporary") {
		t.Errorf("unknown for now: %q", n)
	}
	for r, class := range map[classify.Reason]reply.Class{classify.ReasonGreylisting: 4, classify.ReasonMailboxUnknown: 5, classify.ReasonOther: 4} {
		if n := c.classNote(r, class); n != "" {
			t.Errorf("%v with %d: %q", r, class, n)
		}
	}
}

// The notes can all be told, and each that a rule asks for is there.
func TestNotesAreWhole(t *testing.T) {
	f := loadFacts()
	providers := map[string]bool{}
	for _, p := range classify.Default().Providers() {
		providers[p.ID] = true
	}
	stages := map[string]bool{}
	for s := classify.StageConnect; s.String() != ""; s++ {
		stages[s.String()] = true
	}
	known := map[string]bool{}
	for _, row := range f.notes {
		if known[row.ID] {
			t.Errorf("the note %s stands twice", row.ID)
		}
		known[row.ID] = true
		if _, err := reasons(row.Reasons); err != nil {
			t.Errorf("%s: %v", row.ID, err)
		}
		for _, s := range row.Stages {
			if !stages[s] {
				t.Errorf("%s: there is no stage %q", row.ID, s)
			}
		}
		for _, p := range row.Providers {
			if !providers[p] {
				t.Errorf("%s: there is no provider %q", row.ID, p)
			}
		}
		for _, code := range row.Codes {
			if f.byCode[reply.Code(code)] == nil {
				t.Errorf("%s: there is no code %d", row.ID, code)
			}
		}
		for _, s := range row.Statuses {
			if f.byStatus[s] == nil && s != "7.31" && s != "7.32" {
				t.Errorf("%s: the registry has no X.%s", row.ID, s)
			}
		}
	}
	for _, rule := range classify.Default().Rules() {
		if rule.Note != "" && !known[rule.Note] {
			t.Errorf("the rule %s asks for the note %q, which is not there", rule.ID, rule.Note)
		}
	}
	inEach(t, func(t *testing.T, c *Catalog) {
		if len(c.texts.Notes) != len(f.notes) {
			t.Errorf("%d notes have texts, %d have conditions", len(c.texts.Notes), len(f.notes))
		}
		for id := range known {
			whole(t, id, c.texts.Notes[id])
		}
	})
}

// Whoever can be told to have spoken has a page.
func TestEachProviderHasItsPage(t *testing.T) {
	inEach(t, func(t *testing.T, c *Catalog) {
		for _, p := range c.Providers() {
			whole(t, p.ID, p.Name, p.About)
		}
		if len(c.texts.Providers) != len(c.facts.providers) {
			t.Errorf("%d providers have texts, %d have facts", len(c.texts.Providers), len(c.facts.providers))
		}
		for _, p := range classify.Default().Providers() {
			if _, ok := c.Provider(p.ID); !ok && p.ID != "generic" {
				t.Errorf("no page for the provider %s (%s)", p.ID, p.Name)
			}
		}
	})
}

func TestAllRepliesOfATextAreExplained(t *testing.T) {
	got := In("en").ExplainAll("hello\n450 4.2.0 Greylisted\n\n550 5.1.1 User unknown\n\nbye\n", Options{})
	if len(got) != 2 || got[0].Code != 450 || got[1].Code != 550 {
		t.Errorf("%+v", got)
	}
	if got := In("en").ExplainAll("nothing here\n", Options{}); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestLongTextsAreCutBetweenMessagesOrLines(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  []string
	}{
		{"", 10, nil},
		{"short", 10, []string{"short"}},
		{"one\ntwo\nthree\n", 9, []string{"one\ntwo\n", "three\n"}},
		{"without an end of line", 8, []string{"without ", "an end o", "f line"}},
		{"From a\nx\n\nFrom b\ny\n", 100, []string{"From a\nx\n\n", "From b\ny\n"}},
		{"text\nFrom b\n", 100, []string{"text\nFrom b\n"}},
	} {
		var got []string
		for piece := range chunks(test.text, test.limit) {
			got = append(got, piece)
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q: %q", test.text, got)
		}
	}
}

func TestExplanationsAreJSON(t *testing.T) {
	e := In("en").Explain("421 4.7.0 Too many connections", Options{})
	text, err := json.Marshal(&e)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"code":421`, `"reason":"connection-limit"`, `"action":"slow-down"`, `"layer":"`, `"sender":["`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is missing in %s", want, text)
		}
	}
}

func TestManyMayAskAtOnce(t *testing.T) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			c := In("en")
			c.Explain("421 4.7.0 Too many connections", Options{})
			c.Compare(421, 504)
			c.Codes()
		})
	}
	all.Wait()
}

func FuzzExplain(f *testing.F) {
	for _, seed := range []string{
		"421", "421 4.7.0 Too many connections", "550-5.1.1 a\n550 5.1.1 b", "X.7.1", "greylisting", "5.7.1", "\x00", "999", "4211",
		"host mx.example.net said: 450 4.2.0 Greylisted (in reply to RCPT TO command)",
	} {
		f.Add(seed)
	}
	c := In("en")
	f.Fuzz(func(t *testing.T, input string) {
		e := c.Explain(input, Options{})
		if e.Title == "" {
			return
		}
		if len(e.Means) == 0 {
			t.Errorf("%q has a title and no meaning", input)
		}
		if e.Class == reply.ClassPermanent && e.Retry {
			t.Errorf("%q is permanent and tried again", input)
		}
		for _, fact := range e.Facts {
			if fact.Label == "" || strings.ContainsAny(fact.Value, "{}") {
				t.Errorf("%q: %+v", input, fact)
			}
		}
	})
}
