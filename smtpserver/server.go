package smtpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// ErrServerClosed is returned by [Server.Serve] after Shutdown, HandOver
// or Close.
var ErrServerClosed = errors.New("smtpserver: server closed")

// Server takes connections and runs a [Session] on each. Its exported fields
// are set before the first Serve and not changed after. All methods are safe
// for concurrent use.
type Server struct {
	// Hostname is the name in the greeting, in the answer to EHLO and in
	// every 421.
	Hostname string
	// NewSession makes the session of a connection, before the greeting. A
	// [*Refusal] with the code 421 is said in place of the greeting. The
	// context is the server's own: it ends when Close is called.
	NewSession func(ctx context.Context, c *Conn) (Session, error)
	// LMTP makes the server speak LMTP (RFC 2033) in place of SMTP.
	LMTP bool
	// TLS is the configuration for STARTTLS, which is offered where this is
	// set, and for ImplicitTLS.
	TLS *tls.Config
	// ImplicitTLS begins each connection with the handshake (RFC 8314).
	ImplicitTLS bool
	// Limits and Timeouts bound what a peer can ask for. Zero fields have
	// defaults.
	Limits   Limits
	Timeouts Timeouts
	// LineEnding says what becomes of a bare CR or LF.
	LineEnding smtp.LineEnding
	// Offers are the extensions that the server has beyond those of every one.
	Offers Offers
	// UnrecognizedParameter is the code that answers a parameter of MAIL or RCPT
	// that is not offered: 504, which 0 stands for, or 555 (RFC 5321 section
	// 4.1.1.11).
	UnrecognizedParameter reply.Code
	// LastMail tells whether a session is to be told that it can hand over one message
	// and no more (LIMITS MAILMAX=1, RFC 9422 section 4), because the server closes
	// soon. It is asked at each EHLO, and binds nobody; nil means never.
	LastMail func(c *Conn) bool
	// Hooks hear of what happens.
	Hooks Hooks
	// Farewell words the 421 by which a session, or a visitor, is sent away because
	// the server stops; where it is nil that is [ReplyShutdown]. It is called once
	// for each of them.
	Farewell func(c *Conn) *Refusal
	// Door decides about connections before they become sessions; where it is
	// nil all of them do.
	Door Door

	state atomic.Int32
	once  sync.Once
	ids   sessionIDs
	wires wires
	// parkAfter is parkAfter, but for tests; onPark tells them.
	parkAfter time.Duration
	onPark    func(*Conn)

	dismissed atomic.Pointer[dismissal]
	lingerers lingerers
	refusing  chan struct{} // one for each handshake that ends in a refusal
	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*Conn]struct{}
	stopping  chan struct{} // closed by Shutdown and Close
	drained   chan struct{} // closed when stopping and no connection is left
	handing   chan struct{} // closed by HandOver
	// unlistened is closed when handing over and no listener is left.
	unlistened chan struct{}
	base       context.Context
	cancel     context.CancelFunc
}

// State is where a server is in its life.
type State int32

// The states of a server, in their order.
const (
	// Serving servers take connections.
	Serving State = iota
	// Stopping servers let transactions finish and say 421 to all others.
	Stopping
	// Closed servers have ended, or end without waiting.
	Closed
)

// String returns the state in lower case.
func (s State) String() string {
	return [...]string{"serving", "stopping", "closed"}[s]
}

// Limits bound what one connection can ask for.
type Limits struct {
	// MessageSize is the greatest content in octets; 0 means 50 MiB.
	MessageSize int64
	// Recipients is the greatest number of recipients in a transaction, with
	// those that were refused; 0 means 1000. RFC 5321 section 4.5.3.1.8 wants at
	// least 100.
	Recipients int
	// Errors is the number of commands with protocol errors after which the
	// connection is closed; 0 means 20.
	Errors int
	// Commands is the number of commands that bring no message nearer, such as
	// NOOP, RSET, VRFY, EHLO and refused MAIL, after which the connection is
	// closed, counted since the last message that was taken; 0 means 100.
	Commands int
	// Transactions is the number of transactions after which a further MAIL
	// closes the connection; 0 means no limit.
	Transactions int
}

// Offers are extensions that not every server has: what they ask for has to be done
// behind the server. The zero value offers none.
type Offers struct {
	// RequireTLS offers REQUIRETLS on connections with TLS (RFC 8689).
	RequireTLS bool
	// DeliverBy offers DELIVERBY, with DeliverByMin, in whole seconds, as the least
	// time that can be asked for; 0 names none (RFC 2852).
	DeliverBy    bool
	DeliverByMin time.Duration
	// FutureRelease is how long a message can be asked to be held, in whole
	// seconds; 0 does not offer FUTURERELEASE (RFC 4865).
	FutureRelease time.Duration
	// Priority offers MT-PRIORITY (RFC 6710).
	Priority bool
	// XCLIENT tells whether a peer is trusted to say on whose behalf it speaks;
	// nil trusts nobody. The session begins anew with each command.
	XCLIENT func(peer net.Addr) bool
}

// Timeouts bound how long the server waits for a peer. RFC 5321 section
// 4.5.3.2 wants at least five minutes for a command.
type Timeouts struct {
	// Command is the time for the whole of the next command; 0 means 5 minutes.
	Command time.Duration
	// Block is the time for the next 16 KiB of a message, or what is left of it;
	// 0 means 3 minutes.
	Block time.Duration
	// Write is the time for a peer to take a reply; 0 means 1 minute.
	Write time.Duration
	// Handshake is the time for a TLS handshake; 0 means 30 seconds.
	Handshake time.Duration
}

// Hooks are functions that hear of what happens in a server. Each may be nil.
// They are called from the goroutines of the connections and must be quick
// and safe for concurrent use.
type Hooks struct {
	// Reply hears of every reply, when it is written to the connection's
	// buffer.
	Reply func(c *Conn, e ReplyEvent)
	// Fault hears of a fault that is the server's own: an error of a session
	// that was no refusal, or a panic with its stack.
	Fault func(c *Conn, err error)
	// Refused hears of a refusal at the door, which no other hook hears of.
	Refused func(v *Visitor, r Refused, heard Heard)
	// Closed hears of the end of a connection. The error is nil where the end
	// was orderly.
	Closed func(c *Conn, err error)
}

// ReplyEvent is one reply that was sent.
type ReplyEvent struct {
	Row   *Row
	Stage smtp.Stage
	// Args are what filled the places of the row's text.
	Args []string
}

func (l *Limits) setDefaults() {
	if l.MessageSize <= 0 {
		l.MessageSize = 50 << 20
	}
	if l.Recipients <= 0 {
		l.Recipients = 1000
	}
	if l.Errors <= 0 {
		l.Errors = 20
	}
	if l.Commands <= 0 {
		l.Commands = 100
	}
}

func (t *Timeouts) setDefaults() {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&t.Command, 5 * time.Minute}, {&t.Block, 3 * time.Minute}, {&t.Write, time.Minute}, {&t.Handshake, 30 * time.Second}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
}

func (s *Server) init() {
	s.once.Do(func() {
		s.Limits.setDefaults()
		s.Timeouts.setDefaults()
		if s.parkAfter == 0 {
			s.parkAfter = parkAfter
		}
		s.listeners = make(map[net.Listener]struct{})
		s.conns = make(map[*Conn]struct{})
		s.stopping = make(chan struct{})
		s.refusing = make(chan struct{}, handshakesForRefusals)
		s.drained = make(chan struct{})
		s.handing = make(chan struct{})
		s.unlistened = make(chan struct{})
		s.base, s.cancel = context.WithCancel(context.Background())
	})
}

// State returns where the server is in its life.
func (s *Server) State() State { return State(s.state.Load()) }

// Connections returns the number of open connections.
func (s *Server) Connections() int {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Serve takes connections from the listener until Shutdown, HandOver or Close, and
// returns [ErrServerClosed] then; or until the listener fails for good, and
// returns its error. It closes the listener. A listener may have a method Rest,
// which returns a connection that it has taken from its queue and not given out,
// or nil: when no more are accepted those are served still.
func (s *Server) Serve(l net.Listener) error {
	s.init()
	if !s.track(l) {
		l.Close()
		return ErrServerClosed
	}
	defer s.untrack(l)
	for failures := 0; ; {
		if s.Door != nil {
			if d := s.Door.Pause(); d > 0 && !s.pause(d) {
				return s.drainBacklog(l)
			}
		}
		if s.isHandingOver() {
			return s.drainBacklog(l)
		}
		nc, err := l.Accept()
		if err == nil {
			failures = 0
			s.start(nc)
			continue
		}
		if s.isHandingOver() || s.State() != Serving {
			return s.drainBacklog(l)
		}
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("accepting on %v: %w", l.Addr(), err)
		}
		// Descriptors may have run out, or the peer was gone before it was
		// accepted. Both pass; the listener stays.
		failures++
		if !s.pause(acceptDelay(failures)) {
			return s.drainBacklog(l)
		}
	}
}

// deadliner is a listener whose Accept can be made to return.
type deadliner interface{ SetDeadline(t time.Time) error }

// interruptAccept makes Accept return: at once, and without what waits.
func interruptAccept(l net.Listener) {
	if d, ok := l.(deadliner); !ok || d.SetDeadline(time.Unix(1, 0)) != nil {
		l.Close()
	}
}

// drainBacklog tells those who are connected, and were not accepted yet, that the
// server stops: closing the listener would reset them without a word.
func (s *Server) drainBacklog(l net.Listener) error {
	defer s.startRest(l)
	d, ok := l.(deadliner)
	if !ok || s.State() == Closed || s.isHandingOver() {
		return ErrServerClosed
	}
	for {
		// A deadline that has passed lets Accept return what is there and not
		// wait; but the runtime looks at the deadline first, so a moment it is.
		d.SetDeadline(time.Now().Add(backlogPatience))
		nc, err := l.Accept()
		if err != nil {
			return ErrServerClosed
		}
		s.start(nc)
	}
}

// rester is a listener that takes connections from the queue before it gives them
// out, as one does that reads what a proxy says of them first.
type rester interface {
	// Rest returns such a connection, or nil when there is none left.
	Rest() net.Conn
}

// startRest lets those in who are in no queue any more: nobody else can.
func (s *Server) startRest(l net.Listener) {
	r, ok := l.(rester)
	if !ok || s.State() == Closed {
		return
	}
	for nc := r.Rest(); nc != nil; nc = r.Rest() {
		s.start(nc)
	}
}

// backlogPatience is how long the listener waits for one more connection before it
// closes.
const backlogPatience = 20 * time.Millisecond

// acceptDelay is the pause after an accept that failed, by the number of
// failures without a success between them.
func acceptDelay(failures int) time.Duration {
	return min(time.Duration(failures)*5*time.Millisecond, time.Second)
}

// pause waits, and reports false when the server stops meanwhile.
func (s *Server) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return s.State() == Serving
	case <-s.stopping:
		return false
	case <-s.handing:
		return false
	}
}

// ServeConn runs a session on one connection and returns when it has ended.
func (s *Server) ServeConn(nc net.Conn) {
	s.init()
	c := newConn(s, nc)
	c.done = make(chan struct{})
	if s.register(c) == Closed {
		return
	}
	c.serve()
	<-c.done
}

// start lets a connection in that was accepted, or asks the door to; where the
// server stops meanwhile it is told so.
func (s *Server) start(nc net.Conn) {
	c := newConn(s, nc)
	if s.Door != nil {
		c.visitor = &Visitor{conn: c}
	}
	switch state := s.register(c); {
	case state == Closed:
	case state == Stopping:
		v := c.visitor
		if v == nil {
			v = &Visitor{conn: c}
		}
		row, args := s.farewell(c)
		v.Refuse(Refused{Row: row, Args: args})
	case s.Door == nil:
		go c.serve()
	default:
		s.Door.Knock(c.visitor)
		c.visitor.part()
	}
}

// register adds a connection to those that the server waits for, and returns the
// state at that moment. It closes the connection where the server has closed.
func (s *Server) register(c *Conn) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.State()
	if state == Closed {
		c.tcp.Close()
		return state
	}
	s.conns[c] = struct{}{}
	return state
}

func (s *Server) removeConn(c *Conn) {
	if v := c.visitor; v != nil && v.entered {
		s.Door.Leave(v)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if c.done != nil {
		close(c.done)
	}
	s.signalDrained()
}

// signalDrained closes drained once; mu is held.
func (s *Server) signalDrained() {
	if s.State() == Serving || len(s.conns) > 0 || len(s.listeners) > 0 {
		return
	}
	select {
	case <-s.drained:
	default:
		close(s.drained)
	}
}

func (s *Server) track(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.State() != Serving || s.isHandingOver() {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) untrack(l net.Listener) {
	l.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
	s.signalDrained()
	s.signalUnlistened()
}

// Shutdown stops the server: listeners close, sessions without a transaction
// hear 421 at once, and those with one when it has ended. It returns nil when
// the last connection is gone, or the context's error; Close is to follow
// then.
func (s *Server) Shutdown(ctx context.Context) error {
	s.init()
	s.stop(Stopping)
	select {
	case <-s.drained:
		s.lingerers.wait(ctx)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// closePatience is how long Close lets sessions say their 421.
const closePatience = 2 * time.Second

// Close ends the server without waiting for transactions: each session says
// 421 where its peer will take it, a message that is not yet acknowledged is
// dropped, and the connections are closed. Close returns when all of them
// have ended.
func (s *Server) Close() error {
	s.init()
	s.stop(Closed)
	s.cancel()
	timer := time.NewTimer(closePatience)
	defer timer.Stop()
	select {
	case <-s.drained:
		s.lingerers.wait(s.base)
		return nil
	case <-timer.C:
	}
	s.mu.Lock()
	for c := range s.conns {
		c.tcp.Close()
	}
	s.mu.Unlock()
	<-s.drained
	s.lingerers.wait(s.base)
	return nil
}

// stop moves the server to a later state and wakes everyone who waits.
func (s *Server) stop(to State) {
	for _, v := range s.move(to) {
		row, args := s.farewell(v.conn)
		v.sendAway(Refused{Row: row, Args: args})
	}
}

// farewell is what somebody hears because the server stops.
func (s *Server) farewell(c *Conn) (*Row, []string) {
	if s.Farewell != nil {
		if r := s.Farewell(c); r != nil && r.Row.Code.Closes() {
			return r.Row, r.Args
		}
	}
	return ReplyShutdown, nil
}

// bidFarewell says it to a session.
func (c *Conn) bidFarewell() {
	row, args := c.server.farewell(c)
	c.answer(row, args...)
}

// move is stop, and returns the visitors that wait.
func (s *Server) move(to State) []*Visitor {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.State() == Serving {
		close(s.stopping)
	}
	if s.State() < to {
		s.state.Store(int32(to))
	}
	for l := range s.listeners {
		if to == Closed {
			l.Close()
		} else {
			interruptAccept(l) // Serve answers those who wait in the queue, and closes it then
		}
	}
	var waiting []*Visitor
	for c := range s.conns {
		if v := c.visitor; v != nil && !v.settled.Load() {
			waiting = append(waiting, v)
			continue
		}
		c.interrupt()
	}
	s.signalDrained()
	return waiting
}
