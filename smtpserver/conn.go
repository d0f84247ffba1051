package smtpserver

import (
	"crypto/tls"
	"fmt"
	"net"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/weirmail/weir/smtp"
)

// Conn is one connection, as its [Session] may see it. Its methods are for
// the calls of the session. A waiting connection should stay small: what
// only a transaction needs is in transaction.
type Conn struct {
	server  *Server
	tcp     net.Conn        // what was accepted; never changed
	nc      net.Conn        // tcp, or the TLS connection on top of it
	raw     syscall.RawConn // of tcp; nil where that is no socket
	wait    func(fd uintptr) bool
	session Session
	visitor *Visitor // nil where there is no door
	tx      *transaction

	in       *buffer // unread input; nil where there is none
	readErr  error
	out      *buffer       // replies that are not written yet; nil where there are none
	deadline time.Time     // of reads, as it was set; zero where it is not known
	waited   time.Duration // for the peer, in this line or block
	heardAt  time.Duration // what waited was when something arrived last
	arrived  int32         // octets of this block
	inSize   int32         // size class of the buffer for the next read

	id        uint64
	helo      string
	extended  bool
	closing   bool
	lingers   bool // the client may still be writing
	stage     smtp.Stage
	errors    int32
	idle      int32 // commands without mail, since the last message
	delivered int32 // transactions that came to their end
	err       error
	pending   *[]byte // a command that interrupted BDAT

	behalf *behalf // what XCLIENT said; nil where it said nothing

	dismissed atomic.Pointer[dismissal]
	idleSince atomic.Int64 // nanoseconds of the Unix time; 0 while there is work
	shaking   bool         // a handshake goes on; guarded by the server's mu

	parked parking
	peeked peeked // what lookForEnd saw
	look   func(fd uintptr)
	paused bool          // the session knows that it waits for its client
	first  [1]byte       // what woke a parked session
	done   chan struct{} // closed at the end where somebody waits for it
}

func newConn(s *Server, nc net.Conn) *Conn {
	c := &Conn{server: s, tcp: nc, nc: nc, id: s.ids.next()}
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			c.raw = raw
		}
	}
	return c
}

// ID returns the name of the session in logs, unique within the process.
func (c *Conn) ID() string { return c.server.ids.format(c.id) }

// RemoteAddr returns the address of the client: of the peer, or of whom a trusted
// peer speaks for by XCLIENT.
func (c *Conn) RemoteAddr() net.Addr {
	if c.behalf != nil {
		return c.behalf.remote(c.tcp.RemoteAddr())
	}
	return c.tcp.RemoteAddr()
}

// LocalAddr returns the address that the client connected to.
func (c *Conn) LocalAddr() net.Addr {
	if c.behalf != nil {
		return c.behalf.local(c.tcp.LocalAddr())
	}
	return c.tcp.LocalAddr()
}

// HELO returns the name that the client gave with EHLO, HELO or LHLO; empty
// before.
func (c *Conn) HELO() string { return c.helo }

// Extended reports that the client said EHLO or LHLO.
func (c *Conn) Extended() bool { return c.extended }

// LMTP reports that the connection speaks LMTP.
func (c *Conn) LMTP() bool { return c.server.LMTP }

// TLS returns the state of TLS. ok is false on a plain connection.
func (c *Conn) TLS() (state tls.ConnectionState, ok bool) {
	if t, ok := c.nc.(*tls.Conn); ok {
		return t.ConnectionState(), true
	}
	return tls.ConnectionState{}, false
}

func (c *Conn) secured() bool { return c.nc != c.tcp }

// onSocket reports that the input can be waited for on the socket itself, without
// a buffer.
func (c *Conn) onSocket() bool { return c.raw != nil && !c.secured() }

// serve runs the connection until it ends, or is parked.
func (c *Conn) serve() {
	defer c.leave()
	defer c.contain()
	if c.parked == parked {
		c.unpark()
	} else {
		c.greet()
	}
	for !c.closing && c.parked == awake {
		c.next()
	}
}

// leave is the end of a goroutine: the connection's end too, unless it is parked.
func (c *Conn) leave() {
	if c.parked != awake && !c.closing {
		if c.server.onPark != nil {
			c.server.onPark(c)
		}
		go c.sleep()
		return
	}
	defer c.server.removeConn(c)
	c.end()
}

// contain turns a panic into the end of this one session. A hook that panics
// must not end more than that either.
func (c *Conn) contain() {
	value := recover()
	if value == nil {
		return
	}
	defer func() {
		if again := recover(); again != nil {
			c.closing = true
		}
	}()
	c.err = fmt.Errorf("panic in session %s: %v", c.ID(), value)
	c.fault(fmt.Errorf("%w\n%s", c.err, debug.Stack()))
	c.answer(ReplyPanic)
}

func (c *Conn) fault(err error) {
	if hook := c.server.Hooks.Fault; hook != nil {
		hook(c, err)
	}
}

// end closes the connection when its last reply is written.
func (c *Conn) end() {
	if err := c.flush(); err == nil && c.lingers {
		c.linger()
	}
	c.nc.Close()
	c.releaseInput()
	c.closeSession()
	if hook := c.server.Hooks.Closed; hook != nil {
		hook(c, c.err)
	}
}

// closeSession is the last call to the session; a panic in it is as contained
// as one in a command.
func (c *Conn) closeSession() {
	defer func() {
		if value := recover(); value != nil {
			c.fault(fmt.Errorf("panic closing session %s: %v\n%s", c.ID(), value, debug.Stack()))
		}
	}()
	if c.session != nil {
		c.session.Close()
	}
}

// greet begins the session, or ends the connection where there is none.
func (c *Conn) greet() {
	c.stage = smtp.StageConnect
	if c.server.ImplicitTLS && !c.handshake(c.server.Timeouts.Handshake) {
		return
	}
	if c.server.State() != Serving {
		c.bidFarewell()
		return
	}
	if d := c.dismissal(); d != nil {
		c.answer(d.row, d.args...)
		return
	}
	c.beginSession()
}

// beginSession makes the session and greets, or ends the connection where there is
// none.
func (c *Conn) beginSession() {
	session, err := c.server.NewSession(c.server.base, c)
	if err != nil {
		c.refuseGreeting(err)
		return
	}
	c.session = session
	if c.server.LMTP {
		c.answer(ReplyGreetingLMTP)
	} else {
		c.answer(ReplyGreeting)
	}
}

// refuseGreeting says why there is no greeting. A refusal that would not close has
// no place here, since there is no session to go on with: it is a fault of whoever
// made it, as any other error.
func (c *Conn) refuseGreeting(err error) {
	if refusal := refusalOf(err); refusal != nil && refusal.Row.Code.Closes() {
		c.answer(refusal.Row, refusal.Args...)
		return
	}
	c.fault(fmt.Errorf("beginning session %s: %w", c.ID(), err))
	c.answer(ReplyPanic)
}

// interrupt wakes the connection's goroutine out of a read or a write, to
// look at the server's state. It is called from other goroutines; the server's mu
// is held. A handshake is given a moment, since without it nothing can be said.
func (c *Conn) interrupt() {
	if c.shaking {
		c.tcp.SetReadDeadline(time.Now().Add(refusalTime))
		return
	}
	c.tcp.SetReadDeadline(time.Unix(1, 0))
}

// The bounds of linger.
const (
	lingerTime  = time.Second
	lingerBytes = 256 << 10
)

// linger half-closes the connection and drops what the client is still
// writing: closing with unread input would reset the connection, and the last
// reply might never be read.
func (c *Conn) linger() {
	half, ok := c.tcp.(interface{ CloseWrite() error })
	if !ok {
		return
	}
	if t, ok := c.nc.(*tls.Conn); ok {
		t.CloseWrite()
	}
	if half.CloseWrite() != nil {
		return
	}
	c.releaseInput()
	c.tcp.SetReadDeadline(time.Now().Add(lingerTime))
	b := commandBuffers.get()
	defer b.release()
	for dropped := 0; dropped < lingerBytes; {
		n, err := c.tcp.Read(b.data)
		if err != nil {
			return
		}
		dropped += n
	}
}
