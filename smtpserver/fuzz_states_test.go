package smtpserver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// startTLSHere stands in a path for the handshake of STARTTLS.
const startTLSHere = "STARTTLS\r\n"

// fuzzStates are the ways into the states of a session: what is said, and answered,
// before anything goes, with the code of
// the last answer. EHLO stands for LHLO where the server speaks LMTP.
var fuzzStates = []struct{ name, said, last string }{
	{"before the greeting", "", "220"},
	{"connected", "", "220"},
	{"HELO", "HELO c.test\r\n", "250"},
	{"EHLO", ehlo, "250"},
	{"STARTTLS", ehlo + startTLSHere, "220"},
	{"STARTTLS and EHLO", ehlo + startTLSHere + ehlo, "250"},
	{"in AUTH", ehlo + "AUTH ECHO\r\n", "334"},
	{"at the end of AUTH", ehlo + "AUTH LAST b3Blbg==\r\n", "334"},
	{"authenticated", ehlo + "AUTH ECHO b3Blbg==\r\n", "235"},
	{"behind XCLIENT", ehlo + "XCLIENT ADDR=192.0.2.7\r\n", "220"},
	{"MAIL", ehlo + "MAIL FROM:<a@x.test>\r\n", "250"},
	{"MAIL of HELO", "HELO c.test\r\nMAIL FROM:<a@x.test>\r\n", "250"},
	{"RCPT", envelope, "250"},
	{"two RCPT", envelope + "RCPT TO:<c@y.test>\r\n", "250"},
	{"a refused RCPT", ehlo + "MAIL FROM:<a@x.test>\r\nRCPT TO:<>\r\n", "501"},
	{"RCPT of BINARYMIME", ehlo + "MAIL FROM:<a@x.test> BODY=BINARYMIME\r\nRCPT TO:<b@y.test>\r\n", "250"},
	{"RCPT of HELO", "HELO c.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n", "250"},
	{"RCPT behind TLS", ehlo + startTLSHere + envelope, "250"},
	{"DATA", envelope + "DATA\r\n", "354"},
	{"DATA of HELO", "HELO c.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n", "354"},
	{"between chunks", envelope + "BDAT 2\r\na\n", "250"},
	{"between chunks of BINARYMIME", ehlo + "MAIL FROM:<a@x.test> BODY=BINARYMIME\r\nRCPT TO:<b@y.test>\r\nBDAT 2\r\n\x00\n", "250"},
	{"BDAT without recipients", ehlo + "MAIL FROM:<a@x.test>\r\nBDAT 2\r\nab", "503"},
	{"behind a message", envelope + "DATA\r\n.\r\n", "250"},
	{"behind a message that was refused", envelope + "BDAT 2 LAST\r\n\n\n", "554"},
}

// fuzzBegun are beginnings of what is fuzzed: a line, a chunk or a message that has
// begun when the fuzzed octets come.
var fuzzBegun = []string{
	"", "MAIL FROM:<a@x.test> ", "RCPT TO:<b@", "BDAT 10\r\nabc", "BDAT 10 LAST\r\nabc", "DATA\r\n", "DATA\r\nabc", "DATA\r\nabc\r", "DATA\r\nabc\r\n.", "DATA\r\nabc\r\n.\r",
	"AUTH ", "AUTH ECHO ", "XCLIENT ", "EHLO ", strings.Repeat("x", 511), "NOOP " + strings.Repeat("x", commandSize-8),
}

// The bits of the mode of FuzzStates.
const (
	stateLMTP = 1 << iota
	stateNormalize
	stateRefuse // the session refuses what has an odd length
	stateLazy   // the session reads a part of each message and says that it has all
	stateStall  // the client never closes its side
	stateReset  // it resets the connection at the end
	state555
)

// FuzzStates brings a session into any of its states and lets the client say
// anything then. Whatever it is: nothing panics; the session ends within bounds;
// each line has one reply, which is a row; 421 and 221 close and nothing else does;
// nothing is taken that the last EHLO has not offered; the session is called in its
// order and closed once; and no message is taken that has not arrived whole.
func FuzzStates(f *testing.F) {
	secure := smtptest.NewCA(f).ServerConfig("mx.test")
	seeds := []string{
		"", "\r\n", "QUIT\r\n", envelope + "DATA\r\nx\r\n.\r\n", "\x00", "\n.\n" + inner, "\r\n.\r\n" + envelope, "BDAT 2 LAST\r\n\r\nRSET\r\n", "*\r\n", "b3Blbg==\r\n", ehlo + "STARTTLS\r\n\x16\x03\x01",
		"b@x.test> SIZE=10 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x AUTH=<> REQUIRETLS BY=120;R HOLDFOR=60 MT-PRIORITY=3\r\n", "RCPT TO:<b@y.test> NOTIFY=NEVER ORCPT=rfc822;a@b\r\nDATA\r\n.\r\n",
		"RSET\r\nEHLO (\r\nNOOP\r\nVRFY a\r\nHELP\r\nEXPN\r\nQUIT now\r\n", strings.Repeat("x", 1100) + "\r\n.\r\n",
	}
	for state := range fuzzStates {
		for i, seed := range seeds {
			f.Add(byte(state), byte(0), []byte(seed), byte(255), byte(i*37))
		}
		for begun := range fuzzBegun {
			f.Add(byte(state), byte(begun), []byte("b3Blbg==\r\n.\r\nNOOP\r\nNOOP\r\n"), byte(begun), byte(state))
			f.Add(byte(state), byte(begun), []byte("\r\nx\r\n.\r\n"), byte(2), byte(stateLazy))
		}
		for _, parameter := range []string{"SIZE=10", "BODY=8BITMIME", "BODY=BINARYMIME", "SMTPUTF8", "RET=HDRS", "ENVID=x", "AUTH=<>", "REQUIRETLS", "BY=120;R", "HOLDFOR=60", "HOLDUNTIL=2000-01-01T00:30:00Z", "MT-PRIORITY=3", "MAGIC"} {
			f.Add(byte(state), byte(1), []byte(parameter+"\r\n"+"RCPT TO:<b@y.test> NOTIFY=NEVER\r\nBDAT 2 LAST\r\n\r\n"), byte(255), byte(0))
		}
		f.Add(byte(state), byte(0), []byte(strings.Repeat("RCPT TO:<b@y.test>\r\n", 5)+"DATA\r\n.\r\n"), byte(255), byte(0))
	}
	f.Fuzz(func(t *testing.T, state, begun byte, said []byte, piece, mode byte) {
		synctest.Test(t, func(t *testing.T) {
			p := &probe{t: t, mode: mode, secure: secure}
			p.play(int(state)%len(fuzzStates), fuzzBegun[int(begun)%len(fuzzBegun)]+string(said), int(piece))
		})
	})
}

// TestFuzzStatesAreReached: a state that nobody comes into would be tried for nothing.
func TestFuzzStatesAreReached(t *testing.T) {
	secure := smtptest.NewCA(t).ServerConfig("mx.test")
	for state, s := range fuzzStates {
		for _, mode := range []byte{0, stateLMTP} {
			bubble(t, s.name, func(t *testing.T) {
				p := &probe{t: t, mode: mode, secure: secure}
				p.play(state, "", 0)
				all := codes(p.heard.String())
				if !strings.HasSuffix(all, s.last) || strings.Count(all, " ") < strings.Count(s.said, "\r\nRCPT") {
					t.Errorf("heard %s", all)
				}
			})
		}
	}
}

// probe is one client of FuzzStates, and what is known of the server.
type probe struct {
	t      *testing.T
	mode   byte
	secure *tls.Config
	server *Server
	conn   net.Conn // the client's side
	raw    *smtptest.Conn
	in     *bufio.Reader
	wrote  bytes.Buffer // in the clear, and behind TLS
	heard  bytes.Buffer
	closed chan struct{} // the server has closed its side
	ended  chan struct{}

	// What follows is written by the goroutine of the server, and read when that
	// has ended, or waits.
	last     *Conn
	caps     smtp.Capabilities
	extended bool // the last hello was EHLO
	greeted  bool
	replies  int
	queued   int
	faults   []error
	sessions []*probed
}

func (p *probe) has(bit byte) bool { return p.mode&bit != 0 }

// play brings the session into a state, says the rest in pieces, and looks at what
// came of it.
func (p *probe) play(state int, rest string, piece int) {
	p.build()
	client, server := smtptest.Pipe()
	p.raw, p.conn, p.in = client, client, bufio.NewReader(client)
	p.ended, p.closed = make(chan struct{}), make(chan struct{})
	early := fuzzStates[state].name == "before the greeting"
	if early {
		p.send(rest)
	}
	go func() {
		defer close(p.ended)
		p.server.ServeConn(server)
	}()
	p.enter(fuzzStates[state].said)
	go func() {
		defer close(p.closed)
		_, _ = io.Copy(&p.heard, p.in)
	}()
	synctest.Wait()
	for !early && rest != "" && !p.over() {
		n := min(len(rest), piece*piece/8+1)
		p.send(rest[:n])
		rest = rest[n:]
		synctest.Wait()
	}
	p.finish()
}

func (p *probe) build() {
	p.server = &Server{
		Hostname: "mx.test", TLS: p.secure, LMTP: p.has(stateLMTP),
		Limits: Limits{MessageSize: 1000, Recipients: 3, Errors: 5, Commands: 12, Transactions: 4},
		Offers: Offers{RequireTLS: true, DeliverBy: true, FutureRelease: time.Hour, Priority: true, XCLIENT: func(net.Addr) bool { return true }},
	}
	if p.has(stateNormalize) {
		p.server.LineEnding = smtp.NormalizeBare
	}
	if p.has(state555) {
		p.server.UnrecognizedParameter = reply.ParametersUnrecognized
	}
	p.server.NewSession = func(_ context.Context, c *Conn) (Session, error) {
		s := &probed{strict: strict{t: p.t}, probe: p}
		if p.has(stateRefuse) {
			s.mailErr = func(m *Mail) error { return refuseOdd(len(m.Path.Local)) }
			s.rcptErr = func(r *Rcpt) error { return refuseOdd(len(r.Path.Domain)) }
		}
		p.last, p.caps, p.greeted = c, smtp.Capabilities{}, false
		p.sessions = append(p.sessions, s)
		return s, nil
	}
	p.server.Hooks = Hooks{
		Reply: p.onReply,
		Fault: func(_ *Conn, err error) { p.faults = append(p.faults, err) },
	}
}

// onReply hears of each reply: which extensions there are from now on, and that it
// is a row.
func (p *probe) onReply(c *Conn, e ReplyEvent) {
	if !slices.Contains(Replies(), e.Row) {
		p.t.Errorf("the reply %s is in no table", e.Row.Name)
	}
	p.replies++
	switch e.Row {
	case ReplyEHLO:
		p.caps, p.greeted, p.extended = smtp.ParseCapabilities(c.ehloLines()[1:]), true, true
	case ReplyHELO:
		p.caps, p.greeted, p.extended = smtp.Capabilities{}, true, false
	case ReplyTLSReady:
		p.caps, p.greeted = smtp.Capabilities{}, false
	case ReplyQueued:
		p.queued++
	}
}

// enter says what leads into a state, a line at a time.
func (p *probe) enter(said string) {
	if p.server.LMTP {
		said = strings.ReplaceAll(strings.ReplaceAll(said, "EHLO", "LHLO"), "HELO", "LHLO")
	}
	if !p.hear() {
		return
	}
	if chunk := strings.Index(said, "BDAT"); chunk >= 0 {
		p.walk(said[:chunk])
		p.send(said[chunk:])
		p.hear()
		return
	}
	p.walk(said)
}

func (p *probe) walk(said string) {
	for line := range strings.SplitAfterSeq(said, "\r\n") {
		if line == "" {
			continue
		}
		p.send(line)
		if !p.hear() {
			return
		}
		if line == startTLSHere {
			p.conn = tls.Client(p.raw, &tls.Config{InsecureSkipVerify: true})
			p.in = bufio.NewReader(p.conn)
		}
	}
}

// hear waits for one reply, and reports false at the end of the connection.
func (p *probe) hear() bool {
	for {
		line, err := p.in.ReadString('\n')
		p.heard.WriteString(line)
		if err != nil || len(line) < 4 {
			return false
		}
		if line[3] == ' ' {
			return true
		}
	}
}

func (p *probe) send(s string) {
	p.wrote.WriteString(s)
	_, _ = io.WriteString(p.conn, s) // the server may have closed
}

func (p *probe) over() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}

// finish ends the connection in one of three ways, and looks at what is left.
func (p *probe) finish() {
	began := time.Now()
	byItself := p.over()
	switch {
	case p.has(stateReset):
		p.raw.Reset()
	case p.has(stateStall):
		<-p.closed
		byItself = true
	default:
		if secured, ok := p.conn.(*tls.Conn); ok {
			_ = secured.CloseWrite()
		}
		_ = p.raw.CloseWrite()
	}
	<-p.ended
	<-p.closed
	p.raw.Close()
	if took := time.Since(began); took > time.Hour {
		p.t.Errorf("it took %v", took)
	}
	p.checkServer()
	p.checkMessages()
	if !p.has(stateReset) {
		checkReplies(p.t, p.heard.String(), byItself)
		p.checkCount()
	}
}

// checkServer looks for what a connection may leave behind.
func (p *probe) checkServer() {
	if n := p.server.Connections(); n != 0 {
		p.t.Errorf("%d connections are left", n)
	}
	if p.last.in != nil || p.last.out != nil {
		p.t.Error("a buffer is left")
	}
	if !p.has(stateLazy) && len(p.faults) > 0 {
		p.t.Errorf("faults: %v", p.faults)
	}
	for _, s := range p.sessions {
		if !s.closed || s.opened != s.ended {
			p.t.Errorf("a session was left open: %+v", s)
		}
	}
}

// checkCount holds the server to one reply for each line at most, but for the
// greeting, LMTP and the last word; and each reply to the one door.
func (p *probe) checkCount() {
	most := bytes.Count(p.wrote.Bytes(), []byte("\n"))
	if p.server.LMTP {
		most *= p.server.Limits.Recipients
	}
	most++
	if strings.HasPrefix(lastLine(p.heard.String()), "421 ") {
		most++
	}
	if p.replies > most {
		p.t.Errorf("%d replies, and reasons for %d", p.replies, most)
	}
	said := 0
	for line := range strings.SplitSeq(p.heard.String(), "\r\n") {
		if len(line) > 3 && line[3] == ' ' {
			said++
		}
	}
	if said != p.replies {
		p.t.Errorf("%d replies were heard, and %d said", said, p.replies)
	}
}

// checkMessages holds what was taken against what was sent.
func (p *probe) checkMessages() {
	taken := 0
	for _, s := range p.sessions {
		checkTaken(p.t, p.server, &s.strict)
		for _, d := range s.taken {
			taken++
			if p.server.LMTP {
				taken += len(d.to) - 1
			}
			if !p.has(stateNormalize) && !isWithin(d.content, p.wrote.String()) {
				p.t.Errorf("the message %q was not sent", d.content)
			}
		}
	}
	if p.queued != taken {
		p.t.Errorf("%d messages were taken, and %d promised", taken, p.queued)
	}
}

// isWithin tells whether all of s was sent, in its order: with dots and commands of
// BDAT between, but with nothing left out.
func isWithin(s, sent string) bool {
	for i := range len(s) {
		at := strings.IndexByte(sent, s[i])
		if at < 0 {
			return false
		}
		sent = sent[at+1:]
	}
	return true
}

// probed is a session that holds the server to its order, and to what it has
// offered.
type probed struct {
	strict
	probe         *probe
	account       bool
	opened, ended int
}

func (s *probed) offers(what string, keywords ...string) {
	for _, k := range keywords {
		if !s.probe.caps.Has(k) {
			s.t.Errorf("%s was taken, and %s is not offered", what, k)
		}
	}
}

func (s *probed) Mail(ctx context.Context, m *Mail) error {
	if !s.probe.greeted {
		s.t.Error("MAIL was taken before a hello")
	}
	for _, parameter := range []struct {
		given    bool
		keywords []string
	}{
		{m.Size != 0, []string{"SIZE"}},
		{m.Body == smtp.Body8BitMIME, []string{"8BITMIME"}},
		{m.Body == smtp.BodyBinaryMIME, []string{"BINARYMIME", "CHUNKING"}},
		{m.SMTPUTF8, []string{"SMTPUTF8"}},
		{m.Ret != 0 || m.EnvID != "", []string{"DSN"}},
		{m.Auth != nil, []string{"AUTH"}},
		{m.RequireTLS, []string{"REQUIRETLS"}},
		{m.DeliverBy != smtp.DeliverBy{}, []string{"DELIVERBY"}},
		{m.HoldFor != 0 || !m.HoldUntil.IsZero(), []string{"FUTURERELEASE"}},
		{m.HasPriority, []string{"MT-PRIORITY"}},
	} {
		if parameter.given {
			s.offers("MAIL", parameter.keywords...)
		}
	}
	if !m.SMTPUTF8 && !m.Path.IsASCII() {
		s.t.Error("a path beyond ASCII without SMTPUTF8")
	}
	return s.strict.Mail(ctx, m)
}

func (s *probed) Rcpt(ctx context.Context, r *Rcpt) error {
	if r.Notify != 0 || r.Original != (smtp.OriginalRecipient{}) {
		s.offers("RCPT", "DSN")
	}
	return s.strict.Rcpt(ctx, r)
}

func (s *probed) Data(ctx context.Context, content *Content) (string, error) {
	if _, chunked := content.source.(*chunks); chunked {
		s.offers("BDAT", "CHUNKING")
	}
	if !s.probe.has(stateLazy) {
		id, err := s.strict.Data(ctx, content)
		if c, chunked := content.source.(*chunks); err == nil && chunked && (c.left > 0 || !c.last) {
			s.t.Errorf("taken with %d octets to come", c.left)
		}
		return id, err
	}
	s.call("Data", s.current != nil && len(s.current.to) > 0)
	d := s.current
	s.current = nil
	n, err := content.Read(make([]byte, 5))
	if err == nil && n == 0 {
		s.t.Error("read nothing, and no error")
	}
	whole := err == io.EOF
	if !whole && content.end == io.EOF {
		s.t.Error("the end was not told")
	}
	if whole {
		s.taken = append(s.taken, *d)
	}
	return "ID", nil
}

func (s *probed) Mechanisms(secured bool) []string {
	if secured {
		return []string{"ECHO", "LAST", "EXTRA"}
	}
	return []string{"ECHO", "LAST"}
}

func (s *probed) Authenticated() bool { return s.account }

func (s *probed) Authenticate(_ context.Context, mechanism string) (Exchange, error) {
	s.call("Authenticate", s.current == nil && !s.account)
	if !slices.Contains(s.probe.caps.Auth(), mechanism) {
		s.t.Errorf("AUTH %s was taken, and is not offered", mechanism)
	}
	s.opened++
	return &probedExchange{session: s, last: mechanism == "LAST"}, nil
}

func (s *probed) StartTLS(context.Context) error {
	s.call("StartTLS", s.current == nil)
	s.offers("STARTTLS", "STARTTLS")
	s.account = false
	return nil
}

func (s *probed) Greet(context.Context) error {
	s.call("Greet", s.current == nil)
	return nil
}

// probedExchange wants to hear "open".
type probedExchange struct {
	session *probed
	last    bool
	over    bool
}

func (x *probedExchange) Next(_ context.Context, response []byte) (challenge []byte, done bool, err error) {
	x.session.call("Next", !x.over && x.session.opened == x.session.ended+1)
	switch {
	case response == nil:
		return []byte("word?"), false, nil
	case string(response) != "open":
		x.over = true
		return nil, false, Refuse(ReplyAuthFailed)
	}
	x.over, x.session.account = true, true
	if x.last {
		challenge = []byte("welcome")
	}
	return challenge, true, nil
}

func (x *probedExchange) Close() { x.session.ended++ }
