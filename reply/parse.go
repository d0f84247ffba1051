package reply

import (
	"errors"
	"fmt"
	"strings"
)

// The limits of what [Parser] takes from a peer. A reply beyond them is an
// error and not a reason to use more memory.
const (
	// MaxParseLine is the longest line, with its line end. It is more than
	// [MaxLine], since real servers write longer lines.
	MaxParseLine = 2048
	// MaxParseLines is the greatest number of lines in a reply.
	MaxParseLines = 128
)

// The errors of [Parser.Line] and [Parse]. They are wrapped; ask with
// errors.Is.
var (
	ErrMalformed   = errors.New("malformed reply line")
	ErrMixedCodes  = errors.New("lines of one reply have different codes")
	ErrTooLong     = errors.New("reply line too long")
	ErrTooMany     = errors.New("too many lines in one reply")
	ErrIncomplete  = errors.New("reply ends before its last line")
	ErrInvalidCode = errors.New("reply code outside 200-599")
)

// Parser assembles a reply from its lines. The zero value is ready. It is not
// safe for concurrent use.
type Parser struct {
	reply  Reply
	begun  bool
	mixed  bool // lines disagree about the enhanced status code
	status Status
}

// Line takes one line without its line end. When the line is the last of the
// reply, done is true and r is the reply; the parser is ready for the next
// one then, as it is after an error.
//
// The enhanced status code is taken from the text where each line begins with
// the same one and its class agrees with the code (RFC 2034 section 4).
// Otherwise, as with "554 4.4.7", the code decides and the text keeps what
// stood there.
func (p *Parser) Line(line string) (r Reply, done bool, err error) {
	code, last, text, err := splitLine(line)
	if err == nil {
		err = p.add(code, text)
	}
	if err != nil {
		*p = Parser{}
		return Reply{}, false, err
	}
	if !last {
		return Reply{}, false, nil
	}
	r = p.finish()
	*p = Parser{}
	return r, true, nil
}

func (p *Parser) add(code Code, text string) error {
	if len(p.reply.Lines) >= MaxParseLines {
		return ErrTooMany
	}
	if p.begun && code != p.reply.Code {
		return fmt.Errorf("%w: %d after %d", ErrMixedCodes, code, p.reply.Code)
	}
	var status Status
	if e, _, ok := ParseEnhanced(text); ok && e.Class() == code.Class() {
		status = e.Status()
	}
	if p.begun && status != p.status {
		p.mixed = true
	}
	p.reply.Code, p.status, p.begun = code, status, true
	p.reply.Lines = append(p.reply.Lines, text)
	return nil
}

func (p *Parser) finish() Reply {
	r := p.reply
	if !p.mixed && !p.status.IsZero() {
		r.Status = p.status
		for i, line := range r.Lines {
			_, r.Lines[i], _ = ParseEnhanced(line)
		}
	}
	if len(r.Lines) == 1 && r.Lines[0] == "" {
		r.Lines = nil
	}
	return r
}

// splitLine takes a line apart (RFC 5321 section 4.2.1). A line of three
// digits alone is the last line of a reply without text.
func splitLine(line string) (code Code, last bool, text string, err error) {
	if len(line) > MaxParseLine {
		return 0, false, "", ErrTooLong
	}
	if len(line) < 3 {
		return 0, false, "", fmt.Errorf("%w: shorter than a code", ErrMalformed)
	}
	for i := range 3 {
		if line[i] < '0' || line[i] > '9' {
			return 0, false, "", fmt.Errorf("%w: does not begin with three digits", ErrMalformed)
		}
		code = code*10 + Code(line[i]-'0')
	}
	if code.Class() == ClassInvalid {
		return 0, false, "", fmt.Errorf("%w: %d", ErrInvalidCode, code)
	}
	switch {
	case len(line) == 3:
		return code, true, "", nil
	case line[3] == ' ':
		return code, true, line[4:], nil
	case line[3] == '-':
		return code, false, line[4:], nil
	}
	return 0, false, "", fmt.Errorf("%w: code followed by neither space nor hyphen", ErrMalformed)
}

// Parse reads exactly one reply from s. Lines end with CRLF or LF; the end of
// the last may be missing.
func Parse(s string) (Reply, error) {
	var p Parser
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		r, done, err := p.Line(line)
		if err != nil {
			return Reply{}, err
		}
		if done {
			return r, nil
		}
	}
	return Reply{}, ErrIncomplete
}
