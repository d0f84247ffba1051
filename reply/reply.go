package reply

import "strings"

// Reply is one reply of a server: a code, the subject and detail of the
// enhanced status code, and the lines of text. It is a plain value; copies
// share the slice of lines, which nobody changes after the reply is made.
type Reply struct {
	// Code is the basic code.
	Code Code
	// Status is the enhanced status code without its class. The class is that
	// of Code.
	Status Status
	// Lines is the text, one element for each line, without line ends and
	// without codes. A reply without text has no lines.
	Lines []string
}

// New returns a reply. Line ends inside of text separate its lines; every
// other control character becomes a space when the reply is written.
func New(code Code, status Status, text string) Reply {
	return Reply{Code: code, Status: status, Lines: splitLines(text)}
}

func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, "\r")
	}
	return lines
}

// IsZero reports that there is no reply at all.
func (r Reply) IsZero() bool { return r.Code == 0 }

// Enhanced returns the enhanced status code. It is the zero value where the
// reply has none.
func (r Reply) Enhanced() Enhanced {
	e, _ := r.Status.In(r.Code.Class())
	return e
}

// Text returns the lines joined by one space.
func (r Reply) Text() string { return strings.Join(r.Lines, " ") }

// String returns the reply in one line, for logs and reports: code, enhanced
// status code, and the lines joined by spaces. Control characters are
// replaced, so that a peer cannot write into a log what it likes.
func (r Reply) String() string {
	dst := append(make([]byte, 0, 128), r.Code.String()...)
	if e := r.Enhanced(); !e.IsZero() {
		dst = e.append(append(dst, ' '))
	}
	for _, line := range r.Lines {
		dst = appendText(append(dst, ' '), line)
	}
	return string(dst)
}
