package smtpserver

import (
	"strings"

	"github.com/weirmail/weir/reply"
)

// Row is one reply that a server can send. Rows are made once, at package
// level, and never changed; a handler picks one by its name and never writes
// a reply of its own.
type Row struct {
	// Name names the row in tests and in the reference, as "mail-ok".
	Name string
	// Code and Status are the reply's codes.
	Code   reply.Code
	Status reply.Status
	// Text is the text, with places like {limit} that are filled in when the
	// reply is sent. The place {host} is the server's name.
	Text string
	// Reason is the token of the refusal; empty for a reply that refuses
	// nothing.
	Reason string
	// RFC names the document and section that decides, as "RFC 5321 4.1.1.4".
	RFC string
	// When says in a few words when the reply is sent, for the reference.
	When string
	// Advice says in plain words, for the reference, what is to be done about
	// the reply: who acts, whether to try again, and when.
	Advice string

	// wire is the whole reply where the text has no places.
	wire []byte
}

// NewRow completes a row. It is meant for package-level tables.
func NewRow(r Row) *Row {
	if !strings.Contains(r.Text, "{") {
		r.wire = reply.New(r.Code, r.Status, r.Text).Append(nil)
	}
	return &r
}

// Reply returns the row as a reply, its places filled with args in their
// order. {host} is filled with the host and takes none of them.
func (r *Row) Reply(host string, args ...string) reply.Reply {
	return reply.New(r.Code, r.Status, fill(r.Text, host, args))
}

func fill(text, host string, args []string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + len(host) + lengthOf(args))
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		var place string
		place, text, _ = strings.Cut(rest, "}")
		switch {
		case place == "host":
			b.WriteString(host)
		case len(args) > 0:
			b.WriteString(args[0])
			args = args[1:]
		}
	}
}

func lengthOf(args []string) (n int) {
	for _, arg := range args {
		n += len(arg)
	}
	return n
}

// Refusal is the error by which a [Session] refuses: it says which reply the
// client hears. A row of the classes 4yz and 5yz is expected; a row with the
// code 421 closes the connection.
type Refusal struct {
	Row *Row
	// Args fill the places of the row's text, in their order.
	Args []string
	// Cause is what lies behind the refusal, for the log. It is not shown to
	// the client.
	Cause error
}

// Refuse returns a Refusal with a row and what fills its places.
func Refuse(row *Row, args ...string) *Refusal {
	return &Refusal{Row: row, Args: args}
}

// Error returns the reply in one line, and the cause.
func (r *Refusal) Error() string {
	text := r.Row.Reply("", r.Args...).String()
	if r.Cause != nil {
		text += ": " + r.Cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Cause }
