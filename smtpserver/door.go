package smtpserver

import (
	"net"
	"sync/atomic"
	"time"
)

// Door decides about each connection before anything is spent on it: no
// goroutine, no buffer, no session.
type Door interface {
	// Knock is called by the accept loop for every connection, one at a time for
	// each listener. It must not block. It calls exactly one of [Visitor.Enter]
	// and [Visitor.Refuse]: at once, or later from any goroutine. Meanwhile the
	// client hears nothing, which costs the server nothing: it is a waiting room
	// before the greeting.
	Knock(v *Visitor)
	// Leave is called once for each visitor that has entered, when its
	// connection is closed, and for one that was waiting when the server
	// stopped.
	Leave(v *Visitor)
	// Pause is asked before each accept: for how long the listener stays away
	// from its queue, 0 for not at all.
	Pause() time.Duration
}

// Visitor is a connection that was accepted and is not yet a session.
type Visitor struct {
	// Tag is for the door's own use.
	Tag any
	// Stay keeps the session from being dismissed. It is set before Enter.
	Stay bool

	conn    *Conn
	settled atomic.Bool // entered, refused, or sent away because the server stops
	entered bool
	parting atomic.Int32 // counts Knock's return and being sent away
}

// RemoteAddr returns the address of the peer.
func (v *Visitor) RemoteAddr() net.Addr { return v.conn.RemoteAddr() }

// LocalAddr returns the address that the peer connected to.
func (v *Visitor) LocalAddr() net.Addr { return v.conn.LocalAddr() }

// Visitor returns what the connection was before it entered; nil where the
// server has no door.
func (c *Conn) Visitor() *Visitor { return c.visitor }

// Enter begins the session. Where the visitor was sent away meanwhile, because
// the server stops, it does nothing.
func (v *Visitor) Enter() {
	if v.settled.Swap(true) {
		return
	}
	v.entered = true
	go v.conn.serve()
}

// Refused is what a visitor hears in place of the greeting.
type Refused struct {
	// Row is the reply; its code is 421.
	Row *Row
	// Wire is the reply as it is sent, where it was prepared; otherwise it is
	// made from the row and Args.
	Wire []byte
	Args []string
}

// Refuse says why there is no session, and closes. It returns at once: a client
// that is still writing is listened to by somebody else for a while, so that it
// can read what was said before the connection is reset.
func (v *Visitor) Refuse(r Refused) {
	if v.settled.Swap(true) {
		return
	}
	v.conn.server.turnAway(v, r)
}

// sendAway refuses a visitor that waits, on the server's own behalf, and tells the
// door, unless the door has decided meanwhile.
func (v *Visitor) sendAway(r Refused) {
	if v.settled.Swap(true) {
		return
	}
	v.conn.server.turnAway(v, r)
	v.part()
}

// part is called when Knock has returned and when a visitor was sent away; with the
// second the door hears of it, and so never before it has heard of the visitor.
func (v *Visitor) part() {
	if v.parting.Add(1) == 2 {
		v.conn.server.Door.Leave(v)
	}
}
