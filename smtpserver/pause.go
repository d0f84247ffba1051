package smtpserver

import (
	"context"
	"time"
)

// Pauser is an add-on of a [Session] that wants to know when the server waits
// for the client, and not the client for the server.
type Pauser interface {
	// Pause is called when the client has let the server wait for a second, in or
	// out of a transaction, and in the middle of a message.
	Pause()
	// Resume is called when there is input again, before anything is done with
	// it. It may block. An error is a [*Refusal] with the code 421, which ends the
	// session.
	Resume(ctx context.Context) error
}

// pause tells the session that it waits for its client.
func (c *Conn) pause() {
	if p, ok := c.session.(Pauser); ok && !c.paused {
		c.paused = true
		p.Pause()
	}
	if c.tx == nil {
		c.idleSince.Store(time.Now().UnixNano())
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
	return c.session.(Pauser).Resume(c.server.base)
}
