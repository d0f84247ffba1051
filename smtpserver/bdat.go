package smtpserver

import (
	"io"
	"strconv"

	"github.com/weirmail/weir/smtp"
)

// bdat handles the first BDAT of a message. The chunks that follow are read
// by the source, since the session takes the message as one.
func (c *Conn) bdat(args []byte) {
	size, last, ok := c.parseBDAT(args)
	if !ok || !c.beginChunk(size) {
		return
	}
	c.take(&Content{
		conn:   c,
		source: &chunks{conn: c, left: size, size: size, last: last},
		binary: c.tx.mail.Body == smtp.BodyBinaryMIME,
	})
}

// parseBDAT reads the arguments. Where that fails nobody knows how much content
// follows, so that nothing behind it can be told from a command.
func (c *Conn) parseBDAT(args []byte) (size int64, last, ok bool) {
	size, last, err := smtp.ParseBDAT(args)
	if err != nil {
		c.answer(ReplyChunkLost, problemOf(err))
	}
	return size, last, err == nil
}

// beginChunk looks whether a chunk has its place. It follows whatever the answer
// is, and is dropped where it has none.
func (c *Conn) beginChunk(size int64) bool {
	row, words := c.refusalOfChunk()
	if row == nil {
		return true
	}
	if c.tx != nil {
		c.tx.failed = true
	}
	// A client may have sent all its chunks before it heard what became of the
	// first one: they are no errors.
	if c.dropChunk(size) {
		c.answerIdle(row, words...)
	}
	return false
}

func (c *Conn) refusalOfChunk() (row *Row, words []string) {
	switch {
	case !c.extended:
		return ReplyBadSequence, []string{"BDAT", c.helloAdvice()}
	case c.tx == nil || c.tx.failed:
		return ReplyBadSequence, []string{"BDAT", "there is no transaction, RSET and MAIL begin one"}
	case c.tx.accepted == 0:
		return c.refusalWithoutRecipients("BDAT")
	}
	return nil, nil
}

// dropChunk reads a chunk that has no place. It reports false where the
// session is over.
func (c *Conn) dropChunk(size int64) bool {
	s := chunks{conn: c, left: size}
	c.restartTimeout()
	err := s.drain(maxDrain * c.server.Limits.MessageSize)
	if err != nil {
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
		s.answer()
		if err := s.nextChunk(); err != nil {
			return 0, err
		}
	}
	in := s.conn.unread()
	if len(in) == 0 {
		if err := s.conn.fillContent(); err != nil {
			return 0, err
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

// answer tells that a chunk has arrived. An empty one brings the message no
// further.
func (s *chunks) answer() {
	octets := strconv.FormatInt(s.size, 10)
	if s.size == 0 {
		s.conn.answerIdle(ReplyChunk, octets)
		return
	}
	s.conn.answer(ReplyChunk, octets)
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
			if err := s.conn.fillContent(); err != nil {
				return err
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
		verb, args, ok := c.parseLine(line, fault)
		if !ok {
			continue
		}
		switch verb {
		case smtp.VerbBDAT:
			c.stage = smtp.StageContent
			if s.size, s.last, ok = c.parseBDAT(args); !ok {
				continue
			}
			s.left = s.size
			c.restartTimeout()
			return nil
		case smtp.VerbSTARTTLS:
			c.reject(ReplyBadSequence, "STARTTLS", "a message is being sent")
		default:
			if c.endsMessage(verb, args) {
				pending := append([]byte(nil), line...)
				c.pending = &pending
				return errAborted
			}
			c.command(verb, args)
		}
	}
	return errAborted
}

// endsMessage tells whether a command between two chunks ends the transaction. One
// that is refused for its words leaves everything as it was (RFC 5321 section
// 4.1.4).
func (c *Conn) endsMessage(verb smtp.Verb, args []byte) bool {
	switch verb {
	case smtp.VerbRSET, smtp.VerbQUIT:
		return len(args) == 0
	case smtp.VerbEHLO, smtp.VerbHELO, smtp.VerbLHLO:
		_, err := smtp.ParseHELOName(args)
		return err == nil && c.server.LMTP == (verb == smtp.VerbLHLO)
	}
	return false
}
