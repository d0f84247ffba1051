package smtpclient

import (
	"context"
	"errors"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// window is how many commands are sent ahead of their replies. Their replies must
// fit into what the connection buffers, or both sides would wait for each other to
// read (RFC 2920 section 3.1); those to 100 take some 10 KiB.
const window = 100

// Send hands a message over. The Result is never nil and tells what each
// recipient was answered, also where there is an error; a refusal is no error.
// The error is an *[Error]: its Closed tells whether the client can be used on.
// It is false only where the transaction cannot be sent at all, which is found
// before anything is written. The connection is then as it was.
func (c *Client) Send(ctx context.Context, t *Transaction) (*Result, error) {
	x := exchange{c: c, t: t, result: newResult(len(t.Recipients)), chunking: c.offers.chunking || t.Content.Binary}
	if command, err := c.checkTransaction(t); err != nil {
		return x.result, &Error{Stage: refusalStage(err, command), Command: command, Err: err, Closed: c.closed}
	}
	if err := c.start(ctx, smtp.StageMAIL); err != nil {
		return x.result, err
	}
	defer c.release()
	if len(c.in.unread()) > 0 {
		return x.result, c.unasked()
	}
	c.out = newOutBuffer()
	err := x.run()
	c.served = true
	return x.result, err
}

// refusalStage tells at which command a transaction that cannot be sent would
// have failed.
func refusalStage(err error, command string) smtp.Stage {
	switch {
	case errors.Is(err, ErrContent):
		return smtp.StageContent
	case len(command) > 4 && command[:4] == "RCPT":
		return smtp.StageRCPT
	}
	return smtp.StageMAIL
}

// exchange is one transaction on the wire.
type exchange struct {
	c      *Client
	t      *Transaction
	result *Result

	// What has been written and not been answered yet.
	reset, mail, data, bdat bool
	waiting                 int // replies

	sent, answered int       // RCPT commands
	accepted       int       // recipients
	heard          bool      // a reply has come
	invited        bool      // the reply to DATA was 354
	chunked        bool      // BDAT was sent
	taken          bool      // the content was accepted, for a recipient at least
	stuffing       bool      // the content goes by DATA
	chunking       bool      // the content may go by BDAT
	began          time.Time // the replies now due were asked for
	encoder        smtp.DotEncoder
}

func (x *exchange) run() error {
	if err := x.envelope(); err != nil {
		return err
	}
	if err := x.content(); err != nil {
		return err
	}
	return x.finish()
}

// envelope sends the commands up to the content, and where the server can take
// it the content, and reads the replies.
func (x *exchange) envelope() error {
	if err := x.sendReset(); err != nil {
		return err
	}
	x.sendMail()
	for x.sent < len(x.t.Recipients) {
		if err := x.makeRoom(); err != nil {
			return err
		}
		if x.mailRefused() {
			return nil
		}
		x.sendRCPT()
	}
	if err := x.runAhead(); err != nil {
		return err
	}
	return x.turn()
}

// makeRoom reads replies where no more commands may go ahead of theirs: without
// PIPELINING that is after each.
func (x *exchange) makeRoom() error {
	if x.waiting == 0 || x.c.offers.pipelining && x.waiting < window {
		return nil
	}
	return x.turn()
}

// flush writes what is to be written, from when on the replies are due.
func (x *exchange) flush() {
	x.began = time.Now()
	x.c.flush()
}

func (x *exchange) sendReset() error {
	if !x.c.owesReset {
		return nil
	}
	x.reset = true
	x.command(append(x.c.out.b, "RSET\r\n"...))
	return x.makeRoom()
}

func (x *exchange) sendMail() {
	x.mail = true
	x.command(x.c.appendMail(x.c.out.b, x.t))
}

func (x *exchange) sendRCPT() {
	x.command(appendRCPT(x.c.out.b, &x.t.Recipients[x.sent]))
	x.sent++
}

func (x *exchange) sendDATA() {
	x.data = true
	x.command(append(x.c.out.b, "DATA\r\n"...))
}

// command takes the out buffer with one command more.
func (x *exchange) command(b []byte) {
	line := b[len(x.c.out.b) : len(b)-2]
	addLine(x.c.transcript, 'C', line)
	x.c.out.b = b
	x.waiting++
}

// runAhead puts what follows the envelope into the same write: a small content by
// BDAT, or DATA. LMTP content waits, since RFC 2033 does not say how many
// replies a chunk for nobody gets.
func (x *exchange) runAhead() error {
	switch {
	case !x.c.offers.pipelining || x.mailRefused():
	case !x.chunking:
		x.sendDATA()
	case x.c.options.LMTP || x.answered > 0 && x.accepted == 0:
	case x.isSmall():
		x.bdat = true
		return x.putChunk()
	}
	return nil
}

// isSmall tells a content that fits into the buffer behind its envelope.
func (x *exchange) isSmall() bool {
	content := &x.t.Content
	return content.Reader == nil && content.size() <= smallContent &&
		content.size()+maxBDAT <= int64(x.c.out.room())
}

// maxBDAT is the longest BDAT command that the client sends.
const maxBDAT = int64(len("BDAT 9223372036854775807 LAST\r\n"))

// turn writes what is to be written and reads all replies that are due.
func (x *exchange) turn() error {
	x.result.Pipelined = x.result.Pipelined || x.waiting > 1
	x.flush()
	x.waiting = 0
	if err := x.readReset(); err != nil {
		return err
	}
	if err := x.readMail(); err != nil {
		return err
	}
	for x.answered < x.sent {
		if err := x.readRCPT(); err != nil {
			return err
		}
	}
	if err := x.readDATA(); err != nil {
		return err
	}
	if x.bdat {
		x.bdat = false
		return x.readFinal()
	}
	return nil
}

func (x *exchange) readReset() error {
	if !x.reset {
		return nil
	}
	r, err := x.read(smtp.StageRSET, x.c.timeouts.RSET, unknown)
	if err != nil {
		return err
	}
	x.reset = false
	if !r.Code.Completed() {
		return x.failReply(smtp.StageRSET, r)
	}
	x.c.owesReset = false
	return nil
}

func (x *exchange) readMail() error {
	if !x.mail {
		return nil
	}
	r, err := x.read(smtp.StageMAIL, x.c.timeouts.MAIL, knownMAIL)
	if err != nil {
		return err
	}
	x.mail = false
	x.result.Mail = r
	if x.mailRefused() {
		for i := range x.result.Recipients {
			x.result.Recipients[i].decide(smtp.StageMAIL, r)
		}
	}
	return nil
}

// mailRefused tells whether MAIL was answered with a refusal.
func (x *exchange) mailRefused() bool {
	return !x.result.Mail.IsZero() && !x.result.Mail.Code.Completed()
}

func (x *exchange) readRCPT() error {
	r, err := x.read(smtp.StageRCPT, x.c.timeouts.RCPT, knownRCPT)
	if err != nil {
		return err
	}
	if x.answered == 0 {
		x.result.RCPTTime = time.Since(x.began)
	}
	rcpt := &x.result.Recipients[x.answered]
	x.answered++
	rcpt.RCPT = r
	switch {
	case rcpt.Decided(): // MAIL was refused, and the server says so again
	case r.Code.Completed():
		x.accepted++
	default:
		rcpt.decide(smtp.StageRCPT, r)
	}
	return nil
}

func (x *exchange) readDATA() error {
	if !x.data {
		return nil
	}
	r, err := x.read(smtp.StageDATA, x.c.timeouts.DATAInit, knownDATA)
	if err != nil {
		return err
	}
	x.data = false
	switch r.Code.Class() {
	case reply.ClassContinue:
		x.invited = true
		return nil
	case reply.ClassCompleted:
		return x.failUnexpected(smtp.StageDATA, r)
	}
	x.decideAccepted(smtp.StageDATA, r)
	return nil
}

// decideAccepted settles all recipients that were accepted.
func (x *exchange) decideAccepted(stage smtp.Stage, r reply.Reply) {
	for i := range x.result.Recipients {
		if rcpt := &x.result.Recipients[i]; rcpt.accepted() {
			rcpt.decide(stage, r)
		}
	}
	x.accepted = 0
}

// readFinal reads what the server says to the content: one reply, with LMTP one
// for each accepted recipient in their order (RFC 2033 section 4.2).
func (x *exchange) readFinal() error {
	if !x.c.options.LMTP || x.accepted == 0 {
		r, err := x.readVerdict()
		if err == nil && x.accepted > 0 {
			x.result.Content = r
			x.taken = r.Code.Completed()
			x.decideAccepted(smtp.StageContent, r)
		}
		return err
	}
	for i := range x.result.Recipients {
		rcpt := &x.result.Recipients[i]
		if !rcpt.accepted() {
			continue
		}
		r, err := x.readVerdict()
		if err != nil {
			return err
		}
		x.result.Content = r
		x.taken = x.taken || r.Code.Completed()
		rcpt.decide(smtp.StageContent, r)
	}
	return nil
}

// readVerdict reads one final reply. A server cannot have accepted what did not
// reach it whole, whatever it says.
func (x *exchange) readVerdict() (reply.Reply, error) {
	r, err := x.read(smtp.StageContent, x.c.timeouts.Content, unknown)
	x.result.ContentTime = time.Since(x.began)
	if err == nil && r.Code.Completed() && x.c.broken != nil {
		return r, x.fail(smtp.StageContent, x.c.broken)
	}
	return r, err
}

// finish leaves the connection ready for the next transaction. RSET is owed unless
// the content was accepted, or MAIL was refused and nothing came of it: after a
// BDAT that failed RFC 3030 section 2 asks for it, and after an envelope without
// content RFC 5321 section 4.1.1.2.
func (x *exchange) finish() error {
	if x.c.broken != nil {
		e := x.fail(smtp.StageContent, x.c.broken)
		e.Reply = x.result.Content
		return e
	}
	x.c.owesReset = !x.taken && (x.chunked || !x.mailRefused())
	return nil
}

// read reads the reply to the oldest command that has none.
func (x *exchange) read(stage smtp.Stage, timeout time.Duration, place known) (reply.Reply, error) {
	r, err := x.c.readReply(timeout, place)
	switch {
	case err != nil:
		return r, x.fail(stage, x.c.oldest(err))
	case r.Code == reply.ServiceNotAvailable:
		return r, x.failReply(stage, r)
	case r.Code.Class() == reply.ClassContinue && stage != smtp.StageDATA:
		return r, x.failUnexpected(stage, r)
	}
	x.heard = true
	return r, nil
}

func (x *exchange) fail(stage smtp.Stage, err error) *Error {
	return x.c.fail(x.idle(stage, isLost(err)), x.commandText(stage), err)
}

func (x *exchange) failReply(stage smtp.Stage, r reply.Reply) *Error {
	return x.c.failReply(x.idle(stage, r.Code == reply.ServiceNotAvailable), x.commandText(stage), r)
}

func (x *exchange) failUnexpected(stage smtp.Stage, r reply.Reply) *Error {
	return x.c.failUnexpected(stage, x.commandText(stage), r)
}

// idle returns StageIdle in place of the stage where the server ended a session
// that had served before, and this transaction had no part in it.
func (x *exchange) idle(stage smtp.Stage, ended bool) smtp.Stage {
	if ended && x.c.served && !x.heard {
		return smtp.StageIdle
	}
	return stage
}

// commandText is the command that waits for its reply at a stage.
func (x *exchange) commandText(stage smtp.Stage) string {
	switch stage {
	case smtp.StageRSET:
		return "RSET"
	case smtp.StageMAIL:
		return x.t.mailText()
	case smtp.StageRCPT:
		return x.t.Recipients[x.answered].text()
	case smtp.StageDATA:
		return "DATA"
	}
	return ""
}
