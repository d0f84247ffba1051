package smtptest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// separator begins the script of the next connection.
const separator = "--- connection"

// maxContent is the greatest size that a <data> or <bdat> step may name, and
// the most that a peer takes of one message, in octets.
const maxContent = 256 << 20

// ParseError says what is wrong with a line of a dialogue file.
type ParseError struct {
	File    string
	Line    int // from 1
	Problem string
}

// Error returns "file:line: problem".
func (e *ParseError) Error() string {
	return e.File + ":" + strconv.Itoa(e.Line) + ": " + e.Problem
}

// Parse reads a dialogue; name stands for the file in messages. The error holds
// a *[ParseError] for each line at fault, joined.
func Parse(name, text string) (*Dialogue, error) {
	p := parser{d: &Dialogue{name: name}}
	for line := range strings.Lines(text) {
		p.line++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if err := p.add(line); err != nil {
			p.errs = append(p.errs, &ParseError{File: name, Line: p.line, Problem: err.Error()})
		}
	}
	if len(p.errs) == 0 && len(p.d.connections) == 0 {
		p.errs = append(p.errs, &ParseError{File: name, Line: max(p.line, 1), Problem: "the dialogue is empty"})
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return p.d, nil
}

type parser struct {
	d    *Dialogue
	line int
	errs []error
}

func (p *parser) add(line string) error {
	switch {
	case line == "" || line[0] == '#':
		return nil
	case strings.HasSuffix(line, " ") || strings.HasSuffix(line, "\t"):
		return errors.New(`white space at the end of the line; write \x20 where it is meant`)
	case strings.ContainsFunc(line, isControl):
		return errors.New(`a control character; write it as an escape`)
	case strings.HasPrefix(line, separator):
		return p.nextConnection(line[len(separator):])
	case line[0] == '|':
		return p.addContent(line[1:])
	}
	s, err := parseStep(line)
	if err != nil {
		return err
	}
	return p.addStep(s)
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func (p *parser) nextConnection(title string) error {
	if title != "" && title[0] != ' ' {
		return errors.New(`"--- connection" is followed by a space and a title, or by nothing`)
	}
	title = strings.TrimSpace(title)
	p.d.connections = append(p.d.connections, script{title: title, line: p.line})
	return nil
}

func (p *parser) addStep(s step) error {
	if len(p.d.connections) == 0 {
		p.d.connections = []script{{line: p.line}}
	}
	c := &p.d.connections[len(p.d.connections)-1]
	if n := len(c.steps); n > 0 && c.steps[n-1].ends() {
		return fmt.Errorf("nothing can follow %q on line %d", c.steps[n-1].String(), c.steps[n-1].line)
	}
	s.line = p.line
	c.steps = append(c.steps, s)
	return nil
}

// ends tells whether the connection is over after the step. An <eof> is not the
// end: the other side may still have something to say.
func (s step) ends() bool {
	switch s.kind {
	case kindClose, kindReset, kindStall, kindDrain:
		return true
	case kindStartTLS:
		return s.shake != shakeOK
	}
	return false
}

func (p *parser) addContent(text string) error {
	if text != "" && text[0] != ' ' {
		return errors.New(`one space follows the "|"`)
	}
	s := p.lastStep()
	if s == nil || s.kind != kindData && s.kind != kindBDAT {
		return errors.New(`a "|" line without a <data> or <bdat> before it`)
	}
	line, err := parsePattern(strings.TrimPrefix(text, " "))
	if err != nil {
		return err
	}
	s.content = append(s.content, line)
	return nil
}

func (p *parser) lastStep() *step {
	if len(p.d.connections) == 0 {
		return nil
	}
	c := &p.d.connections[len(p.d.connections)-1]
	if len(c.steps) == 0 {
		return nil
	}
	return &c.steps[len(c.steps)-1]
}

func parseStep(line string) (step, error) {
	if s, ok := directives[line]; ok {
		return s, nil
	}
	if after, ok := strings.CutPrefix(line, "wait "); ok {
		return parseWait(after)
	}
	who, text, ok := strings.Cut(line, ":")
	if !ok || who != "S" && who != "C" {
		return step{}, fmt.Errorf("%q is neither S:, C:, |, # nor a word that a player knows", line)
	}
	if text != "" && (text[0] != ' ' || strings.HasPrefix(text, "  ")) {
		return step{}, fmt.Errorf(`exactly one space follows "%s:"; write \x20 for more`, who)
	}
	return parseSpeech(side(who[0]), strings.TrimPrefix(text, " "))
}

func parseWait(s string) (step, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return step{}, fmt.Errorf("%q is not a duration such as 90s", s)
	}
	return step{kind: kindWait, wait: d}, nil
}

func parseSpeech(who side, text string) (step, error) {
	if strings.HasPrefix(text, "<") && strings.HasSuffix(text, ">") {
		return parseSpecial(who, text[1:len(text)-1])
	}
	p, err := parsePattern(text)
	return step{side: who, kind: kindLine, text: p}, err
}

func parseSpecial(who side, text string) (step, error) {
	word, args, _ := strings.Cut(text, " ")
	s := step{side: who}
	var err error
	switch {
	case word == "eof" && args == "":
		s.kind = kindEOF
	case word == "reply" && who == server:
		s.kind = kindReply
		s.text, err = parsePattern(args)
	case word == "data" && who == client:
		s.kind = kindData
		err = s.parseSizes(args)
	case word == "bdat" && who == client:
		s.kind = kindBDAT
		err = s.parseSizes(args)
	default:
		err = fmt.Errorf("<%s> is not known after %q", text, string(rune(who))+":")
	}
	return s, err
}

// parseSizes reads "120", "last", "120 last" and the like.
func (s *step) parseSizes(args string) error {
	s.size = -1
	for word := range strings.FieldsSeq(args) {
		n, err := strconv.Atoi(word)
		switch {
		case err == nil && n >= 0 && n <= maxContent && s.size < 0 && s.last == anyChunk:
			s.size = n
		case word == "last" && s.kind == kindBDAT && s.last == anyChunk:
			s.last = lastChunk
		case word == "more" && s.kind == kindBDAT && s.last == anyChunk:
			s.last = moreChunks
		default:
			return fmt.Errorf("%q is not a size in octets here, nor \"last\" or \"more\"", word)
		}
	}
	return nil
}
