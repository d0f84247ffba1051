package classify

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/weirmail/weir/reply"
)

// Classifier holds the rules, made ready to be looked up. It does not change
// once it is made, and any number of goroutines may use it.
type Classifier struct {
	providers []Provider
	rules     []compiledRule
	automaton *automaton
	byKey     [][]uint32        // fragment -> the rules that hang on it
	marks     []uint16          // fragment -> the provider that it tells, 0 is none
	waits     []bool            // fragment -> a wait may follow
	conflicts []Conflict        // fragment -> what it says of the class
	hosts     map[string]uint16 // domain -> provider
	overrides [][]uint32        // provider -> its rules without text
	scratch   sync.Pool         // of *findings
}

// compiledRule is a rule with its words made numbers.
type compiledRule struct {
	rule     *Rule
	order    int32
	provider uint16
	stages   uint16 // a bit for each stage; 0 is any
	classes  uint8  // a bit for each class
	codes    []uint16
	status   []statusCondition
	all      []uint32 // of the fragments in their order
	any, not []phrase
}

// phrase is the numbers of fragments that stand near each other, in their
// order: one, or more where a rule has a star within.
type phrase []uint32

// maxGap is how many octets a star within a phrase can stand for.
const maxGap = 60

type statusCondition struct {
	class  reply.Class // 0 is any
	status reply.Status
}

// Default returns the classifier with the rules of this package. It is made at
// the first call, which takes some milliseconds.
var Default = sync.OnceValue(func() *Classifier {
	c, err := newClassifier(ruleFiles)
	if err != nil {
		// The files are a part of the program, and a test reads them.
		panic(err)
	}
	return c
})

// Rules returns all rules in the order in which they are looked at within
// their layers. The caller must not change them.
func (c *Classifier) Rules() []*Rule {
	all := make([]*Rule, len(c.rules))
	for i := range c.rules {
		all[i] = c.rules[i].rule
	}
	return all
}

// Providers returns the providers and server programs that are known. The
// caller must not change them.
func (c *Classifier) Providers() []Provider { return c.providers[1:] }

// compiler gives numbers to fragments.
type compiler struct {
	c         *Classifier
	fragments []fragment
	numbers   map[string]uint32
}

func newClassifier(files fs.FS) (*Classifier, error) {
	providers, rules, err := loadRules(files)
	if err != nil {
		return nil, err
	}
	c := &Classifier{providers: append([]Provider{{}}, providers...), hosts: map[string]uint16{}}
	c.overrides = make([][]uint32, len(c.providers))
	k := &compiler{c: c, numbers: map[string]uint32{}}
	slices.SortStableFunc(rules, func(a, b Rule) int { return int(a.Layer) - int(b.Layer) })
	for i := range rules {
		if err := k.rule(&rules[i]); err != nil {
			return nil, fmt.Errorf("rule %s: %w", rules[i].ID, err)
		}
	}
	k.providers()
	k.words()
	c.automaton = newAutomaton(k.fragments)
	c.scratch.New = func() any { return newFindings(len(k.fragments)) }
	return c, nil
}

// fragment returns the number of a fragment.
func (k *compiler) fragment(pattern string) uint32 {
	if n, ok := k.numbers[pattern]; ok {
		return n
	}
	n := uint32(len(k.fragments))
	k.numbers[pattern] = n
	k.fragments = append(k.fragments, newFragment(pattern))
	k.c.byKey = append(k.c.byKey, nil)
	k.c.marks = append(k.c.marks, 0)
	k.c.waits = append(k.c.waits, false)
	k.c.conflicts = append(k.c.conflicts, 0)
	return n
}

func (k *compiler) list(patterns []string) (numbers []uint32) {
	for _, p := range patterns {
		numbers = append(numbers, k.fragment(p))
	}
	return numbers
}

func (k *compiler) phrases(patterns []string) (all []phrase) {
	for _, p := range patterns {
		all = append(all, k.list(pieces(p)))
	}
	return all
}

// pieces cuts a phrase at the stars within it. The pieces keep a star there:
// "domain*exist" is "domain*" and "*exist".
func pieces(pattern string) (all []string) {
	for {
		at := strings.IndexByte(pattern[min(1, len(pattern)):], '*') + 1
		if at == 0 || at == len(pattern)-1 {
			return append(all, pattern)
		}
		all = append(all, pattern[:at+1])
		pattern = pattern[at:]
	}
}

// longest returns the fragment with the longest text, which is seldom found.
func (k *compiler) longest(numbers []uint32) uint32 {
	key := numbers[0]
	for _, n := range numbers {
		if len(k.fragments[n].text) > len(k.fragments[key].text) {
			key = n
		}
	}
	return key
}

func (k *compiler) rule(r *Rule) error {
	number := uint32(len(k.c.rules))
	compiled := compiledRule{rule: r, order: int32(number), provider: k.providerNumber(r.Provider)}
	if err := compiled.setConditions(r); err != nil {
		return err
	}
	compiled.all, compiled.any, compiled.not = k.list(r.All), k.phrases(r.Any), k.phrases(r.Not)
	switch {
	case len(compiled.all) > 0:
		key := k.longest(compiled.all)
		k.c.byKey[key] = append(k.c.byKey[key], number)
	case len(compiled.any) > 0:
		for _, p := range compiled.any {
			if key := k.longest(p); !slices.Contains(k.c.byKey[key], number) {
				k.c.byKey[key] = append(k.c.byKey[key], number)
			}
		}
	default:
		k.c.overrides[compiled.provider] = append(k.c.overrides[compiled.provider], number)
	}
	k.c.rules = append(k.c.rules, compiled)
	return nil
}

func (r *compiledRule) setConditions(rule *Rule) error {
	for _, word := range rule.Stages {
		s, ok := parseStage(word)
		if !ok {
			return fmt.Errorf("%w: no stage %q", errRuleFile, word)
		}
		r.stages |= 1 << s
	}
	for _, word := range rule.Codes {
		n, err := parseCode(word)
		if err != nil {
			return err
		}
		if n < 6 {
			r.classes |= 1 << n
			continue
		}
		r.codes = append(r.codes, n)
	}
	for _, word := range rule.Enhanced {
		s, err := parseStatus(word)
		if err != nil {
			return err
		}
		r.status = append(r.status, s)
	}
	return nil
}

func (k *compiler) providerNumber(id string) uint16 {
	for i := range k.c.providers {
		if i > 0 && k.c.providers[i].ID == id {
			return uint16(i)
		}
	}
	return 0
}

func (k *compiler) providers() {
	for i := range k.c.providers {
		for _, m := range k.c.providers[i].Marks {
			k.c.marks[k.fragment(m)] = uint16(i)
		}
		for _, h := range k.c.providers[i].Hosts {
			k.c.hosts[strings.ToLower(h)] = uint16(i)
		}
	}
}

// words adds what is not a rule's: words before a wait, and words that say
// that it is for good or for now.
func (k *compiler) words() {
	for _, p := range waitPhrases {
		k.c.waits[k.fragment(p)] = true
	}
	for _, p := range permanentWords {
		k.c.conflicts[k.fragment(p)] |= ConflictTextPermanent
	}
	for _, p := range transientWords {
		k.c.conflicts[k.fragment(p)] |= ConflictTextTransient
	}
}

// fits tells whether the conditions of the rule hold that are not of the text.
func (r *compiledRule) fits(in *Input, provider uint16) bool {
	if r.stages != 0 && r.stages&(1<<in.Stage) == 0 {
		return false
	}
	if r.rule.Known && r.provider != provider {
		return false
	}
	return r.fitsCode(in) && r.fitsStatus(in.Enhanced)
}

func (r *compiledRule) fitsCode(in *Input) bool {
	if r.classes == 0 && len(r.codes) == 0 {
		return true
	}
	return r.classes&(1<<in.Class()) != 0 || slices.Contains(r.codes, uint16(in.Code))
}

func (r *compiledRule) fitsStatus(e reply.Enhanced) bool {
	if len(r.status) == 0 {
		return true
	}
	for i := range r.status {
		s := &r.status[i]
		if s.status == e.Status() && (s.class == reply.ClassInvalid || s.class == e.Class()) {
			return true
		}
	}
	return false
}

// says tells whether the text says what the rule looks for.
func (r *compiledRule) says(f *findings) bool {
	for _, p := range r.not {
		if f.hasPhrase(p) {
			return false
		}
	}
	if len(r.any) > 0 && !slices.ContainsFunc(r.any, f.hasPhrase) {
		return false
	}
	from := int32(0)
	for _, n := range r.all {
		if _, from = f.next(n, from); from < 0 {
			return false
		}
	}
	return true
}
