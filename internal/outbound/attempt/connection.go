package attempt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/weirmail/weir/internal/outbound/dane"
	"github.com/weirmail/weir/internal/outbound/peer"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// Target is one address of a next hop.
type Target struct {
	// Host is the name of the hop, for TLS and for the log.
	Host string
	// Network and Address are as for net.Dial.
	Network, Address string
	// Source is the address of this machine that the connection comes from; the
	// system chooses where it is not valid.
	Source netip.Addr
	// LMTP speaks LMTP in place of SMTP.
	LMTP bool
	// TLS says when the session is encrypted, Verify whether the certificate
	// has to be valid for Host.
	TLS    smtpclient.TLSMode
	Verify bool
	// DANE is what the certificate is checked by in place of Verify; nil where the
	// DNS says nothing of it.
	DANE *dane.Policy
	// Why says in a few words who asks for that; empty where nobody in particular.
	Why string
	// TLSConfig is what the configuration for a handshake is cloned from, in place
	// of that of the options; nil for those.
	TLSConfig *tls.Config
	// RequireTLS is set where the session is to carry mail that has to travel
	// protected: it is given up unless the certificate is valid and REQUIRETLS is
	// offered (RFC 8689 section 4.2.1). TLS and Verify have to ask for that too.
	RequireTLS bool
	// Login signs in; nil does without. What it shows never goes over a connection
	// that is not encrypted, unless it says that it may.
	Login *smtpclient.Login
}

// Options are the same for all connections of a relay.
type Options struct {
	// LocalName is what EHLO says.
	LocalName string
	// Dial makes connections; nil means net.Dialer's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// DialFrom makes connections from the source of the target. It goes before
	// Dial.
	DialFrom func(ctx context.Context, source netip.Addr, network, address string) (net.Conn, error)
	// DialTimeout bounds the making of a connection; 0 means 30 seconds.
	DialTimeout time.Duration
	// Timeouts are the client's.
	Timeouts smtpclient.Timeouts
	// TLS is what the configuration for a handshake is cloned from; nil is
	// allowed.
	TLS *tls.Config
	// SendEightBit sends content with octets above 127 to peers that do not offer
	// 8BITMIME as well, which RFC 6152 section 3 forbids. Without it such a message
	// is returned.
	SendEightBit bool
	// Lockout keeps a password that was refused from being shown again too soon. Nil
	// lets that happen.
	Lockout *Lockout
	// Peers remember what next hops were seen to do. Nil remembers nothing.
	Peers *peer.Book
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Failure is an attempt that ended without a reply to the recipients: no
// connection, a greeting that refused, a connection that broke.
type Failure struct {
	// Stage is how far it came. [smtp.StageIdle] means that a connection that
	// was kept open had ended meanwhile.
	Stage smtp.Stage
	// Reply is the reply that ended it; zero where there was none.
	Reply reply.Reply
	// Problem says what is wrong where no peer said so, and Reply is our own way
	// to put it: the host is of no use for this mail, and will not be.
	Problem string
	// Err is the cause where the reply does not say it.
	Err error
	// Dialogue is what was said on a connection that came to nothing.
	Dialogue string
}

// Error returns the failure in one line.
func (f *Failure) Error() string {
	if !f.Reply.IsZero() {
		return fmt.Sprintf("at stage %s: %v", f.Stage, f.Reply)
	}
	return fmt.Sprintf("at stage %s: %v", f.Stage, f.Err)
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Connection is an open session with a peer. It is for one goroutine.
type Connection struct {
	// Target is whom it is with.
	Target Target
	// Opened is when it was made.
	Opened time.Time
	// Transactions counts those that were begun on it.
	Transactions int

	client   *smtpclient.Client
	eightBit bool // to send what RFC 6152 forbids
	limits   smtp.Limits
	domains  map[string]struct{} // of the recipients so far, where they are counted
	said     *smtpclient.Transcript
	now      func() time.Time
	last     time.Time // when the last transaction ended

	peers *peer.Book // nil remembers nothing
	name  string     // of the peer there
	noted int        // refusals that are remembered
	spent bool       // it is of no use any more

	// skip are parameters that are left out where a message can do without; what was
	// refused, and what is only suspected, in the transactions that split.
	skip        parameters
	refusals    []Refusal
	suspicions  []suspicion
	concessions int
	split       bool
}

// Connect opens a session: connection, greeting, EHLO, and TLS and AUTH where the
// target wants them. Where TLS is only opportunistic and the handshake fails, it
// connects once more without (RFC 7435).
func Connect(ctx context.Context, t Target, o *Options) (*Connection, *Failure) {
	c, failure := connect(ctx, t, o)
	if failure != nil && failure.Stage == smtp.StageSTARTTLS && t.TLS == smtpclient.TLSOpportunistic && ctx.Err() == nil {
		t.TLS = smtpclient.TLSNone
		return connect(ctx, t, o)
	}
	return c, failure
}

func connect(ctx context.Context, t Target, o *Options) (*Connection, *Failure) {
	now := o.Now
	if now == nil {
		now = time.Now
	}
	if failure := o.Lockout.bars(ctx, t.Login, now()); failure != nil {
		return nil, failure
	}
	nc, err := o.dial(ctx, t)
	if err != nil {
		failure := &Failure{Stage: smtp.StageConnect, Err: err}
		o.rememberFailure(ctx, t, failure)
		return nil, failure
	}
	login, endTurn := o.Lockout.guard(t.Login, now)
	defer endTurn()
	advice := o.Peers.Advice(ctx, t.PeerName())
	options := smtpclient.Options{
		LocalName: o.LocalName,
		LMTP:      t.LMTP,
		TLS:       t.TLS,
		TLSConfig: o.tlsConfig(t),
		Login:     login,
		Timeouts:  o.Timeouts,
	}
	heed(&options, &advice)
	said := &smtpclient.Transcript{Limit: maxDialogue}
	options.Transcript = said
	client, err := smtpclient.New(ctx, nc, options)
	if err != nil {
		var known barred
		if errors.As(err, &known) {
			return nil, known.failure
		}
		failure := t.inWords(t.unprotected(failureOf(smtp.StageConnect, err)))
		o.Lockout.note(ctx, t.Login, failure, now())
		o.rememberFailure(ctx, t, failure)
		failure.Dialogue = said.String()
		return nil, failure
	}
	o.Lockout.clear(t.Login)
	o.rememberSession(ctx, t, client)
	if failure := t.checkProtection(client); failure != nil {
		client.Quit(ctx)
		failure.Dialogue = said.String()
		return nil, failure
	}
	opened := now()
	limits, _ := client.Capabilities().Limits()
	return &Connection{
		Target: t, Opened: opened, client: client, eightBit: o.SendEightBit, limits: limits, now: now, last: opened,
		peers: o.Peers, name: t.PeerName(), skip: skipped(&advice), said: said,
	}, nil
}

// maxDialogue is how many octets of a dialogue are kept.
const maxDialogue = 4 << 10

// Dialogue returns what was said in the last transaction; on the first also what was
// said before it. Secrets are masked, content is left out.
func (c *Connection) Dialogue() string { return c.said.String() }

func (o *Options) dial(ctx context.Context, t Target) (net.Conn, error) {
	timeout := o.DialTimeout
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if o.DialFrom != nil {
		return o.DialFrom(ctx, t.Source, t.Network, t.Address)
	}
	if o.Dial != nil {
		return o.Dial(ctx, t.Network, t.Address)
	}
	var d net.Dialer
	return d.DialContext(ctx, t.Network, t.Address)
}

func (o *Options) tlsConfig(t Target) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case t.TLSConfig != nil:
		config = t.TLSConfig.Clone()
	case o.TLS != nil:
		config = o.TLS.Clone()
	}
	config.ServerName = t.Host
	config.InsecureSkipVerify = !t.Verify
	if t.DANE != nil {
		config.ServerName = t.DANE.Base // RFC 7672 section 8.1
	}
	if t.DANE != nil && t.DANE.Authenticates() {
		config.InsecureSkipVerify = true
		config.VerifyConnection = t.DANE.Check(o.now)
	}
	return config
}

func (o *Options) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

// failureOf turns the client's error into a Failure.
func failureOf(stage smtp.Stage, err error) *Failure {
	var e *smtpclient.Error
	if !errors.As(err, &e) {
		return &Failure{Stage: stage, Err: err}
	}
	f := &Failure{Stage: e.Stage, Reply: e.Reply, Err: e.Err}
	if f.Err == nil {
		f.Err = err
	}
	return f
}

// idleCheck is for how long a connection may have been idle before it is
// looked at whether the peer is still there.
const idleCheck = time.Second

// Usable reports whether the connection can take another transaction. It asks
// the socket, without a round trip, where the connection was idle for a while.
func (c *Connection) Usable() bool {
	if c.now().Sub(c.last) < idleCheck {
		return true
	}
	return c.client.Check() == nil
}

// Close ends the session with QUIT where the peer still listens, within the
// time that the client gives it.
func (c *Connection) Close(ctx context.Context) {
	if c.spent {
		c.client.Close() // it would not know QUIT from the content
		return
	}
	c.client.Quit(ctx) // nothing depends on it, and Quit closes
}
