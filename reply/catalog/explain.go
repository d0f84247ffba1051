package catalog

import (
	"strconv"
	"strings"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
)

// Options says more about a reply than it tells itself.
type Options struct {
	// Stage is where it came. The zero value leaves it to the words around
	// the reply.
	Stage classify.Stage
	// Host is the name of the server that said it.
	Host string
}

// Explanation is what a reply means and what is to be done about it.
type Explanation struct {
	Language string `json:"language"`
	// Reply is what is explained, in one line.
	Reply string `json:"reply"`
	// Code is 0 where there is none, Enhanced "".
	Code     reply.Code `json:"code,omitempty"`
	Enhanced string     `json:"enhanced,omitempty"`
	// Text is the text of the reply without its codes.
	Text string `json:"text,omitempty"`
	// Class decides whether to try again; ClassName is its word.
	Class     reply.Class `json:"class"`
	ClassName string      `json:"class_name,omitempty"`
	// Title names the reason where the reply tells it, else the code.
	Title string `json:"title"`
	// CodeTitle and EnhancedTitle name the codes.
	CodeTitle     string `json:"code_title,omitempty"`
	EnhancedTitle string `json:"enhanced_title,omitempty"`
	// Reason is the primary cause; Named tells that the reply says so, by its
	// text or its enhanced status code, and the basic code alone does not.
	Reason classify.Reason `json:"reason,omitempty"`
	Named  bool            `json:"named"`
	// Evidence is why.
	Evidence Evidence `json:"evidence"`
	// Token is the word behind reason= in a reply of Weir: its own reason,
	// narrower than Reason.
	Token string `json:"token,omitempty"`
	// Stage is where the reply came, if that is known.
	Stage classify.Stage `json:"stage,omitempty"`
	// Advice, and the wait before the next try.
	Scope  classify.Scope  `json:"scope"`
	Who    classify.Who    `json:"who"`
	Else   classify.Who    `json:"else"`
	Action classify.Action `json:"action"`
	Then   classify.Action `json:"then"`
	// Retry tells that a queue sends the same again by itself.
	Retry bool `json:"retry"`
	// Hint is the wait that the text names, Wait the one to keep, in seconds;
	// 0 for none.
	Hint int `json:"hint_seconds,omitempty"`
	Wait int `json:"wait_seconds,omitempty"`
	// Conflicts say what in the reply contradicts itself.
	Conflicts []string `json:"conflicts,omitempty"`
	// Facts is the above in words, for people.
	Facts []Fact `json:"facts"`
	// Means explains it, a paragraph each. When is where it is seen.
	Means []string `json:"means"`
	When  []string `json:"when,omitempty"`
	Fixes
	// Notes are worth knowing for this code, stage or provider.
	Notes []string `json:"notes,omitempty"`
	// Provider is who said it, if that can be told.
	Provider *ProviderPage `json:"provider,omitempty"`
	// Usual are the usual reasons, where the reply does not tell its own.
	Usual []UsualReason `json:"usual,omitempty"`
	// Related are codes to compare with, RFC what defines the code.
	Related []reply.Code `json:"related,omitempty"`
	RFC     []Section    `json:"rfc,omitempty"`
	// Dialogue is a typical one, where nothing but a code was given.
	Dialogue []Line `json:"dialogue,omitempty"`
}

// Evidence is why a reason was assigned.
type Evidence struct {
	// Layer is the kind of evidence, Confidence how far it can be relied on,
	// in percent.
	Layer      classify.Layer `json:"layer"`
	Confidence int            `json:"confidence"`
	// Rule is the id of the rule that decided, "" where a code alone did.
	Rule string `json:"rule,omitempty"`
	// Source is the document that the rule comes from.
	Source string `json:"source,omitempty"`
	// RunnerUp is the next reason that something speaks for.
	RunnerUp classify.Reason `json:"runner_up,omitempty"`
}

// Fact is a line about a reply in words.
type Fact struct {
	// Key names the fact in every language.
	Key   string `json:"key"`
	Label string `json:"label"`
	Value string `json:"value"`
}

// UsualReason is a reason that a code is usually given for.
type UsualReason struct {
	Reason classify.Reason `json:"reason"`
	Title  string          `json:"title"`
	// Action is what to do first, in words.
	Action string `json:"action"`
}

// Explain explains the first reply that is found in the input: a code, an
// enhanced status code, the word of a reason, a reply of one or several lines,
// a line of a log, the text of an exception, a bounce. The explanation of an
// input without any reply has no class and no title.
func (c *Catalog) Explain(input string, options Options) Explanation {
	if r, err := classify.ParseReason(strings.ToLower(strings.TrimSpace(input))); err == nil {
		return c.explainReason(r)
	}
	if page, ok := c.Status(anyClass(input), reply.ClassInvalid); ok {
		return c.explainStatus(&page)
	}
	return c.ExplainInput(first(input, options))
}

// ExplainInput explains a reply that was taken apart before.
func (c *Catalog) ExplainInput(in classify.Input) Explanation {
	r := judge(in)
	e := Explanation{
		Language: c.Language.Tag, Reply: replyLine(&in), Code: in.Code, Enhanced: in.Enhanced.String(), Text: in.Text,
		Class: r.Class, ClassName: c.className(r.Class), Reason: r.Reason, Stage: r.Stage,
		Scope: r.Scope, Who: r.Who, Else: r.Else, Action: r.Action, Then: r.Then,
		Retry: r.Retry, Hint: int(r.Hint / time.Second), Wait: int(r.Wait / time.Second),
	}
	e.Evidence = evidence(&r.Evidence)
	e.Named = r.Reason != classify.ReasonNone && r.Reason != classify.ReasonOther && r.Evidence.Layer <= classify.LayerEnhanced
	c.describe(&e, &in)
	c.tellReason(&e)
	e.Conflicts = c.conflicts(r.Conflict, &in)
	if e.Named && r.Conflict&classify.ConflictUnknownCode != 0 {
		e.Notes = append(e.Notes, c.Label("conflict_not_standard", "code", in.Code.String()))
	}
	note := ""
	if rule := r.Evidence.Rule; rule != nil {
		note = rule.Note
	}
	told := classify.ReasonNone // a reason that is only usual earns no note
	if e.Named {
		told = r.Reason
	}
	e.Notes = append(e.Notes, c.notes(occasion{in.Code, statusOf(&in), r.Stage, told, r.Provider, note})...)
	if page, ok := c.Provider(r.Provider); ok {
		e.Provider = &page
	}
	if r.Provider == "weir" {
		e.Token = token(in.Text)
	}
	e.Facts = c.factsOf(&e)
	return e
}

// token finds the word behind reason= in a reply of Weir.
func token(text string) string {
	_, after, _ := strings.Cut(text, "; reason=")
	if end := strings.IndexFunc(after, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') }); end >= 0 {
		after = after[:end]
	}
	return after
}

func evidence(from *classify.Evidence) Evidence {
	e := Evidence{Layer: from.Layer, Confidence: from.Confidence, RunnerUp: from.RunnerUp}
	if from.Rule != nil {
		e.Rule, e.Source = from.Rule.ID, from.Rule.Source
	}
	return e
}

// describe tells what the codes mean.
func (c *Catalog) describe(e *Explanation, in *classify.Input) {
	if page, ok := c.Code(in.Code); ok {
		e.CodeTitle, e.Title = page.Title, page.Title
		e.Related, e.RFC = page.Related, page.RFC
		if !e.Named {
			e.Means, e.When, e.Fixes = []string{page.Means}, page.When, page.Fixes
			e.Dialogue = page.Dialogue
			e.Usual = c.usual(&page)
		}
	} else if in.Code != 0 {
		e.Title = c.Label("unknown_code")
		e.Means = []string{c.sentence("use_unknown", "a", in.Code.String(), "class", c.classSentence(in.Code.Class()))}
	}
	page, ok := c.Enhanced(in.Enhanced)
	if !ok {
		if !in.Enhanced.IsZero() {
			e.EnhancedTitle = c.Label("private_code")
		}
		return
	}
	e.EnhancedTitle = page.Title
	if e.Title == "" {
		e.Title, e.RFC, e.Related = page.Title, page.RFC, page.Basic
	}
	if !e.Named || e.Text == "" {
		e.Means = append([]string{page.Means}, e.Means...)
	}
}

// tellReason tells what the reason means, where the reply names one.
func (c *Catalog) tellReason(e *Explanation) {
	page, ok := c.Reason(e.Reason)
	if !ok || !e.Named && len(e.Sender) > 0 {
		return
	}
	if !e.Named {
		if e.Code.Class() != reply.ClassCompleted && e.Code.Class() != reply.ClassContinue {
			e.Fixes = merged(e.Fixes, page.Fixes)
		}
		return
	}
	e.Title = page.Title
	e.Means = append(e.Means, page.Means)
	e.When, e.Fixes = page.When, page.Fixes
	if note := c.classNote(e.Reason, e.Class); note != "" {
		e.Notes = append(e.Notes, note)
	}
}

// merged fills what a code does not say itself.
func merged(own, other Fixes) Fixes {
	or := func(a, b []string) []string {
		if len(a) > 0 {
			return a
		}
		return b
	}
	return Fixes{or(own.Sender, other.Sender), or(own.Operator, other.Operator), or(own.Recipient, other.Recipient), or(own.Avoid, other.Avoid)}
}

// classNote says what the class changes about a reason that mostly comes with
// the other one.
func (c *Catalog) classNote(r classify.Reason, class reply.Class) string {
	passes := r.Default(reply.ClassTransient).Action.Retries() && r.Default(reply.ClassPermanent).Action.Retries()
	switch {
	case class == reply.ClassPermanent && passes:
		return c.Label("permanent_note")
	case class == reply.ClassTransient && !passes && r != classify.ReasonOther && r != classify.ReasonExpired:
		return c.Label("temporary_note")
	}
	return ""
}

func (c *Catalog) usual(page *CodePage) []UsualReason {
	var all []UsualReason
	for _, r := range page.Reasons {
		advice := r.Default(page.Code.Class())
		all = append(all, UsualReason{r, c.texts.Reasons[r.String()].Title, c.Word("action", advice.Action.String())})
	}
	return all
}

// explainReason explains a reason by itself.
func (c *Catalog) explainReason(r classify.Reason) Explanation {
	page, _ := c.Reason(r)
	advice := r.Default(reply.ClassTransient)
	e := Explanation{
		Language: c.Language.Tag, Reply: r.String(), Title: page.Title, Reason: r, Named: true,
		Scope: advice.Scope, Who: advice.Who, Else: advice.Else, Action: advice.Action, Then: advice.Then,
		Means: []string{page.Means}, When: page.When, Fixes: page.Fixes, Related: page.Codes,
	}
	e.Facts = c.factsOf(&e)
	return e
}

// anyClass reads an enhanced status code without its class, as "X.7.1".
func anyClass(input string) reply.Status {
	input = strings.TrimSpace(input)
	if len(input) < 5 || input[0] != 'X' && input[0] != 'x' {
		return reply.Status{}
	}
	e, rest, ok := reply.ParseEnhanced("5" + input[1:])
	if !ok || rest != "" {
		return reply.Status{}
	}
	return e.Status()
}

// explainStatus explains an enhanced status code without its class.
func (c *Catalog) explainStatus(page *EnhancedPage) Explanation {
	e := Explanation{
		Language: c.Language.Tag, Reply: page.Code, Enhanced: page.Code, Title: page.Title, EnhancedTitle: page.Title,
		Reason: page.Reason, Means: []string{page.Means}, RFC: page.RFC, Related: page.Basic,
	}
	if r, ok := c.Reason(page.Reason); ok {
		e.Named = true
		e.Means, e.When, e.Fixes = append(e.Means, r.Means), r.When, r.Fixes
	}
	e.Facts = c.factsOf(&e)
	return e
}

// conflicts says what in a reply contradicts itself.
func (c *Catalog) conflicts(conflict classify.Conflict, in *classify.Input) []string {
	var all []string
	conflict &^= classify.ConflictUnknownCode // contradicts nothing, and is a note
	if conflict == 0 {
		return nil
	}
	for _, word := range strings.Split(conflict.String(), ",") {
		all = append(all, c.Label("conflict_"+strings.ReplaceAll(word, "-", "_"), "code", in.Code.String(), "enhanced", in.Enhanced.String()))
	}
	return all
}

// sure is the confidence, in percent, from which on another possible reason
// would only confuse a person.
const sure = 85

// factsOf tells in words what is known of a reply.
func (c *Catalog) factsOf(e *Explanation) []Fact {
	var all []Fact
	add := func(key, value string) {
		if value != "" {
			all = append(all, Fact{key, c.Label(key), value})
		}
	}
	if e.Class != reply.ClassInvalid {
		add("class", c.classSentence(e.Class))
	}
	if f := c.facts.byCode[e.Code]; f != nil && f.Connection != "" && f.Connection != "open" {
		add("connection", c.Word("connection", f.Connection))
	}
	if e.Reason == classify.ReasonNone {
		return all
	}
	if e.Named {
		add("reason", c.withWord(e.Reason))
	}
	if e.Evidence.Layer != classify.LayerNone {
		add("evidence", c.Word("confidence", e.Evidence.Layer.String()))
	}
	if e.Named && e.Evidence.Confidence < sure && e.Evidence.RunnerUp != classify.ReasonNone {
		add("runner_up", c.withWord(e.Evidence.RunnerUp))
	}
	if e.Class == reply.ClassInvalid && e.Enhanced != "" {
		return all // what to do depends on the class
	}
	add("action", c.step(e, e.Action))
	if e.Then != classify.ActionNone {
		add("then", c.step(e, e.Then))
	}
	add("delay", c.delay(e))
	add("who", c.actor(e))
	add("scope", c.reach(e))
	return all
}

// reach is how far a reply reaches. A code alone may reach as far as the facts
// say, by its stage.
func (c *Catalog) reach(e *Explanation) string {
	if f := c.facts.byCode[e.Code]; f != nil && !e.Named && e.Stage == classify.StageUnknown && len(f.Scope) > 0 {
		return c.list("list_or", c.wordsOf("scope", f.Scope))
	}
	return c.Word("scope", e.Scope.String())
}

// withWord is the title of a reason with its word behind it.
func (c *Catalog) withWord(r classify.Reason) string {
	return c.Label("aside", "title", c.texts.Reasons[r.String()].Title, "text", r.String())
}

// step says what to do. Nothing that is refused for good is sent again as it is.
func (c *Catalog) step(e *Explanation, a classify.Action) string {
	text := c.Word("action", a.String())
	if e.Class == reply.ClassPermanent && a.Retries() {
		return c.Label("once_gone", "action", text)
	}
	return text
}

func (c *Catalog) actor(e *Explanation) string {
	if page, ok := c.Code(e.Code); ok && !e.Named && e.Class == reply.ClassPermanent {
		return c.list("list_or", c.actors(&page)) // that depends on the reason
	}
	who := c.Word("who", e.Who.String())
	if e.Else != classify.WhoNobody {
		who = c.sentence("list_or", "list", who, "last", c.Word("who", e.Else.String()))
	}
	return who
}

// delay says how long to wait.
func (c *Catalog) delay(e *Explanation) string {
	switch {
	case e.Hint > 0 && !e.Retry:
		return c.Label("permanent_hint")
	case e.Hint > 0:
		return c.Label("named_by_reply", "delay", c.duration(e.Hint))
	case e.Wait > 0:
		return c.Label("by_default", "delay", c.duration(e.Wait))
	}
	return ""
}

// duration is a wait in the unit that one thinks in.
func (c *Catalog) duration(seconds int) string {
	unit, n := "seconds", seconds
	switch {
	case seconds >= 2*3600 && seconds%3600 == 0:
		unit, n = "hours", seconds/3600
	case seconds >= 120 && seconds%60 == 0:
		unit, n = "minutes", seconds/60
	}
	return c.Label(unit, "n", strconv.Itoa(n))
}

// replyLine is the reply in one line.
func replyLine(in *classify.Input) string {
	var words []string
	if in.Code != 0 {
		words = append(words, in.Code.String())
	}
	if !in.Enhanced.IsZero() {
		words = append(words, in.Enhanced.String())
	}
	if in.Text != "" {
		words = append(words, in.Text)
	}
	return strings.Join(words, " ")
}

func statusOf(in *classify.Input) string {
	return strings.TrimPrefix(in.Enhanced.Status().String(), "X.")
}

// ExplainAll explains every reply that is found in the input, in the order in
// which they stand there: the lines of a log, or the bounces of a mailbox.
func (c *Catalog) ExplainAll(input string, options Options) []Explanation {
	var explained []Explanation
	for _, in := range all(input, options) {
		if e := c.ExplainInput(in); e.Title != "" {
			explained = append(explained, e)
		}
	}
	return explained
}
