package classify

import (
	"strings"
	"time"

	"github.com/weirmail/weir/reply"
)

// Result is what a reply means.
type Result struct {
	// Code is the basic code, and Class what it decides. Class is
	// [reply.ClassInvalid] where there is no code and the cause does not tell.
	Code  reply.Code
	Class reply.Class
	// Reason is the cause, and Evidence why it is taken to be that.
	Reason   Reason
	Evidence Evidence
	// Provider is the id of who said it, as far as that can be told, or "".
	Provider string
	// Stage is the stage that was given, or that the words tell.
	Stage Stage
	// Advice is what follows, its Scope told by the stage too.
	Advice
	// Retry tells whether the queue tries the same message again. It is so for a
	// transient reply and never for a permanent one.
	Retry bool
	// Hint is the wait that the text names, as it stands there; 0 where it names
	// none. A permanent reply can have one: it is shown and not obeyed.
	Hint time.Duration
	// Wait is the least wait before the next try, without jitter: from the hint,
	// within bounds, or what fits the reason. It is 0 where Retry is false, and
	// where the next try can follow at once.
	Wait time.Duration
	// Conflict is what in the reply contradicts itself.
	Conflict Conflict
}

// Evidence is why a reason was assigned.
type Evidence struct {
	// Layer is the kind of evidence, Confidence how far it can be relied on, in
	// percent.
	Layer      Layer
	Confidence int
	// Rule is the rule that decided; nil where a code alone did.
	Rule *Rule
	// RunnerUp is the next reason that something speaks for, and RunnerUpRule
	// the rule, if it is one.
	RunnerUp     Reason
	RunnerUpRule *Rule
}

// Conflict is what in a reply contradicts its code. The basic code decides all
// the same; a person should see it.
type Conflict uint8

// The conflicts.
const (
	ConflictTextPermanent Conflict = 1 << iota // a transient code whose text says that it is for good
	ConflictTextTransient                      // a permanent code whose text says to try again
	ConflictClass                              // an enhanced status code of another class than the code
	ConflictUnknownCode                        // a basic code that no standard defines
)

var conflictWords = [...]string{"text-permanent", "text-transient", "class-mismatch", "not-standard"}

// String returns the words of the conflicts, joined by commas.
func (c Conflict) String() string {
	var words []string
	for i, w := range conflictWords {
		if c&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	return strings.Join(words, ",")
}

// MarshalText writes the words, as String does.
func (c Conflict) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// permanentWords say that it is for good.
var permanentWords = []string{
	"permanently", "permanent error", "permanent failure", "do not retry", "do not try again", "don't retry", "no need to retry",
	"will not be retried", "never accept*", "message will be discarded",
}

// transientWords say that it is for now.
var transientWords = []string{
	"try again", "try later", "temporarily", "temporary", "retry later", "come back later", "please retry",
	"resend later", "later",
}

// Classify tells what a reply means. It takes time in proportion to the text,
// and allocates nothing once the classifier is warm.
func (c *Classifier) Classify(in Input) Result {
	r := Result{Code: in.Code, Class: in.Class(), Stage: in.Stage}
	if r.Class == reply.ClassCompleted || r.Class == reply.ClassContinue {
		return r
	}
	f := c.scratch.Get().(*findings)
	defer c.scratch.Put(f)
	text := in.Text
	if len(text) > MaxText {
		text = text[:MaxText]
	}
	f.text = appendFolded(f.text[:0], text)
	c.automaton.scan(f)
	provider := c.providerOf(&in, f)
	r.Provider = c.providers[provider].ID
	c.decide(&r, &in, f, provider)
	if r.Class == reply.ClassInvalid {
		r.Class = classWithoutCode(r.Reason)
	}
	c.conclude(&r, &in, f)
	return r
}

// providerOf tells who said it: by the host's name, else by a mark in the
// text.
func (c *Classifier) providerOf(in *Input, f *findings) uint16 {
	for host := in.Host; host != ""; {
		if p, ok := c.hosts[host]; ok {
			return p
		}
		_, host, _ = strings.Cut(host, ".")
	}
	for _, n := range f.found {
		if p := c.marks[n]; p != 0 {
			return p
		}
	}
	return 0
}

// choice keeps the best two answers: the rules of lowest order, of different
// reasons.
type choice struct {
	first, second           *compiledRule
	firstOrder, secondOrder int32
}

func (b *choice) offer(r *compiledRule, order int32) {
	switch {
	case b.first == nil || order < b.firstOrder:
		if b.first != nil && b.first.rule.Reason != r.rule.Reason {
			b.second, b.secondOrder = b.first, b.firstOrder
		}
		b.first, b.firstOrder = r, order
	case r.rule.Reason != b.first.rule.Reason && (b.second == nil || order < b.secondOrder):
		b.second, b.secondOrder = r, order
	}
	if b.second != nil && b.second.rule.Reason == b.first.rule.Reason {
		b.second = nil
	}
}

// ofKnown is taken off the order of a rule whose provider is the one that
// speaks, within its layer.
const ofKnown = 1 << 16

func (r *compiledRule) orderFor(provider uint16) int32 {
	order := int32(r.rule.Layer)<<20 + r.order
	if r.provider != 0 && r.provider == provider && r.rule.Layer == LayerProviderText {
		order -= ofKnown
	}
	return order
}

func (c *Classifier) decide(r *Result, in *Input, f *findings, provider uint16) {
	var best choice
	for _, n := range f.found {
		for _, i := range c.byKey[n] {
			c.try(&best, &c.rules[i], in, f, provider)
		}
	}
	for _, i := range c.overrides[provider] {
		c.try(&best, &c.rules[i], in, f, provider)
	}
	r.Reason, r.Evidence.Layer = byCodes(in)
	if best.first == nil {
		r.Evidence.Confidence = r.Evidence.Layer.Confidence()
		return
	}
	e := &r.Evidence
	if r.Reason != best.first.rule.Reason && r.Reason != ReasonOther {
		e.RunnerUp = r.Reason
	}
	r.Reason, e.Rule, e.Layer = best.first.rule.Reason, best.first.rule, best.first.rule.Layer
	if best.second != nil {
		e.RunnerUp, e.RunnerUpRule = best.second.rule.Reason, best.second.rule
	}
	e.Confidence = e.Layer.Confidence()
}

func (c *Classifier) try(best *choice, rule *compiledRule, in *Input, f *findings, provider uint16) {
	order := rule.orderFor(provider)
	if best.second != nil && order > best.secondOrder {
		return
	}
	if rule.fits(in, provider) && rule.says(f) {
		best.offer(rule, order)
	}
}

// classWithoutCode is the class of a failure that has no code.
func classWithoutCode(r Reason) reply.Class {
	switch r {
	case ReasonNetwork, ReasonTimeout, ReasonGreylisting, ReasonDNSProblem, ReasonTLSFailed, ReasonTooManyRecipients,
		ReasonShutdown, ReasonOverload, ReasonMaintenance, ReasonConnectionLimit, ReasonSessionLimit, ReasonUnavailable:
		return reply.ClassTransient
	case ReasonExpired, ReasonMailboxUnknown, ReasonDomainNotFound, ReasonAddressSyntax, ReasonAuthFailed, ReasonAuthMechanism,
		ReasonRelayDenied, ReasonMessageTooLarge, ReasonUnsupportedParameter, ReasonUnsupportedCommand, ReasonContentVirus:
		return reply.ClassPermanent
	}
	return reply.ClassInvalid
}

// conclude says what follows.
func (c *Classifier) conclude(r *Result, in *Input, f *findings) {
	r.Advice = r.Reason.Default(r.Class)
	r.Scope = scopeAt(in, r.Reason, r.Scope)
	r.Retry = r.Class == reply.ClassTransient && r.Reason != ReasonExpired
	for _, n := range f.found {
		if c.waits[n] && r.Hint == 0 {
			r.Hint = f.waitBehind(n)
		}
		r.Conflict |= c.conflicts[n]
	}
	switch {
	case !r.Retry:
	case r.Hint > 0:
		r.Wait = advisedWait(r.Hint)
	default:
		r.Wait = defaultWait(r.Reason, r.Action)
	}
	r.Conflict = r.Conflict.forClass(r.Class) | codeConflict(in)
}

// waitBehind returns the first wait behind a hit of the fragment.
func (f *findings) waitBehind(n uint32) time.Duration {
	for i := f.first[n]; i >= 0; i = f.hits[i].next {
		if d := waitAt(f.text, int(f.hits[i].end)); d > 0 {
			return d
		}
	}
	return 0
}

func (c Conflict) forClass(class reply.Class) Conflict {
	switch class {
	case reply.ClassTransient:
		return c & ConflictTextPermanent
	case reply.ClassPermanent:
		return c & ConflictTextTransient
	}
	return 0
}

func codeConflict(in *Input) (c Conflict) {
	if in.Code == 0 {
		return 0
	}
	if !in.Enhanced.IsZero() && in.Enhanced.Class() != in.Code.Class() {
		c |= ConflictClass
	}
	if !standardCode(in.Code) {
		c |= ConflictUnknownCode
	}
	return c
}

// scopeAt narrows or widens the usual scope of a reason by where the reply came.
func scopeAt(in *Input, r Reason, usual Scope) Scope {
	early := in.Stage == StageConnect || in.Stage == StageEHLO || in.Stage == StageSTARTTLS || in.Stage == StageAUTH
	switch {
	case usual == ScopeSender || usual == ScopeDestination:
		return usual
	case early && (usual == ScopeMessage || usual == ScopeRecipient):
		return ScopeHost // nobody has spoken of a message yet
	case in.Stage == StageIdle:
		return ScopeConnection
	case in.Code == reply.ServiceNotAvailable && in.Stage == StageUnknown && usual < ScopeConnection:
		return ScopeConnection
	case in.Code == reply.ServiceNotAvailable && !early && in.Stage != StageUnknown:
		return ScopeConnection
	case in.Stage == StageRCPT && (usual == ScopeMessage && r.Family() != FamilyContent):
		return ScopeRecipient
	case in.Stage == StageContent && usual == ScopeRecipient:
		return ScopeMessage
	}
	return usual
}
