package inbound

import (
	"bytes"
	"io"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/mail"
)

// The bounds of the look at the header section before anything is passed on. Where
// its end is not within them, nothing is added.
const (
	leastHeader   = 4 << 10
	longestHeader = 64 << 10
)

// repair is what a message lacks that was submitted, and is given (RFC 6409
// sections 8.2 and 8.3): programs that send mail of their own may leave to the
// server what they do not know. Nothing that is there is touched.
type repair struct {
	date, messageID []byte // the fields, for whoever lacks them
	looked          bool
	held            []byte // what was read of the message
	err             error  // that ended the reading
}

// newRepair returns what a message can be given.
func newRepair(e *mail.Envelope, hostname string, now time.Time) *repair {
	id := append([]byte("Message-ID: <"), e.ID.String()...)
	id = append(append(append(id, '@'), hostname...), ">\r\n"...)
	return &repair{
		date:      now.AppendFormat([]byte("Date: "), "Mon, 2 Jan 2006 15:04:05 -0700\r\n"),
		messageID: id,
	}
}

// look reads the header section and returns the fields to put before it.
func (r *repair) look(read func([]byte) (int, error)) []byte {
	r.looked = true
	r.held = make([]byte, 0, leastHeader)
	for r.err == nil && len(r.held) < longestHeader {
		if len(r.held) == cap(r.held) {
			r.held = append(make([]byte, 0, min(4*cap(r.held), longestHeader)), r.held...)
		}
		n, err := read(r.held[len(r.held):cap(r.held)])
		r.held, r.err = r.held[:len(r.held)+n], err
		if header, ended := headerSection(r.held); ended || r.err == io.EOF {
			return r.missing(header)
		}
	}
	return nil
}

// missing returns the fields that a header section lacks. One that begins with the
// rest of a folded line would take them for the line's beginning, and gets none.
func (r *repair) missing(header []byte) []byte {
	if len(header) > 0 && (header[0] == ' ' || header[0] == '\t') {
		return nil
	}
	var date, id bool
	for line := range bytes.Lines(header) {
		date, id = date || isField(line, "date"), id || isField(line, "message-id")
	}
	var fields []byte
	if !date {
		fields = append(fields, r.date...)
	}
	if !id {
		fields = append(fields, r.messageID...)
	}
	return fields
}

// isField tells whether a line begins a field. White space before the colon is what
// RFC 822 allowed (RFC 5322 section 4.5).
func isField(line []byte, name string) bool {
	before, _, found := bytes.Cut(line, []byte{':'})
	return found && strings.EqualFold(string(bytes.TrimRight(before, " \t")), name)
}

// headerSection returns the lines before the first that is empty, and whether there
// is such a one.
func headerSection(p []byte) (header []byte, ended bool) {
	at := 0
	for line := range bytes.Lines(p) {
		if len(line) == 1 && line[0] == '\n' || string(line) == "\r\n" {
			return p[:at], true
		}
		at += len(line)
	}
	return p, false
}

// take gives what was read ahead, and then reports false.
func (r *repair) take(p []byte) (n int, err error, had bool) {
	if len(r.held) > 0 {
		n = copy(p, r.held)
		r.held = r.held[n:]
		return n, nil, true
	}
	return 0, r.err, r.err != nil
}
