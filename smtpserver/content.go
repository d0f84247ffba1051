package smtpserver

import (
	"errors"
	"io"
	"strconv"

	"github.com/weirmail/weir/smtp"
)

// Content is the content of a message as it arrives, without dot-stuffing. It
// is read by [Session.Data], in its goroutine only.
//
// Read gives io.EOF only when the whole message has arrived and is fit to be
// taken. A message with a bare CR or LF, or one over the size limit, ends with
// an error, as does one whose client went away, see [ErrClientGone], or began
// something else.
type Content struct {
	conn   *Conn
	source source
	check  smtp.LineChecker
	size   int64
	binary bool
	end    error // what Read gives from now on; nil while it goes on
	fault  *Row  // the reply where the content itself is at fault
	whole  bool  // it has all arrived, so that the client waits for a reply
}

// source is where content comes from: DATA, or chunks of BDAT.
type source interface {
	// read is as io.Reader's, with io.EOF at the end of the message and other
	// errors only where no more can be read.
	read(p []byte) (int, error)
	// drain reads and drops up to where the client waits for a reply, but not
	// more than limit octets.
	drain(limit int64) error
}

// ErrClientGone is what [Content.Read] gives in place of io.EOF where the whole
// message has arrived, but the client has closed its side of the connection and
// said nothing more: it does not wait for the reply, and will send the message
// again. One that half-closes behind its QUIT has not gone.
var ErrClientGone = errors.New("smtpserver: the client closed the connection before the message was taken")

var (
	errContent    = errors.New("the content was refused")
	errAborted    = errors.New("the client ended the transaction before the last chunk")
	errIncomplete = errors.New("the session took a message without reading it to its end")
)

// Read reads from the message.
func (t *Content) Read(p []byte) (int, error) {
	if t.end != nil {
		return 0, t.end
	}
	n, err := t.source.read(p)
	t.size += int64(n)
	t.check.Check(p[:n])
	if t.size > t.conn.server.Limits.MessageSize {
		t.fault, t.end, t.whole = ReplyTooLarge, errContent, err == io.EOF
		return 0, t.end
	}
	if err == io.EOF {
		switch t.fault = t.faultAtEnd(); t.fault {
		case nil:
		case ReplyClientGone:
			err = ErrClientGone
		default:
			err = errContent
		}
	}
	if err != nil {
		t.end, t.whole = err, t.whole || err == io.EOF || t.fault != nil
	}
	return n, err
}

// faultAtEnd judges a whole message. A client that has gone before it is taken
// has not heard of it and will send it again: to take it would be to deliver it
// twice.
func (t *Content) faultAtEnd() *Row {
	if !t.binary {
		if row := t.lineFault(); row != nil {
			return row
		}
	}
	if t.conn.clientGone() {
		return ReplyClientGone
	}
	return nil
}

// lineFault judges a whole message that has to consist of lines. A NUL is refused
// since some servers drop it, and may find another end of the message then.
func (t *Content) lineFault() *Row {
	switch {
	case t.hasBareNewline():
		return ReplyBareNewlineContent
	case t.check.NUL():
		return ReplyNULContent
	}
	return nil
}

// hasBareNewline asks the one who can tell: what DATA brings is normalized
// where the server is set so, and looks well to the checker then.
func (t *Content) hasBareNewline() bool {
	if d, ok := t.source.(*dots); ok {
		return d.decoder.Bare() && !t.conn.normalizes()
	}
	return t.check.Bare()
}

// Size returns the octets that were read so far.
func (t *Content) Size() int64 { return t.size }

// EightBit reports that an octet above 127 was read.
func (t *Content) EightBit() bool { return t.check.EightBit() }

func (c *Conn) normalizes() bool { return c.server.LineEnding == smtp.NormalizeBare }

// drain reads what is left of a message that is not taken, so that the reply
// comes when the client expects it. It reports whether the session can go on.
func (t *Content) drain() bool {
	if t.whole {
		return true
	}
	if t.end != nil && t.end != errContent {
		return false
	}
	if err := t.source.drain(maxDrain * t.conn.server.Limits.MessageSize); err != nil {
		t.end = err
		return false
	}
	return true
}

// maxDrain is how many times the size limit is read and dropped of a message
// that will not be taken, before the connection is given up.
const maxDrain = 4

var errEndlessContent = errors.New("the client went on sending a message beyond every limit")

// data handles DATA. Where it is refused nothing may follow it yet: DATA is the
// last command of a group (RFC 2920 section 3.1), and a client that sent its
// message behind it regardless would have the message run as commands.
func (c *Conn) data(args []byte) {
	if row, words := c.refusalOfData(args); row != nil {
		if len(c.unread()) > 0 {
			c.answer(ReplyBehindData)
			return
		}
		c.reject(row, words...)
		return
	}
	c.answer(ReplyStartInput)
	content := &Content{conn: c, source: &dots{conn: c, decoder: smtp.NewDotDecoder(c.server.LineEnding)}}
	c.take(content)
}

// refusalOfData returns the reply to a DATA that has no place; nil where a message
// may begin.
func (c *Conn) refusalOfData(args []byte) (row *Row, words []string) {
	tx := c.tx
	switch {
	case len(args) > 0:
		return ReplyNoArguments, []string{"DATA"}
	case tx == nil:
		return ReplyBadSequence, []string{"DATA", "send MAIL first"}
	case tx.content != nil:
		return ReplyBadSequence, []string{"DATA", "the message has begun with BDAT"}
	case tx.failed:
		return ReplyBadSequence, []string{"DATA", "the transaction has failed, RSET ends it"}
	case tx.accepted == 0:
		return c.refusalWithoutRecipients("DATA")
	case tx.mail.Body == smtp.BodyBinaryMIME:
		return ReplyBadSequence, []string{"DATA", "BODY=BINARYMIME goes by BDAT only"}
	}
	return nil, nil
}

// refusalWithoutRecipients tells those who gave no recipient from those whose
// recipients were refused. LMTP knows only one reply (RFC 2033 section 4.2).
func (c *Conn) refusalWithoutRecipients(command string) (row *Row, words []string) {
	if c.tx.refused == 0 || c.server.LMTP {
		return ReplyBadSequence, []string{command, "no recipient was accepted"}
	}
	return ReplyNoRecipients, nil
}

// take hands the content to the session and answers for it.
func (c *Conn) take(content *Content) {
	c.stage = smtp.StageContent
	c.tx.content = content
	c.restartTimeout()
	name, err := c.session.Data(c.server.base, content)
	if err == nil && content.end != io.EOF {
		err = errIncomplete
	}
	inStep := content.drain()
	accepted := c.tx.accepted
	c.tx = nil
	c.delivered++
	if !inStep {
		c.endContent(content, err)
		return
	}
	row, args := c.verdict(content, name, err)
	if row == ReplyQueued {
		c.idle = 0
	}
	if !c.server.LMTP {
		accepted = 1
	}
	for range accepted {
		c.answer(row, args...)
	}
}

// verdict returns the reply to a whole message.
func (c *Conn) verdict(content *Content, name string, err error) (*Row, []string) {
	switch {
	case content.fault == ReplyTooLarge:
		return ReplyTooLarge, []string{strconv.FormatInt(c.server.Limits.MessageSize, 10)}
	case content.fault != nil:
		return content.fault, nil
	case err == nil:
		return ReplyQueued, []string{name}
	}
	if refusal := refusalOf(err); refusal != nil {
		return refusal.Row, refusal.Args
	}
	c.fault(err)
	return ReplySessionFault, nil
}

// endContent ends a message that will not arrive whole. Where the client
// began another command in the middle of BDAT the session goes on with that.
func (c *Conn) endContent(content *Content, err error) {
	switch {
	case content.end == errAborted:
	default:
		c.endInput(content.end)
	}
	// What the session was told by the content is no fault of its own.
	if err != nil && refusalOf(err) == nil && !errors.Is(err, content.end) && !errors.Is(err, errContent) {
		c.fault(err)
	}
}

// dots is the source of DATA.
type dots struct {
	conn    *Conn
	decoder smtp.DotDecoder
}

func (d *dots) read(p []byte) (int, error) {
	for {
		in := d.conn.unread()
		if len(in) == 0 {
			if err := d.conn.fillContent(); err != nil {
				return 0, err
			}
			in = d.conn.unread()
		}
		n, used, done, err := d.decoder.Decode(p, in)
		if used > 0 {
			d.conn.consume(used)
		}
		if done {
			return n, io.EOF
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (d *dots) drain(limit int64) error {
	b := contentBuffers.get()
	defer b.release()
	for limit > 0 {
		n, err := d.read(b.data)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		limit -= int64(n)
	}
	return errEndlessContent
}

// unexpectedEOF tells the end of a connection from the end of a message.
func unexpectedEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
