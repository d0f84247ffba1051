package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
)

// inEach runs a test in each language that is offered.
func inEach(t *testing.T, test func(t *testing.T, c *Catalog)) {
	for _, language := range Languages() {
		t.Run(language.Tag, func(t *testing.T) { test(t, In(language.Tag)) })
	}
}

// whole fails for a text that is not there.
func whole(t *testing.T, what string, texts ...string) {
	t.Helper()
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			t.Errorf("%s: text number %d is missing", what, i+1)
		}
	}
}

// some fails for a list without elements, or with an empty one.
func some(t *testing.T, what string, list []string) {
	t.Helper()
	if len(list) == 0 {
		t.Errorf("%s: the list is empty", what)
	}
	whole(t, what, list...)
}

func TestEachCodeIsExplained(t *testing.T) {
	inEach(t, func(t *testing.T, c *Catalog) {
		for _, p := range c.Codes() {
			name := p.Code.String()
			whole(t, name, p.Title, p.Means, p.Class)
			refusal := p.Code.Transient() || p.Code.Permanent()
			if refusal != (len(p.Reasons) > 0) {
				t.Errorf("%s has the usual reasons %v", name, p.Reasons)
			}
			some(t, name+" speaks", c.wordsOf("speaks", p.Speaks))
			if !p.Standard {
				continue
			}
			whole(t, name, p.Use, p.Connection, p.Retry)
			some(t, name+" when", p.When)
			if len(p.RFC) == 0 || len(p.Dialogue) == 0 || len(p.Scope) == 0 || len(p.Related) == 0 {
				t.Errorf("%s lacks a fact: %+v", name, p.CodeFacts)
			}
		}
	})
}

func TestEachEnhancedCodeIsExplained(t *testing.T) {
	inEach(t, func(t *testing.T, c *Catalog) {
		for _, p := range c.EnhancedAll() {
			whole(t, p.Code, p.Title, p.Means)
			if len(p.RFC) == 0 {
				t.Errorf("%s has no document", p.Code)
			}
		}
	})
}

func TestEachReasonIsExplainedToEveryone(t *testing.T) {
	inEach(t, func(t *testing.T, c *Catalog) {
		if n := len(c.Reasons()); n != len(classify.Reasons()) {
			t.Errorf("%d reasons", n)
		}
		for _, p := range c.Reasons() {
			name := p.Reason.String()
			whole(t, name, p.Title, p.Means, p.FamilyName)
			some(t, name+" when", p.When)
			some(t, name+" sender", p.Sender)
			some(t, name+" operator", p.Operator)
			some(t, name+" recipient", p.Recipient)
			some(t, name+" avoid", p.Avoid)
			if len(p.Related) == 0 || slices.Contains(p.Related, p.Reason) {
				t.Errorf("%s is related to %v", name, p.Related)
			}
		}
	})
}

func TestEveryStandardCodeIsThere(t *testing.T) {
	c := In("en")
	for _, code := range []reply.Code{
		reply.SystemStatus, reply.HelpMessage, reply.ServiceReady, reply.ServiceClosing, reply.AuthSucceeded, reply.OK,
		reply.WillForward, reply.CannotVerify, 253, reply.AuthChallenge, reply.StartMailInput, reply.ServiceNotAvailable,
		reply.PasswordTransition, reply.MailboxBusy, reply.LocalError, reply.InsufficientStorage, 453, reply.TLSNotAvailable,
		reply.ParametersNotNow, 458, 459, reply.CommandUnrecognized, reply.SyntaxInArguments, reply.CommandNotImplemented,
		reply.BadSequence, reply.ParameterNotImplemented, reply.NeverAcceptsMail, reply.EncryptionNeeded, 524, 525,
		reply.AuthRequired, reply.AuthMechanismTooWeak, reply.AuthInvalid, reply.AuthNeedsEncryption, reply.MailboxUnavailable,
		reply.UserNotLocal, reply.StorageExceeded, reply.MailboxNameNotAllowed, reply.TransactionFailed,
		reply.ParametersUnrecognized, reply.DomainTakesNoMail,
	} {
		if page, ok := c.Code(code); !ok || !page.Standard {
			t.Errorf("%v: %v, standard %v", code, ok, page.Standard)
		}
	}
	for _, code := range []reply.Code{420, 422, 424, 426, 441, 442, 446, 447, 449, 471, 511, 541, 571} {
		if page, ok := c.Code(code); !ok || page.Standard {
			t.Errorf("%v: %v, standard %v", code, ok, page.Standard)
		}
	}
}

// The facts hold together: what they point to is there.
func TestFactsPointToWhatThereIs(t *testing.T) {
	c := In("en")
	for _, p := range c.Codes() {
		for _, other := range p.Related {
			if _, ok := c.Code(other); !ok || other == p.Code {
				t.Errorf("%v is related to %v", p.Code, other)
			}
		}
		for _, e := range p.Enhanced {
			code, rest, ok := reply.ParseEnhanced(e)
			if !ok || rest != "" || code.Class() != p.Code.Class() {
				t.Errorf("%v has the enhanced code %q", p.Code, e)
			}
			if _, ok := c.Enhanced(code); !ok {
				t.Errorf("%v: the registry has no %v", p.Code, e)
			}
		}
		for _, s := range p.RFC {
			if c.Title(s) == "" || s.URL() == "" {
				t.Errorf("%v: the document %q is not known", p.Code, s)
			}
		}
		for list, words := range map[string][]string{
			"stage": p.Stages, "scope": p.Scope, "connection": nonEmpty(p.Connection), "retry": {p.Retry},
		} {
			for _, word := range words {
				if c.texts.Words[list][word] == "" {
					t.Errorf("%v: no word for the %s %q", p.Code, list, word)
				}
			}
		}
	}
	for _, p := range c.EnhancedAll() {
		for _, code := range p.Basic {
			if _, ok := c.Code(code); !ok && code != 533 {
				t.Errorf("%s goes with %v", p.Code, code)
			}
		}
	}
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// A dialogue shows the code that it is the dialogue of.
func TestDialoguesShowTheirCode(t *testing.T) {
	for _, p := range In("en").Codes() {
		shows := func(l Line) bool { return !l.Client && strings.HasPrefix(l.Text, p.Code.String()) }
		if p.Standard && !slices.ContainsFunc(p.Dialogue, shows) {
			t.Errorf("the dialogue of %v does not show it: %v", p.Code, p.Dialogue)
		}
	}
}

// Every word of the closed lists of package classify has a text.
func TestClosedListsHaveWords(t *testing.T) {
	inEach(t, func(t *testing.T, c *Catalog) {
		has := func(list, word string) {
			if c.texts.Words[list][word] == "" {
				t.Errorf("no text for the %s %q", list, word)
			}
		}
		for a := classify.ActionNone; a.String() != ""; a++ {
			has("action", a.String())
		}
		for w := classify.WhoNobody; w.String() != ""; w++ {
			has("who", w.String())
		}
		for s := classify.ScopeRecipient; s.String() != ""; s++ {
			has("scope", s.String())
		}
		for l := classify.LayerMark; l.String() != ""; l++ {
			has("confidence", l.String())
		}
		for _, r := range classify.Reasons() {
			has("family", r.Family().String())
		}
	})
}

func TestUnknownCodesHaveNoPage(t *testing.T) {
	c := In("en")
	for _, code := range []reply.Code{0, 199, 299, 457, 600} {
		if page, ok := c.Code(code); ok {
			t.Errorf("%d: %+v", code, page)
		}
	}
	if page, ok := c.Enhanced(reply.Enhanced{}); ok {
		t.Errorf("%+v", page)
	}
	if page, ok := c.Reason(classify.ReasonNone); ok {
		t.Errorf("%+v", page)
	}
}

func TestSectionsLeadToTheirDocument(t *testing.T) {
	for section, want := range map[Section]string{
		"RFC 5321 4.2.3":               "https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3",
		"RFC 2645":                     "https://www.rfc-editor.org/rfc/rfc2645",
		"draft-levine-mailbomb-header": "",
		"":                             "",
	} {
		if got := section.URL(); got != want {
			t.Errorf("%q leads to %q", section, got)
		}
	}
}
