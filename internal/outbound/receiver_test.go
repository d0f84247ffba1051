package outbound

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weirmail/weir/smtptest"
)

// receiver is a scripted host: a small mail server that does at each point what its
// faults say, and behaves when they are over. It is written apart from smtpserver,
// which would not let it.
type receiver struct {
	net   *internet
	name  string
	cert  *tls.Certificate // offers STARTTLS
	trait traits

	mu       sync.Mutex
	random   *rand.Rand
	faults   []*fault
	open     int
	opened   []time.Time // sessions
	messages []time.Time // MAIL commands that were taken
	grey     map[string]time.Time
}

// traits are what a receiver is like for as long as it lives.
type traits struct {
	pipelining, chunking, dsn, size bool
	helo                            string        // how it answers EHLO where it only knows HELO
	rcptMax                         int           // recipients in a transaction; 0 is no limit
	rcptFull                        string        // how it says so
	sessionMax                      int           // messages in a session
	connections                     int           // sessions at a time
	rate                            int           // messages a minute
	greylist                        time.Duration // 0: none
	greyByAddress                   bool          // of the client alone, not the triplet
	refuses                         string        // how it answers parameters that it offers
	slow                            time.Duration // before each reply
}

// point is where in a session a fault strikes.
type point string

// fault is what a receiver does wrong for a time.
type fault struct {
	at    point
	do    string        // a reply; or "reset", "silence", "close", "async" (an unasked 421 behind the right reply), "take" (takes the mail and breaks off)
	until time.Duration // since the world began
	share float64       // of the times that it could strike; 0 is all
	cut   int           // with "cut" and "cut in": after how many octets to or from the client the connection is reset
	once  bool          // strikes a single time
	spent bool
}

// strikes returns the fault that strikes at a point now, nil for none.
func (r *receiver) strikes(at point) *fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.faults {
		switch {
		case f.at != at || f.spent || r.net.age() >= f.until:
		case f.share > 0 && r.random.Float64() >= f.share:
		default:
			f.spent = f.once
			return f
		}
	}
	return nil
}

// dial is a connection to the receiver.
func (r *receiver) dial() (net.Conn, error) {
	r.mu.Lock()
	r.opened = append(r.opened, time.Now())
	r.mu.Unlock()
	if f := r.strikes("dial"); f != nil {
		if f.do == "silence" {
			time.Sleep(30 * time.Second)
			return nil, fmt.Errorf("dial %s: i/o timeout", r.name)
		}
		return nil, errRefused
	}
	client, server := smtptest.Pipe()
	s := &receiverSession{r: r, pipe: server, conn: server}
	if f := r.strikes("cut"); f != nil {
		s.left, s.cuts = f.cut, true
	}
	if f := r.strikes("cut in"); f != nil {
		s.conn = &cutConn{Conn: server, s: s, left: f.cut}
	}
	r.net.group.Go(func() {
		r.count(1)
		defer r.count(-1)
		s.serve()
		s.conn.Close()
		server.Close()
	})
	return client, nil
}

func (r *receiver) count(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open += n
}

// tooMany tells whether a limit of the receiver is reached.
func (r *receiver) tooManySessions() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trait.connections > 0 && r.open > r.trait.connections
}

func (r *receiver) tooFast() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.trait.rate == 0 {
		return false
	}
	n := 0
	for _, at := range r.messages {
		if time.Since(at) < time.Minute {
			n++
		}
	}
	if n < r.trait.rate {
		r.messages = append(r.messages, time.Now())
	}
	return n >= r.trait.rate
}

// greylisted tells whether a triplet has to wait.
func (r *receiver) greylisted(from, to string) bool {
	if r.trait.greylist == 0 {
		return false
	}
	key := from + " " + to
	if r.trait.greyByAddress {
		key = ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	first, seen := r.grey[key]
	if !seen {
		r.grey[key] = time.Now()
	}
	return !seen || time.Since(first) < r.trait.greylist
}

// receiverSession is one session.
type receiverSession struct {
	r    *receiver
	pipe *smtptest.Conn
	conn net.Conn
	in   *bufio.Reader
	out  []byte // replies to a pipelined group leave together

	cuts  bool
	left  int  // octets until the connection is cut
	ended bool // nothing more is said

	mailed    bool // a transaction is open
	from, id  string
	to        []string
	asked     int // recipients in this transaction
	done      int // messages in this session
	encrypted bool
	lastTaken func() // tells that the reply to what was taken last got lost
}

// cutConn resets the connection when so many octets have been read.
type cutConn struct {
	*smtptest.Conn
	s    *receiverSession
	left int
}

func (c *cutConn) Read(b []byte) (int, error) {
	if c.left == 0 {
		c.s.reset()
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

func (s *receiverSession) serve() {
	defer s.flush()
	s.in = bufio.NewReader(s.conn)
	switch {
	case s.r.tooManySessions():
		s.end("421 4.7.0 " + s.r.name + " Too many connections from your host, try again later")
		return
	case s.strike("greeting"):
		return
	}
	s.say("220 " + s.r.name + " ESMTP")
	for !s.ended {
		line, err := s.readLine()
		if err != nil {
			return
		}
		s.command(line)
	}
}

func (s *receiverSession) readLine() (string, error) {
	if s.in.Buffered() == 0 {
		if !s.flush() {
			return "", io.EOF
		}
	}
	s.conn.SetReadDeadline(time.Now().Add(5 * time.Minute))
	line, err := s.in.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

// say queues a reply; several lines are written as they stand.
func (s *receiverSession) say(text string) {
	s.out = append(s.out, strings.ReplaceAll(text, "\n", "\r\n")+"\r\n"...)
}

// flush writes what was said, up to where the connection is cut.
func (s *receiverSession) flush() bool {
	if s.r.trait.slow > 0 && len(s.out) > 0 {
		time.Sleep(s.r.trait.slow)
	}
	b := s.out
	s.out = nil
	if s.cuts && len(b) >= s.left {
		s.conn.Write(b[:s.left])
		s.reset()
		return false
	}
	s.left -= len(b)
	if len(b) == 0 {
		return true
	}
	s.conn.SetWriteDeadline(time.Now().Add(5 * time.Minute))
	_, err := s.conn.Write(b)
	if err != nil {
		s.lost()
	}
	return err == nil
}

func (s *receiverSession) end(text string) {
	s.say(text)
	s.flush()
	s.ended = true
}

// lost tells that what was taken last may not have been heard of.
func (s *receiverSession) lost() {
	if s.lastTaken != nil {
		s.lastTaken()
	}
}

func (s *receiverSession) reset() {
	s.lost()
	s.ended = true
	s.out = nil
	s.pipe.Reset()
}

// strike does what a fault says, if one strikes here. It tells whether the command
// is answered with that.
func (s *receiverSession) strike(at point) bool {
	f := s.r.strikes(at)
	switch {
	case f == nil:
		return false
	case f.do == "reset":
		s.reset()
	case f.do == "close":
		s.ended = true
	case f.do == "silence":
		s.flush()
		s.conn.SetReadDeadline(time.Time{})
		io.Copy(io.Discard, s.in)
		s.ended = true
	case f.do == "async":
		return false // see unasked
	case strings.HasPrefix(f.do, "421"):
		s.end(f.do)
	default:
		s.say(f.do)
	}
	return true
}

// unasked ends the session with a 421 that answers nothing, behind the right reply.
func (s *receiverSession) unasked(at point) {
	if f := s.r.strikes(at); f != nil {
		s.flush()
		s.end("421 4.3.2 " + s.r.name + " Shutting down")
	}
}

func (s *receiverSession) command(line string) {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		s.ehlo()
	case "HELO":
		s.say("250 " + s.r.name)
	case "STARTTLS":
		s.startTLS()
	case "MAIL":
		s.mail(rest)
	case "RCPT":
		s.rcpt(rest)
	case "DATA":
		s.data()
	case "BDAT":
		s.bdat(rest)
	case "RSET":
		s.clear()
		s.say("250 2.0.0 reset")
	case "QUIT":
		s.end("221 2.0.0 bye")
	default:
		s.say("500 5.5.1 what?")
	}
}

func (s *receiverSession) ehlo() {
	t := &s.r.trait
	switch {
	case s.strike("ehlo"):
		return
	case t.helo != "":
		s.say(t.helo)
		return
	}
	lines := []string{s.r.name + " greets you", "ENHANCEDSTATUSCODES"}
	for _, offer := range []struct {
		offered bool
		line    string
	}{
		{t.pipelining, "PIPELINING"},
		{t.chunking, "CHUNKING"},
		{t.dsn, "DSN"},
		{t.size, "SIZE 1000000"},
		{s.r.cert != nil && !s.encrypted, "STARTTLS"},
	} {
		if offer.offered {
			lines = append(lines, offer.line)
		}
	}
	for i, l := range lines {
		mark := "-"
		if i == len(lines)-1 {
			mark = " "
		}
		s.say("250" + mark + l)
	}
}

func (s *receiverSession) startTLS() {
	if s.strike("starttls") {
		return
	}
	if f := s.r.strikes("inject"); f != nil {
		s.say("220 go on\n250 injected")
		s.flush()
	} else {
		s.say("220 2.0.0 go on")
		s.flush()
	}
	if s.strike("handshake") {
		return
	}
	c := tls.Server(s.pipe, &tls.Config{Certificates: []tls.Certificate{*s.r.cert}})
	c.SetDeadline(time.Now().Add(5 * time.Minute))
	if err := c.Handshake(); err != nil {
		s.ended = true
		return
	}
	s.conn, s.in, s.encrypted = c, bufio.NewReader(c), true
}

// refusesParameters tells whether what follows the path is refused.
func (s *receiverSession) refusesParameters(rest string) bool {
	_, parameters, _ := strings.Cut(rest, "> ")
	if s.r.trait.refuses == "" || parameters == "" {
		return false
	}
	s.say(s.r.trait.refuses)
	return true
}

func (s *receiverSession) clear() { s.mailed, s.from, s.to, s.asked = false, "", nil, 0 }

func addressIn(rest string) string {
	_, rest, _ = strings.Cut(rest, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}

func (s *receiverSession) mail(rest string) {
	t := &s.r.trait
	switch {
	case s.strike("mail"), s.refusesParameters(rest):
		return
	case t.sessionMax > 0 && s.done >= t.sessionMax:
		s.say("452 4.7.0 Too many messages in this session")
		return
	case s.r.tooFast():
		s.say("451 4.7.1 Rate limit exceeded, try again in 60 seconds")
		return
	}
	s.clear()
	s.mailed, s.from = true, addressIn(rest)
	s.say("250 2.1.0 ok")
	s.unasked("mail async")
}

func (s *receiverSession) rcpt(rest string) {
	t, to := &s.r.trait, addressIn(rest)
	s.asked++
	local, _, _ := strings.Cut(to, "@")
	switch {
	case s.strike("rcpt"):
		return
	case !s.mailed:
		s.say("503 5.5.1 MAIL first")
		return
	case s.refusesParameters(rest):
		return
	case strings.HasPrefix(local, "nobody"):
		s.say("550 5.1.1 <" + to + "> no such user")
		return
	case strings.HasPrefix(local, "full"):
		s.say("452 4.2.2 <" + to + "> is over quota")
		return
	case t.rcptMax > 0 && len(s.to) >= t.rcptMax:
		s.say(t.rcptFull)
		return
	case s.r.greylisted(s.from, to):
		s.say(fmt.Sprintf("450 4.2.0 <%s> Greylisted, see you later", to))
		return
	}
	s.to = append(s.to, to)
	s.say("250 2.1.5 ok")
	s.unasked("rcpt async")
}

func (s *receiverSession) data() {
	switch {
	case len(s.to) == 0:
		s.say("503 5.5.1 no valid recipients")
		return
	case s.strike("data"):
		return
	}
	s.say("354 go on")
	if !s.flush() || s.strike("content start") {
		return
	}
	var content strings.Builder
	for {
		line, err := s.readLine()
		if err != nil {
			s.ended = true
			return
		}
		if line == "." {
			break
		}
		content.WriteString(line + "\n")
	}
	s.take(content.String())
}

func (s *receiverSession) bdat(rest string) {
	size, last := strings.CutSuffix(rest, " LAST")
	n, err := strconv.Atoi(size)
	if err != nil || !last {
		s.end("421 4.3.0 only in one piece")
		return
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(s.in, b); err != nil {
		s.ended = true
		return
	}
	if len(s.to) == 0 {
		s.say("503 5.5.1 no valid recipients")
		return
	}
	s.take(string(b))
}

// take takes a message, unless a fault strikes.
func (s *receiverSession) take(content string) {
	if s.strike("content") {
		return
	}
	_, id, _ := strings.Cut(content, "X-Message: ")
	id, _, _ = strings.Cut(id, "\n")
	s.id = strings.TrimSpace(id)
	s.done++
	s.lastTaken = s.r.net.taken(s.r, s.id, s.to, content)
	s.clear()
	if s.strike("take") {
		s.lost()
		return
	}
	s.say("250 2.0.0 taken")
	s.unasked("content async")
}
