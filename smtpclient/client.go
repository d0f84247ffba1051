package smtpclient

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// Client is a session with a server, from the greeting to QUIT. It is made by
// [New]. It is not safe for concurrent use; a context ends a call from outside,
// and the connection with it.
type Client struct {
	wire
	options  Options
	greeting reply.Reply
	greeted  time.Duration // until it came
	caps     smtp.Capabilities
	extended bool
	offers   offers
	secure   *tls.Conn // nil in plain text
	poll     poller

	plainCaps smtp.Capabilities // before STARTTLS

	mechanism string    // by which the client has signed in
	refused   []Refused // mechanisms that the server offered

	closed bool
	// served: the connection has had its use before, so what comes now may be of
	// the time in between.
	served bool
	// owesReset: the server may still hold a transaction that came to nothing; RSET
	// goes ahead of the next one.
	owesReset bool
}

// offers are the extensions that Send asks for each time.
type offers struct {
	pipelining, chunking, size bool
}

// New opens a session on a connection: greeting, EHLO, and STARTTLS and AUTH where
// the options ask for them. HELO is tried where EHLO is answered 500, 502 or 504. New
// takes the connection over; on an error it has ended the session and closed it.
// The error is an *[Error].
func New(ctx context.Context, conn net.Conn, options Options) (*Client, error) {
	c := &Client{options: options}
	c.guard.conn = conn
	c.wire.conn = conn
	c.timeouts = options.Timeouts.withDefaults()
	c.transcript = options.Transcript
	c.poll.init(conn)
	if err := c.begin(ctx); err != nil {
		return nil, c.fail(smtp.StageConnect, "", err)
	}
	defer c.release()
	if err := c.open(); err != nil {
		c.leave()
		return nil, err
	}
	return c, nil
}

// Capabilities returns what the server offers in this session, after STARTTLS
// where that was used. It is empty after HELO.
func (c *Client) Capabilities() smtp.Capabilities { return c.caps }

// PlainCapabilities returns what the server offered in plain text before STARTTLS,
// empty where that was not used. Nothing may be concluded from it but what the server
// is like: anybody in between could have written it (RFC 3207 section 4.2).
func (c *Client) PlainCapabilities() smtp.Capabilities { return c.plainCaps }

// GreetingTime returns how long the greeting took once the connection was there, or the
// encryption where that comes first.
func (c *Client) GreetingTime() time.Duration { return c.greeted }

// Greeting returns the reply with which the server opened the session.
func (c *Client) Greeting() reply.Reply { return c.greeting }

// Extended tells whether EHLO (or LHLO) was accepted, not only HELO.
func (c *Client) Extended() bool { return c.extended }

// TLSState returns the state of the encryption; false in plain text.
func (c *Client) TLSState() (tls.ConnectionState, bool) {
	if c.secure == nil {
		return tls.ConnectionState{}, false
	}
	return c.secure.ConnectionState(), true
}

// Mechanism returns the SASL mechanism by which the client has signed in; empty where
// it has not.
func (c *Client) Mechanism() string { return c.mechanism }

// Refused returns the SASL mechanisms that the server refused though it offers them,
// in the order in which they were tried.
func (c *Client) Refused() []Refused { return c.refused }

// Reset sends RSET, so that the server forgets an unfinished transaction. [Send]
// does so itself where it is needed. The error is an *[Error].
func (c *Client) Reset(ctx context.Context) error {
	if err := c.start(ctx, smtp.StageRSET); err != nil {
		return err
	}
	defer c.release()
	if len(c.in.unread()) > 0 {
		return c.unasked() // it would be taken for the answer
	}
	r, err := c.command(smtp.StageRSET, "RSET", "RSET", c.timeouts.RSET)
	if err != nil {
		return err
	}
	if !r.Code.Completed() {
		return c.failReply(smtp.StageRSET, "RSET", r)
	}
	c.owesReset = false
	return nil
}

// Quit sends QUIT, waits for the reply (shortly, by Timeouts.QUIT) and closes the
// connection. The error is an *[Error]; the connection is closed in any case, and
// mail that was accepted stays accepted.
func (c *Client) Quit(ctx context.Context) error {
	if err := c.start(ctx, smtp.StageQUIT); err != nil {
		c.shut()
		return err
	}
	defer c.release()
	defer c.shut()
	r, err := c.command(smtp.StageQUIT, "QUIT", "QUIT", c.timeouts.QUIT)
	if err != nil {
		return err
	}
	if !r.Code.Completed() {
		return c.failReply(smtp.StageQUIT, "QUIT", r)
	}
	return nil
}

// Close closes the connection without QUIT. Closing it again does nothing.
func (c *Client) Close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	c.in.drop()
	return c.wire.conn.Close()
}

func (c *Client) shut() { _ = c.Close() }

// start begins a call on an open connection.
func (c *Client) start(ctx context.Context, stage smtp.Stage) error {
	if c.closed {
		return &Error{Stage: stage, Err: ErrClosed, Closed: true}
	}
	if err := c.begin(ctx); err != nil {
		return &Error{Stage: stage, Err: err}
	}
	return nil
}

// command sends one command and reads the reply; shown is what the transcript and
// errors say in its place, so that secrets stay out of both. A 421 and a 3yz reply
// where none fits are errors.
func (c *Client) command(stage smtp.Stage, line, shown string, timeout time.Duration) (reply.Reply, error) {
	c.transcript.add('C', shown)
	c.write([]byte(line + "\r\n"))
	r, err := c.readReply(timeout, unknown)
	switch {
	case err != nil:
		return r, c.fail(stage, shown, c.oldest(err))
	case r.Code == reply.ServiceNotAvailable:
		return r, c.failReply(stage, shown, r)
	case r.Code.Class() == reply.ClassContinue && stage != smtp.StageAUTH:
		return r, c.failUnexpected(stage, shown, r)
	}
	return r, nil
}

// oldest returns the error of a write that came before err.
func (c *Client) oldest(err error) error {
	if c.broken != nil {
		return c.broken
	}
	return err
}

// fail closes the connection and returns the error for it.
func (c *Client) fail(stage smtp.Stage, command string, err error) *Error {
	addLine(c.transcript, '*', "closing: "+err.Error())
	c.shut()
	return &Error{Stage: stage, Command: command, Err: err, Closed: true}
}

// failReply closes the connection after a reply that ends the session.
func (c *Client) failReply(stage smtp.Stage, command string, r reply.Reply) *Error {
	c.shut()
	return &Error{Stage: stage, Command: command, Reply: r, Closed: true}
}

// failUnexpected keeps the reply out of the error's Reply, where it would be taken
// for an answer.
func (c *Client) failUnexpected(stage smtp.Stage, command string, r reply.Reply) *Error {
	return c.fail(stage, command, fmt.Errorf("%w: %q", ErrUnexpected, clip(r.String())))
}

// leave ends a session that New does not hand out: with QUIT where the server
// still listens.
func (c *Client) leave() {
	if !c.closed && c.broken == nil && c.cause() == nil {
		_, _ = c.command(smtp.StageQUIT, "QUIT", "QUIT", c.timeouts.QUIT)
	}
	c.shut()
}
