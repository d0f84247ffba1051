package smtpserver

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/weirmail/weir/reply"
)

// answer is the one door out: every reply passes here. It is kept in the
// buffer until the input is exhausted, so that the replies to a pipelined
// group leave in one write. A row whose code closes ends the session.
func (c *Conn) answer(row *Row, args ...string) {
	if row.wire != nil {
		c.send(row, args, func(dst []byte) []byte { return append(dst, row.wire...) })
		return
	}
	if len(args) == 0 {
		wire := c.server.wires.row(row, c.server.Hostname)
		c.send(row, args, func(dst []byte) []byte { return append(dst, wire...) })
		return
	}
	r := row.Reply(c.server.Hostname, args...)
	c.send(row, args, r.Append)
}

func (c *Conn) send(row *Row, args []string, write func(dst []byte) []byte) {
	if c.closing {
		return // a 421 or 221 was the last word
	}
	if c.out == nil {
		c.out = commandBuffers.get()
	}
	// Append to the pooled array; a reply that does not fit goes into a new
	// one that the buffer keeps for the rest of its life.
	c.out.data = write(c.out.data[:c.out.w])
	c.out.w = len(c.out.data)
	c.out.data = c.out.data[:cap(c.out.data)]
	if row.Code.Closes() {
		c.closing = true
		c.lingers = c.lingers || row.Code == reply.ServiceNotAvailable
	}
	if hook := c.server.Hooks.Reply; hook != nil {
		hook(c, ReplyEvent{Row: row, Stage: c.stage, Args: args})
	}
	if c.out.w >= commandSize/2 && !c.closing {
		c.flush()
	}
}

// flush writes the replies that wait. Where that fails the session is over, and
// nothing more is said: the peer would take it for the answer to something else.
func (c *Conn) flush() error {
	if c.out == nil {
		return nil
	}
	b := c.out
	c.out = nil
	defer b.release()
	err := c.tcp.SetWriteDeadline(time.Now().Add(c.server.Timeouts.Write))
	if err == nil {
		_, err = c.nc.Write(b.data[:b.w])
	}
	if err != nil {
		c.closing, c.lingers = true, false
		if c.err == nil {
			c.err = fmt.Errorf("writing replies: %w", err)
		}
	}
	return err
}

// reject answers a protocol error. Beyond the limit of errors the answer is
// 421 and the end.
func (c *Conn) reject(row *Row, args ...string) {
	c.errors++
	if int(c.errors) > c.server.Limits.Errors {
		c.answer(ReplyTooManyErrors)
		return
	}
	c.answer(row, args...)
}

// answerIdle answers a command that brings no message nearer. Beyond the limit of
// them the answer is 421 and the end.
func (c *Conn) answerIdle(row *Row, args ...string) {
	if !c.spend() {
		c.answer(row, args...)
	}
}

// spend counts a command without mail, and answers and reports true where it was
// one too many.
func (c *Conn) spend() bool {
	c.idle++
	limit := c.server.Limits.Commands
	if int(c.idle) > limit {
		c.answer(ReplyTooManyCommands, strconv.Itoa(limit))
	}
	return int(c.idle) > limit
}

// refuse answers with what a session's error says.
func (c *Conn) refuse(err error) {
	if (c.tx == nil || c.tx.accepted == 0) && c.spend() {
		return
	}
	if refusal := refusalOf(err); refusal != nil {
		c.answer(refusal.Row, refusal.Args...)
		return
	}
	c.fault(err)
	c.answer(ReplySessionFault)
}

func refusalOf(err error) *Refusal {
	if r, ok := err.(*Refusal); ok {
		return r
	}
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}
