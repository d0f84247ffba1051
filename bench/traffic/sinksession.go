package traffic

import (
	"bytes"
	"io"
	"strconv"
)

const (
	// sinkBuffer is the size of the buffer of a connection to the sink: large,
	// so that a message takes few reads.
	sinkBuffer = 64 << 10
	// sinkHead is how much of a message is looked through for its Message-ID.
	// The trace fields of the server come before it.
	sinkHead = 2 << 10
)

// The replies of the sink. It offers what modern servers do.
const (
	replyGreeting = "220 sink." + domain + " ESMTP\r\n"
	replyHello    = "250-sink." + domain + "\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250-CHUNKING\r\n250 ENHANCEDSTATUSCODES\r\n"
	replyOK       = "250 2.0.0 Ok\r\n"
	replyData     = "354 Go ahead\r\n"
	replyBye      = "221 2.0.0 Bye\r\n"
	replyUnknown  = "502 5.5.1 Not here\r\n"
)

// sinkSession is one connection to the sink. Replies are gathered and written
// once all that has been read is worked off.
type sinkSession struct {
	conn    io.ReadWriter
	tally   *tally
	buffer  []byte // all of it
	pending []byte // what has been read into it and not worked off
	replies []byte
	head    []byte // the beginning of the message that is being taken
	size    int64  // of that message so far
	over    bool
}

func newSinkSession(conn io.ReadWriter, t *tally, buffer []byte) *sinkSession {
	return &sinkSession{conn: conn, tally: t, buffer: buffer, head: make([]byte, 0, sinkHead)}
}

// run serves the connection to its end. Whatever goes wrong is an end.
func (s *sinkSession) run() {
	s.reply(replyGreeting)
	for !s.over {
		line, ok := s.line()
		if !ok {
			break
		}
		s.command(line)
	}
	s.flush()
}

func (s *sinkSession) reply(text string) { s.replies = append(s.replies, text...) }

func (s *sinkSession) flush() {
	if len(s.replies) > 0 {
		_, err := s.conn.Write(s.replies)
		s.over = s.over || err != nil
		s.replies = s.replies[:0]
	}
}

// more reads on, behind what is pending. It reports false at the end of the
// connection.
func (s *sinkSession) more() bool {
	s.flush()
	n := copy(s.buffer, s.pending)
	if n == len(s.buffer) {
		return false // a line without an end
	}
	read, err := s.conn.Read(s.buffer[n:])
	s.pending = s.buffer[:n+read]
	return read > 0 || err == nil
}

// line returns the next line, with its end.
func (s *sinkSession) line() ([]byte, bool) {
	for {
		if end := bytes.IndexByte(s.pending, '\n'); end >= 0 {
			line := s.pending[:end+1]
			s.pending = s.pending[end+1:]
			return line, true
		}
		if !s.more() {
			return nil, false
		}
	}
}

// command carries out one command.
func (s *sinkSession) command(line []byte) {
	switch verb := verbOf(line); verb {
	case "EHLO", "HELO":
		s.reply(replyHello)
	case "DATA":
		s.reply(replyData)
		s.data()
	case "BDAT":
		s.chunk(line)
	case "QUIT":
		s.reply(replyBye)
		s.over = true
	case "MAIL", "RCPT", "RSET", "NOOP":
		s.reply(replyOK)
	default:
		s.reply(replyUnknown)
	}
}

// verbOf returns the first four letters of a line in upper case.
func verbOf(line []byte) string {
	if len(line) < 4 {
		return ""
	}
	return string(bytes.ToUpper(line[:4]))
}

// data takes a message up to the lone dot.
func (s *sinkSession) data() {
	if !s.atLeast(3) {
		return
	}
	if bytes.HasPrefix(s.pending, []byte(".\r\n")) { // an empty message
		s.pending = s.pending[3:]
		s.end()
		return
	}
	const end = "\r\n.\r\n"
	for {
		if at := bytes.Index(s.pending, []byte(end)); at >= 0 {
			s.take(at + 2)
			s.pending = s.pending[len(end)-2:]
			s.end()
			return
		}
		// All but what may be the beginning of the end.
		s.take(max(0, len(s.pending)-len(end)+1))
		if !s.more() {
			s.over = true
			return
		}
	}
}

// atLeast reads until so many bytes are pending.
func (s *sinkSession) atLeast(n int) bool {
	for len(s.pending) < n {
		if !s.more() {
			s.over = true
			return false
		}
	}
	return true
}

// chunk takes one BDAT with its chunk (RFC 3030 section 2).
func (s *sinkSession) chunk(line []byte) {
	fields := bytes.Fields(line)
	if len(fields) < 2 {
		s.reply(replyUnknown)
		return
	}
	left, err := strconv.Atoi(string(fields[1]))
	if err != nil || left < 0 {
		s.reply(replyUnknown)
		s.over = true
		return
	}
	last := len(fields) > 2 && bytes.EqualFold(fields[2], []byte("LAST"))
	for left > 0 {
		if !s.atLeast(1) {
			return
		}
		n := min(left, len(s.pending))
		s.take(n)
		left -= n
	}
	if last {
		s.end()
		return
	}
	s.reply(replyOK)
}

// take moves bytes of the content out of the way.
func (s *sinkSession) take(n int) {
	if room := cap(s.head) - len(s.head); room > 0 {
		s.head = append(s.head, s.pending[:min(n, room)]...)
	}
	s.size += int64(n)
	s.pending = s.pending[n:]
}

// end counts the message that has been taken.
func (s *sinkSession) end() {
	s.tally.add(messageIDOf(s.head), s.size)
	s.head, s.size = s.head[:0], 0
	s.reply(replyOK)
}

// messageIDOf finds the Message-ID in the beginning of a message. Without one
// it returns nil: such messages count as repetitions of each other.
func messageIDOf(head []byte) []byte {
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte("\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if ok && bytes.EqualFold(name, []byte("Message-ID")) {
			return bytes.TrimSpace(value)
		}
		head = rest
	}
	return nil
}
