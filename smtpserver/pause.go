package smtpserver

import (
	"context"
	"fmt"
	"time"
)

// Pauser is an add-on of a [Session] that wants to know when the server waits
// for the client, and not the client for the server.
type Pauser interface {
	// Pause is called when the client has let the server wait for a second, in or
	// out of a transaction, and in the middle of a message.
	Pause()
	// Resume is called when there is input again, before anything is done with
	// it. It may block; the time does not count against the client. The context is
	// the server's own. An error is a [*Refusal] with the code 421, which ends the
	// session; a message that is arriving ends with it. A session that ends while it
	// waits is closed without Resume.
	Resume(ctx context.Context) error
}

// pause tells the session that it waits for its client.
func (c *Conn) pause() {
	if p, ok := c.session.(Pauser); ok && !c.paused {
		c.paused = true
		p.Pause()
	}
	if c.tx == nil && c.idleSince.Load() == 0 {
		c.idleSince.Store(time.Now().Add(-c.waited).UnixNano())
	}
}

// resume tells the session that there is input again.
func (c *Conn) resume() error {
	if c.idleSince.Load() != 0 {
		c.idleSince.Store(0)
	}
	if !c.paused {
		return nil
	}
	c.paused = false
	err := c.session.(Pauser).Resume(c.server.base)
	if err == nil {
		return nil
	}
	if refusal := refusalOf(err); refusal != nil && refusal.Row.Code.Closes() {
		return refusal
	}
	c.fault(fmt.Errorf("resuming session %s: %w", c.ID(), err))
	return Refuse(ReplyPanic)
}
