package conformance

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseError tells what is wrong with a file of dialogues, and where.
type ParseError struct {
	// File and Line are the place.
	File string
	Line int
	// Problem says what is wrong there.
	Problem string
}

// Error returns it in the form of a compiler.
func (e *ParseError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem) }

// Load reads the dialogues of all .txt files in a folder, in the order of their
// names. Errors are of type *[ParseError], several of them joined.
func Load(folder fs.FS) ([]*Dialogue, error) {
	names, err := fs.Glob(folder, "*.txt")
	if err != nil {
		return nil, err
	}
	var all []*Dialogue
	var errs []error
	for _, name := range names {
		source, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("reading the dialogues: %w", err)
		}
		some, err := Parse(path.Base(name), string(source))
		all, errs = append(all, some...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

var fileName = regexp.MustCompile(`^rfc(\d+)-([A-Z0-9.]+)(-[a-z0-9-]+)?\.txt$`)

// Parse reads one file. Errors are of type *[ParseError], several of them joined.
func Parse(file, source string) ([]*Dialogue, error) {
	p := &parser{file: file}
	m := fileName.FindStringSubmatch(file)
	if m == nil {
		return nil, &ParseError{file, 1, "the file is to be named like rfc5321-4.1.1.1-ehlo.txt"}
	}
	p.rfc, p.section = m[1], m[2]
	for i, line := range strings.Split(source, "\n") {
		p.line = i + 1
		if err := p.read(line); err != nil {
			p.errs = append(p.errs, &ParseError{file, p.line, err.Error()})
		}
	}
	p.finish()
	return p.all, errors.Join(p.errs...)
}

type parser struct {
	file, rfc, section string
	line               int
	all                []*Dialogue
	current            *Dialogue
	leveled            bool
	times              int // how often the steps up to the next reply are played
	mark               int // where they begin
	errs               []error
}

func (p *parser) read(line string) error {
	trimmed := strings.TrimRight(line, " ")
	word, rest, _ := strings.Cut(trimmed, " ")
	switch {
	case trimmed == "" || strings.HasPrefix(line, "#"):
		return nil
	case word == "===":
		return p.begin(rest)
	case p.current == nil:
		return errors.New("a dialogue begins with === and its name")
	case !p.leveled:
		p.leveled = true
		return p.level(word, rest)
	case word == "needs":
		return p.needs(rest)
	case word == "times":
		return p.repeat(rest)
	}
	steps, err := p.steps(word, rest)
	for i := range steps {
		steps[i].line = p.line
	}
	d := p.current
	d.steps = append(d.steps, steps...)
	if p.times > 0 && word == "S:" {
		d.steps = slices.Concat(d.steps[:p.mark], slices.Repeat(d.steps[p.mark:], p.times))
		p.times = 0
	}
	return err
}

// maxTimes bounds a repetition.
const maxTimes = 1000

func (p *parser) repeat(rest string) (err error) {
	if p.times, err = strconv.Atoi(rest); err != nil || p.times < 1 || p.times > maxTimes {
		return fmt.Errorf("times takes a number from 1 to %d", maxTimes)
	}
	p.mark = len(p.current.steps)
	return nil
}

func (p *parser) begin(name string) error {
	p.finish()
	if name == "" {
		return errors.New("the dialogue has no name")
	}
	for _, d := range p.all {
		if d.Name == name {
			return fmt.Errorf("the dialogue of line %d has the same name", d.Line)
		}
	}
	p.current = &Dialogue{File: p.file, Line: p.line, Name: name, RFC: p.rfc, Section: p.section}
	p.leveled, p.times = false, 0
	p.all = append(p.all, p.current)
	return nil
}

func (p *parser) finish() {
	if d := p.current; d != nil && len(d.steps) == 0 {
		p.errs = append(p.errs, &ParseError{p.file, d.Line, "the dialogue has no steps"})
	}
}

func (p *parser) level(word, rest string) error {
	if err := p.current.Level.Set(word); err != nil {
		return err
	}
	switch words := strings.Fields(rest); len(words) {
	case 0:
	case 2:
		p.current.RFC, p.current.Section = words[0], words[1]
	default:
		return errors.New("behind the level stands nothing, or an RFC and its section")
	}
	return nil
}

func (p *parser) needs(rest string) error {
	if len(p.current.steps) > 0 {
		return errors.New("needs stands before the steps")
	}
	for _, word := range strings.Fields(rest) {
		p.current.needs = append(p.current.needs, parseNeed(word))
	}
	return nil
}

func parseNeed(s string) need {
	s, not := strings.CutPrefix(s, "!")
	s, inTLS := strings.CutPrefix(s, "tls:")
	keyword, word, _ := strings.Cut(s, "=")
	return need{keyword: keyword, word: word, not: not, inTLS: inTLS}
}

// macros are the steps in one word that stand for others.
var macros = map[string][]string{
	"greeting":    {"S: 220"},
	"ehlo":        {"C: EHLO {client}", "S: 250", "note"},
	"hello":       {"greeting", "ehlo"},
	"helo":        {"greeting", "C: HELO {client}", "S: 250"},
	"secure":      {"hello", "upgrade"},
	"account":     {"secure", "signin"},
	"sender":      {"C: MAIL FROM:<{sender}>", "S: 250"},
	"recipient":   {"C: RCPT TO:<{recipient}>", "S: 250|251"},
	"transaction": {"sender", "recipient"},
	"deliver": {
		"C: DATA", "S: 354", "C: From: <{sender}>", "C: Subject: conformance", "C: ", "C: Hello.", "C: .", "S: 250",
	},
	"open": {"C: NOOP", "S: 250"},
}

// simple are the steps in one word.
var simple = map[string]kind{
	"flush": kindFlush, "starttls": kindStartTLS, "upgrade": kindUpgrade, "signin": kindSignIn, "closed": kindClosed, "eof": kindEOF, "note": kindNote,
}

func (p *parser) steps(word, rest string) ([]step, error) {
	if lines, ok := macros[word]; ok && rest == "" {
		return p.macro(lines)
	}
	if k, ok := simple[word]; ok && rest == "" {
		return []step{{kind: k}}, nil
	}
	s := step{}
	var err error
	switch word {
	case "C:":
		s.kind = kindSay
		s.say, err = parseText(rest)
	case "S:":
		s.kind = kindExpect
		s.expect, err = parseExpectation(rest)
	case "has", "lacks":
		s.kind, s.has = kindHas, parseNeed(rest)
		s.has.not = word == "lacks"
	case "given":
		s.kind, s.has = kindGiven, parseNeed(rest)
	case "wait":
		s.kind = kindWait
		s.wait, err = time.ParseDuration(rest)
	default:
		return nil, fmt.Errorf("%q is no step", word)
	}
	return []step{s}, err
}

func (p *parser) macro(lines []string) ([]step, error) {
	var all []step
	for _, line := range lines {
		word, rest, _ := strings.Cut(line, " ")
		some, err := p.steps(word, rest)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}
