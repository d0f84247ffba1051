package smtptest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// role is one side of one connection, playing its script.
type role struct {
	file     string
	self     side
	conn     net.Conn
	reader   *bufio.Reader
	out      []byte // lines not yet written
	tls      func() *tls.Config
	patience time.Duration // how long to wait for the other side; 0 for ever
	ended    <-chan struct{}
	received func(message []byte)
	stalled  func() // called at a stall
	chunks   []byte // of a message that comes by BDAT
}

// isReset tells an end of the connection that is as good as a close.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

// deviation is what the other side did in place of what a step expected.
type deviation struct {
	file  string
	line  int
	what  string
	cause error
}

func (d *deviation) Error() string {
	s := fmt.Sprintf("%s:%d: %s", d.file, d.line, d.what)
	if d.cause != nil {
		s += ": " + d.cause.Error()
	}
	return s
}

func (d *deviation) Unwrap() error { return d.cause }

// play runs the script to its end and closes the connection.
func (r *role) play(s script) error {
	defer func() { _ = r.conn.Close() }()
	r.reader = bufio.NewReaderSize(r.conn, 64<<10)
	for _, step := range s.steps {
		if err := r.do(step); err != nil {
			return err
		}
	}
	if err := r.flush(s.lastLine()); err != nil {
		return err
	}
	if r.self == server && !s.ended() {
		return r.expectEnd(s.lastLine())
	}
	return nil
}

func (s script) lastLine() int {
	if n := len(s.steps); n > 0 {
		return s.steps[n-1].line
	}
	return s.line
}

// ended tells whether the script says itself how the connection ends.
func (s script) ended() bool {
	n := len(s.steps)
	return n > 0 && (s.steps[n-1].ends() || s.steps[n-1].kind == kindEOF)
}

func (r *role) do(s step) error {
	if s.side == r.self {
		return r.speak(s)
	}
	if err := r.flush(s.line); err != nil {
		return err
	}
	if s.side == player {
		return r.act(s)
	}
	return r.listen(s)
}

// speak does a step of the own side. Lines wait for the next step that is not
// one, so that successive ones leave in one write.
func (r *role) speak(s step) error {
	switch s.kind {
	case kindLine:
		r.out = append(r.out, s.text.line()...)
	case kindData:
		r.out = append(stuff(r.out, s.message()), ".\r\n"...)
	case kindBDAT:
		r.out = append(r.out, s.bdat()...)
	case kindEOF:
		if err := r.flush(s.line); err != nil {
			return err
		}
		return r.shut(s)
	default:
		return r.deviate(s.line, "a step that can only be expected: "+s.String(), nil)
	}
	return nil
}

// shut ends the own half of the connection where the transport knows halves. The
// other side may have ended its own first.
func (r *role) shut(s step) error {
	half, ok := r.conn.(interface{ CloseWrite() error })
	if !ok {
		return r.deviate(s.line, "the connection has no halves to close", nil)
	}
	if err := half.CloseWrite(); err != nil && !isReset(err) {
		return r.deviate(s.line, "closing one half", err)
	}
	return nil
}

// act does a step that neither side says.
func (r *role) act(s step) error {
	switch s.kind {
	case kindReset:
		reset(r.conn)
	case kindStall:
		r.stalled()
		<-r.ended
	case kindDrain:
		_ = r.conn.SetReadDeadline(time.Time{})
		_, _ = io.Copy(io.Discard, r.reader)
	case kindWait:
		r.pause(s.wait)
	case kindStartTLS:
		return r.startTLS(s)
	}
	return nil
}

// reset makes the close that follows send a TCP reset.
func reset(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	switch c := conn.(type) {
	case *net.TCPConn:
		_ = c.SetLinger(0)
		_ = c.Close()
	case *Conn:
		c.Reset()
	}
}

func (r *role) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.ended:
	}
}

// errRefused breaks a handshake off.
var errRefused = errors.New("smtptest: handshake refused by the dialogue")

func (r *role) startTLS(s step) error {
	if n := r.reader.Buffered(); n > 0 {
		return r.deviate(s.line, fmt.Sprintf("%d octets in plain text before the handshake", n), nil)
	}
	config := r.tls()
	if s.shake == shakeRefuse {
		config = config.Clone()
		config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errRefused }
		config.VerifyConnection = func(tls.ConnectionState) error { return errRefused }
	}
	secure := tls.Client(r.conn, config)
	if r.self == server {
		secure = tls.Server(r.conn, config)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if r.patience > 0 {
		ctx, cancel = context.WithTimeout(ctx, r.patience)
		defer cancel()
	}
	err := secure.HandshakeContext(ctx)
	if (err == nil) != (s.shake == shakeOK) {
		return r.deviate(s.line, s.String()+" came out otherwise", err)
	}
	r.conn, r.reader = secure, bufio.NewReaderSize(secure, 64<<10)
	return nil
}

func (r *role) flush(line int) error {
	if len(r.out) == 0 {
		return nil
	}
	if r.patience > 0 {
		_ = r.conn.SetWriteDeadline(time.Now().Add(r.patience))
	}
	_, err := r.conn.Write(r.out)
	r.out = r.out[:0]
	if err != nil {
		return r.deviate(line, "writing the lines before this one", err)
	}
	return nil
}

func (r *role) deviate(line int, what string, cause error) error {
	return &deviation{file: r.file, line: line, what: what, cause: cause}
}
