package catalog

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
)

// Catalog is the catalogue in one language. [In] returns it.
type Catalog struct {
	// Language is the one that all texts are in.
	Language Language

	facts *facts
	texts *texts
}

// Fixes is what is to be done, by who does it, and what makes it worse. Each
// element is one step or one piece of advice.
type Fixes struct {
	// Sender is for whoever sends the mail, or runs the server that sends it.
	Sender []string `json:"sender,omitempty"`
	// Operator is for whoever runs the server that answered.
	Operator []string `json:"operator,omitempty"`
	// Recipient is for the one the mail is for, and their administrator.
	Recipient []string `json:"recipient,omitempty"`
	// Avoid is what not to do.
	Avoid []string `json:"avoid,omitempty"`
}

// CodePage is all that the catalogue says of a reply code.
type CodePage struct {
	CodeFacts
	// Class is the class as a word: success, temporary, permanent.
	Class string `json:"class"`
	// Title names the code, Means explains it.
	Title string `json:"title"`
	Means string `json:"means"`
	// Use says when a server sends the code. It is empty for a code that is
	// not standard.
	Use string `json:"use,omitempty"`
	// When is where it is seen.
	When []string `json:"when,omitempty"`
	Fixes
}

// EnhancedPage is all that the catalogue says of an enhanced status code.
type EnhancedPage struct {
	EnhancedFacts
	// Code is the code that was asked about, with its class, as "4.7.1"; for
	// the page of all classes it is "X.7.1".
	Code string `json:"code"`
	// Class is the class as a word, empty for the page of all classes.
	Class string `json:"class,omitempty"`
	Title string `json:"title"`
	Means string `json:"means"`
	// Reason is the usual reason of a refusal with the code, where it tells one.
	Reason classify.Reason `json:"reason,omitempty"`
	// Seen are the reply codes that often come with it.
	Seen []reply.Code `json:"seen,omitempty"`
}

// ReasonPage is all that the catalogue says of a reason.
type ReasonPage struct {
	ReasonFacts
	// FamilyName is the family in words.
	FamilyName string   `json:"family_name"`
	Title      string   `json:"title"`
	Means      string   `json:"means"`
	When       []string `json:"when"`
	Fixes
}

// Codes returns the pages of all reply codes in the catalogue, in order of
// their numbers.
func (c *Catalog) Codes() []CodePage {
	all := make([]CodePage, 0, len(c.facts.codes))
	for i := range c.facts.codes {
		all = append(all, c.codePage(&c.facts.codes[i]))
	}
	return all
}

// Code returns the page of a reply code. ok is false where the code is not in
// the catalogue: then its class is all that is known of it.
func (c *Catalog) Code(code reply.Code) (page CodePage, ok bool) {
	f, ok := c.facts.byCode[code]
	if !ok {
		return CodePage{}, false
	}
	return c.codePage(f), true
}

func (c *Catalog) codePage(f *CodeFacts) CodePage {
	t := c.texts.Codes[f.Code.String()]
	return CodePage{
		CodeFacts: *f, Class: c.className(f.Code.Class()), Title: t.Title, Means: t.Means, Use: t.Use, When: t.When,
		Fixes: Fixes{Sender: t.Sender, Operator: t.Operator, Recipient: t.Recipient, Avoid: t.Avoid},
	}
}

// EnhancedAll returns the pages of the registry of enhanced status codes, each
// for all of its classes.
func (c *Catalog) EnhancedAll() []EnhancedPage {
	all := make([]EnhancedPage, 0, len(c.facts.enhanced))
	for i := range c.facts.enhanced {
		f := &c.facts.enhanced[i]
		all = append(all, c.enhancedPage(f, "X."+f.Status, reply.ClassInvalid))
	}
	return all
}

// Enhanced returns the page of an enhanced status code. ok is false where the
// registry does not have it.
func (c *Catalog) Enhanced(e reply.Enhanced) (page EnhancedPage, ok bool) {
	if e.IsZero() {
		return EnhancedPage{}, false
	}
	return c.Status(e.Status(), e.Class())
}

// Status returns the page of a subject and detail. The class may be
// [reply.ClassInvalid]: the page is for all of them then.
func (c *Catalog) Status(s reply.Status, class reply.Class) (page EnhancedPage, ok bool) {
	number := strings.TrimPrefix(s.String(), "X.")
	f, ok := c.facts.byStatus[number]
	if !ok {
		return EnhancedPage{}, false
	}
	name := "X." + number
	if class != reply.ClassInvalid {
		name = strconv.Itoa(int(class)) + "." + number
	}
	return c.enhancedPage(f, name, class), true
}

func (c *Catalog) enhancedPage(f *EnhancedFacts, name string, class reply.Class) EnhancedPage {
	t := c.texts.Enhanced[f.Status]
	page := EnhancedPage{EnhancedFacts: *f, Code: name, Class: c.className(class), Title: t.Title, Means: t.Means, Reason: f.reason(class)}
	for i := range c.facts.codes {
		code := &c.facts.codes[i]
		if slices.ContainsFunc(code.Enhanced, func(e string) bool { return strings.HasSuffix(e, "."+f.Status) && len(e) == len(f.Status)+2 }) {
			page.Seen = append(page.Seen, code.Code)
		}
	}
	return page
}

// reason is the usual reason of a refusal with the code.
func (f *EnhancedFacts) reason(class reply.Class) classify.Reason {
	if class == reply.ClassInvalid {
		class = f.Classes[len(f.Classes)-1]
	}
	if class == reply.ClassCompleted {
		return classify.ReasonNone
	}
	e, _, _ := reply.ParseEnhanced(strconv.Itoa(int(class)) + "." + f.Status)
	if r := judge(classify.Input{Enhanced: e}).Reason; r != classify.ReasonOther {
		return r
	}
	return classify.ReasonNone
}

// Reasons returns the pages of all reasons, in the order of their families.
func (c *Catalog) Reasons() []ReasonPage {
	all := make([]ReasonPage, 0, len(c.facts.reasons))
	for i := range c.facts.reasons {
		all = append(all, c.reasonPage(&c.facts.reasons[i]))
	}
	return all
}

// Reason returns the page of a reason. ok is false for [classify.ReasonNone].
func (c *Catalog) Reason(r classify.Reason) (page ReasonPage, ok bool) {
	for i := range c.facts.reasons {
		if c.facts.reasons[i].Reason == r {
			return c.reasonPage(&c.facts.reasons[i]), true
		}
	}
	return ReasonPage{}, false
}

func (c *Catalog) reasonPage(f *ReasonFacts) ReasonPage {
	t := c.texts.Reasons[f.Reason.String()]
	return ReasonPage{
		ReasonFacts: *f, FamilyName: c.Word("family", f.Family), Title: t.Title, Means: t.Means, When: t.When,
		Fixes: Fixes{Sender: t.Sender, Operator: t.Operator, Recipient: t.Recipient, Avoid: t.Avoid},
	}
}

// Word returns a word of one of the closed lists in the language: the lists are
// class, class-name, family, action, who, scope, stage, connection, retry,
// speaks and confidence. A word that is not in the list, such as the name of a
// program, is returned as it is.
func (c *Catalog) Word(list, word string) string {
	if text, ok := c.texts.Words[list][word]; ok {
		return text
	}
	return word
}

// Label returns a heading or a small word of pages, with its places filled in:
// the arguments are names and values by turns.
func (c *Catalog) Label(name string, places ...string) string {
	return fill(c.texts.Labels[name], places)
}

// Notice returns a sentence of the notices that senders get about their messages,
// with its places filled in: the arguments are names and values by turns. An
// unknown name gives "".
func (c *Catalog) Notice(name string, places ...string) string {
	return fill(c.texts.Notices[name], places)
}

// Title returns the title of an RFC, as "Simple Mail Transfer Protocol", and ""
// for a document that is not in the catalogue. Titles are not translated.
func (c *Catalog) Title(s Section) string {
	words := strings.Fields(string(s))
	if len(words) > 2 {
		words = words[:2]
	}
	return c.facts.rfcs[strings.Join(words, " ")]
}

func (c *Catalog) className(class reply.Class) string {
	if class == reply.ClassInvalid {
		return ""
	}
	return c.Word("class-name", strconv.Itoa(int(class)))
}

// classSentence is the class with what follows from it.
func (c *Catalog) classSentence(class reply.Class) string {
	return c.Word("class", strconv.Itoa(int(class)))
}

// wordsOf translates several words.
func (c *Catalog) wordsOf(list string, all []string) []string {
	texts := make([]string, len(all))
	for i, word := range all {
		texts[i] = c.Word(list, word)
	}
	return texts
}

// fill puts values in their places.
func fill(text string, places []string) string {
	for i := 0; i+1 < len(places); i += 2 {
		text = strings.ReplaceAll(text, "{"+places[i]+"}", places[i+1])
	}
	return text
}

func sortCodes(all []CodeFacts) {
	slices.SortFunc(all, func(a, b CodeFacts) int { return cmp.Compare(a.Code, b.Code) })
}
