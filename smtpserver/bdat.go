package smtpserver

import (
	"io"
	"strconv"

	"github.com/weirmail/weir/smtp"
)

// bdat handles the first BDAT of a message. The chunks that follow are read
// by the source, since the session takes the message as one.
func (c *Conn) bdat(args []byte) {
	size, last, err := smtp.ParseBDAT(args)
	if err != nil {
		// How much follows is not known: the channel cannot be kept in step.
		c.reject(ReplySyntax, problemOf(err))
		return
	}
	if !c.beginChunk(size) {
		return
	}
	c.take(&Content{
		conn:   c,
		source: &chunks{conn: c, left: size, size: size, last: last},
		binary: c.tx.mail.Body == smtp.BodyBinaryMIME,
	})
}

// beginChunk is beginContent for a chunk, which follows whatever the answer
// is, and is dropped where it has no place.
func (c *Conn) beginChunk(size int64) bool {
	if c.tx != nil && c.tx.accepted > 0 && !c.tx.failed {
		return true
	}
	if c.tx != nil {
		c.tx.failed = true
	}
	if !c.dropChunk(size) {
		return false
	}
	if c.tx != nil && c.tx.accepted == 0 && c.tx.refused > 0 {
		c.answer(ReplyNoRecipients)
		return false
	}
	c.reject(ReplyBadSequence, "BDAT", "there is no transaction with a recipient")
	return false
}

// dropChunk reads a chunk that has no place. It reports false where the
// session is over.
func (c *Conn) dropChunk(size int64) bool {
	s := chunks{conn: c, left: size}
	err := s.drain(maxDrain * c.server.Limits.MessageSize)
	if err == errEndlessContent {
		c.answer(ReplyTooManyErrors)
	} else if err != nil {
		c.endInput(err)
	}
	return err == nil
}

// chunks is the source of BDAT (RFC 3030): a message in one or more chunks,
// each announced by a command.
type chunks struct {
	conn *Conn
	size int64 // of the chunk
	left int64 // of it
	last bool
}

func (s *chunks) read(p []byte) (int, error) {
	for s.left == 0 {
		if s.last {
			return 0, io.EOF
		}
		s.conn.answer(ReplyChunk, strconv.FormatInt(s.size, 10))
		if err := s.nextChunk(); err != nil {
			return 0, err
		}
	}
	in := s.conn.unread()
	if len(in) == 0 {
		if err := s.conn.fill(contentSize, s.conn.server.Timeouts.Block); err != nil {
			return 0, unexpectedEOF(err)
		}
		in = s.conn.unread()
	}
	n := copy(p, in[:min(s.left, int64(len(in)))])
	s.conn.consume(n)
	s.left -= int64(n)
	if s.left == 0 && s.last {
		return n, io.EOF
	}
	return n, nil
}

// drain drops the chunk that is arriving. The reply to it tells the client
// that the transaction has failed; chunks that it has sent already find no
// transaction.
func (s *chunks) drain(limit int64) error {
	if s.left > limit {
		return errEndlessContent
	}
	for s.left > 0 {
		in := s.conn.unread()
		if len(in) == 0 {
			if err := s.conn.fill(contentSize, s.conn.server.Timeouts.Block); err != nil {
				return unexpectedEOF(err)
			}
			continue
		}
		n := min(s.left, int64(len(in)))
		s.conn.consume(int(n))
		s.left -= n
	}
	return nil
}

// nextChunk reads commands up to the next BDAT. A command that ends the
// transaction is kept, for the session to go on with; others are answered
// here: between two chunks most of them have no meaning.
func (s *chunks) nextChunk() error {
	c := s.conn
	for !c.closing {
		line, fault, err := c.readLine()
		if err != nil {
			return unexpectedEOF(err)
		}
		if fault != lineOK {
			c.rejectLine(fault)
			continue
		}
		verb, args := smtp.ParseVerb(line)
		switch verb {
		case smtp.VerbBDAT:
			size, last, err := smtp.ParseBDAT(args)
			if err != nil {
				c.reject(ReplySyntax, problemOf(err))
				continue
			}
			s.size, s.left, s.last = size, size, last
			c.stage = smtp.StageContent
			return nil
		case smtp.VerbRSET, smtp.VerbQUIT, smtp.VerbEHLO, smtp.VerbHELO, smtp.VerbLHLO:
			c.pending, c.hasPending = append([]byte(nil), line...), true
			return errAborted
		case smtp.VerbSTARTTLS:
			c.reject(ReplyBadSequence, "STARTTLS", "a message is being sent")
		default:
			c.command(verb, args)
		}
	}
	return errAborted
}
