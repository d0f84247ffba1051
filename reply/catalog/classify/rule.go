package classify

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/weirmail/weir/reply"
)

//go:embed rules/*.toml
var ruleFiles embed.FS

// Rule is one row of the rule files: what a reply has to say for a reason to be
// assigned to it. All conditions that are there have to hold.
type Rule struct {
	ID       string
	Provider string // whose rule it is; "generic" where it is nobody's
	Layer    Layer
	// Stages, Codes and Enhanced hold any of their elements. A code is three
	// digits, or a class as "4"; an enhanced status code is "4.7.0" or "x.7.0".
	Stages, Codes, Enhanced []string
	// All are pieces of text that stand there in their order, Any those of which
	// one is enough, Not those that must be absent. A piece is found as whole
	// words unless a star is at that end of it.
	All, Any, Not []string
	// Known is set where the rule holds only if the provider is known from the
	// host's name or from a mark in the text.
	Known  bool
	Reason Reason
	Note   string // key of an explanation of its own, or ""
	Source string // address of the document that the rule comes from
	Date   string // when that was looked at, as "2026-11"
	// Examples are replies that the rule is the first to fit.
	Examples []string
}

// Provider is a mail provider, or a mail server program, and what tells it.
type Provider struct {
	ID    string
	Name  string
	Marks []string // pieces of text, as in rules
	Hosts []string // domains of its hosts
}

// Layer is the kind of evidence, the best first.
type Layer uint8

// The layers.
const (
	LayerNone         Layer = iota
	LayerMark               // a provider's own code, as [TSS04] or S3150
	LayerProviderText       // words of a provider's or a server program's
	LayerText               // words that mean the same everywhere
	LayerOverride           // an enhanced status code that the provider uses in its own way
	LayerEnhanced           // the enhanced status code by the registry
	LayerCode               // the basic code, at its stage
	LayerClass              // nothing but the first digit
	layerEnd
)

var layerWords = [layerEnd]string{"", "mark", "provider-text", "text", "override", "enhanced", "code", "class"}

// String returns the word of the layer, "" for [LayerNone].
func (l Layer) String() string { return word(layerWords[:], uint8(l)) }

// MarshalText writes the word, as String does.
func (l Layer) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Confidence returns how far a reason that was found in the layer can be
// relied on, in percent. Below [LayerText] the reply does not say why.
func (l Layer) Confidence() int {
	return [layerEnd]int{0, 99, 95, 88, 75, 65, 40, 15}[l]
}

var errRuleFile = errors.New("rule file")

// loadRules reads all rule files, in the order of their names.
func loadRules(files fs.FS) (providers []Provider, rules []Rule, err error) {
	names, err := fs.Glob(files, "rules/*.toml")
	if err != nil {
		return nil, nil, fmt.Errorf("list the rule files: %w", err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", name, err)
		}
		p, r, err := parseRules(string(text))
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		providers = append(providers, p)
		rules = append(rules, r...)
	}
	return providers, rules, nil
}

// parseRules reads a rule file: keys of the provider, then [[rule]] tables. It
// is the part of TOML that the files use: a key, and a string or a list of
// strings or true, on one line or with one element of the list on each.
func parseRules(text string) (p Provider, rules []Rule, err error) {
	number := 0
	for rest := text; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		number++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case line == "[[rule]]":
			rules = append(rules, Rule{Provider: p.ID})
			continue
		}
		for strings.HasSuffix(line, "[") || strings.Contains(line, "= [") && !strings.HasSuffix(line, "]") {
			var more string
			if rest == "" {
				return p, nil, fmt.Errorf("%w: line %d: list without an end", errRuleFile, number)
			}
			more, rest, _ = strings.Cut(rest, "\n")
			number++
			line += strings.TrimSpace(more)
		}
		if err := setKey(&p, rules, line); err != nil {
			return p, nil, fmt.Errorf("%w: line %d: %w", errRuleFile, number, err)
		}
	}
	for i := range rules {
		setLayer(&rules[i])
	}
	return p, rules, nil
}

func setKey(p *Provider, rules []Rule, line string) error {
	key, value, ok := strings.Cut(line, " = ")
	if !ok {
		return errors.New("no key and value")
	}
	values, err := parseValue(value)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if len(rules) == 0 {
		return setProviderKey(p, key, values)
	}
	return setRuleKey(&rules[len(rules)-1], key, values)
}

func setProviderKey(p *Provider, key string, values []string) error {
	switch key {
	case "provider":
		p.ID = values[0]
	case "name":
		p.Name = values[0]
	case "marks":
		p.Marks = values
	case "hosts":
		p.Hosts = values
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	return nil
}

func setRuleKey(r *Rule, key string, values []string) (err error) {
	lists := map[string]*[]string{
		"stage": &r.Stages, "code": &r.Codes, "enhanced": &r.Enhanced,
		"all": &r.All, "any": &r.Any, "not": &r.Not, "examples": &r.Examples,
	}
	words := map[string]*string{"id": &r.ID, "note": &r.Note, "source": &r.Source, "date": &r.Date}
	switch {
	case lists[key] != nil:
		*lists[key] = values
	case words[key] != nil:
		*words[key] = values[0]
	case key == "known":
		r.Known = values[0] == "true"
	case key == "mark":
		if values[0] == "true" {
			r.Layer = LayerMark
		}
	case key == "reason":
		r.Reason, err = ParseReason(values[0])
	default:
		err = fmt.Errorf("unknown key %q", key)
	}
	return err
}

func setLayer(r *Rule) {
	switch {
	case r.Layer == LayerMark:
	case len(r.All)+len(r.Any) == 0:
		r.Layer, r.Known = LayerOverride, true
	case r.Provider == "generic":
		r.Layer = LayerText
	default:
		r.Layer = LayerProviderText
	}
}

// parseValue reads a string, a list of strings, or true.
func parseValue(s string) ([]string, error) {
	if s == "true" {
		return []string{s}, nil
	}
	list := strings.HasPrefix(s, "[")
	if list {
		s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	}
	var values []string
	for s = strings.TrimSpace(s); s != ""; {
		quoted, err := strconv.QuotedPrefix(s)
		if err != nil {
			return nil, fmt.Errorf("no string: %s", s)
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, fmt.Errorf("bad string %s: %w", quoted, err)
		}
		values = append(values, value)
		s = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s[len(quoted):]), ","))
	}
	if len(values) == 0 || !list && len(values) > 1 {
		return nil, fmt.Errorf("%d strings", len(values))
	}
	return values, nil
}

// parseCode reads "421" or "4".
func parseCode(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n > 599 || n >= 6 && n < 200 {
		return 0, fmt.Errorf("%w: bad code %q", errRuleFile, s)
	}
	return uint16(n), nil
}

// parseStatus reads "4.7.0" or "x.7.0"; class 0 is any.
func parseStatus(s string) (statusCondition, error) {
	if s == "" {
		return statusCondition{}, fmt.Errorf("%w: empty enhanced status code", errRuleFile)
	}
	class := reply.ClassInvalid
	if strings.HasPrefix(s, "x.") {
		s = "5" + s[1:]
	} else {
		class = reply.Class(s[0] - '0')
	}
	e, rest, ok := reply.ParseEnhanced(s)
	if !ok || rest != "" {
		return statusCondition{}, fmt.Errorf("%w: bad enhanced status code %q", errRuleFile, s)
	}
	return statusCondition{class, e.Status()}, nil
}
