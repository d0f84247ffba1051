package attempt

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/weirmail/weir/internal/outbound/peer"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// PeerName is the name under which a next hop is remembered: that of the host, with the
// port where it is not 25, or the path of a socket.
func (t Target) PeerName() string {
	if t.Network == "unix" {
		return t.Address
	}
	host, port, err := net.SplitHostPort(t.Address)
	if err != nil {
		return strings.ToLower(t.Host)
	}
	if t.Host != "" {
		host = strings.ToLower(t.Host)
	}
	if port == "25" {
		return host
	}
	return net.JoinHostPort(host, port)
}

// heed applies what was seen of a peer lately to the options of a client.
func heed(o *smtpclient.Options, a *peer.Advice) {
	o.AvoidPipelining, o.AvoidChunking, o.DoubtedMechanisms = a.Pipelining, a.Chunking, a.Mechanisms
}

// skipped are the parameters that the advice leaves out.
func skipped(a *peer.Advice) (set parameters) {
	for _, name := range a.Parameters {
		set |= parameterNamed(name)
	}
	return set
}

// rememberFailure notes that no session came about.
func (o *Options) rememberFailure(ctx context.Context, t Target, f *Failure) {
	if o.Peers == nil || ctx.Err() != nil {
		return // the relay broke it off
	}
	name := t.PeerName()
	o.Peers.Failed(ctx, name, peer.Trouble{Stage: f.Stage, Reply: f.Reply, Err: f.Err, Opening: true})
	var auth *smtpclient.AuthError
	if errors.As(f.Err, &auth) {
		o.rememberMechanisms(ctx, name, auth.Refused)
	}
}

// rememberMechanisms notes mechanisms that are refused, whatever the account.
func (o *Options) rememberMechanisms(ctx context.Context, name string, refused []smtpclient.Refused) {
	for _, r := range refused {
		if r.IsMechanism() {
			o.Peers.Refused(ctx, name, smtp.StageAUTH, r.Mechanism, r.Reply)
		}
	}
}

// rememberSession notes what a peer is like.
func (o *Options) rememberSession(ctx context.Context, t Target, client *smtpclient.Client) {
	if o.Peers == nil {
		return
	}
	s := peer.Session{
		Greeting: client.Greeting(), GreetingTime: client.GreetingTime(), Mechanism: client.Mechanism(),
		Plain: client.PlainCapabilities(), Offers: client.Capabilities(), Verified: t.Verify,
	}
	if state, ok := client.TLSState(); ok {
		s.TLS = &state
	}
	name := t.PeerName()
	o.Peers.Opened(ctx, name, &s)
	o.rememberMechanisms(ctx, name, client.Refused())
}

// remember notes what came of a transaction.
func (c *Connection) remember(ctx context.Context, result *smtpclient.Result, err error) {
	if c.peers == nil {
		return
	}
	if err != nil {
		c.rememberBreak(ctx, result, err)
		return
	}
	sent := peer.Sent{RCPTTime: result.RCPTTime, ContentTime: result.ContentTime}
	for n := range result.Recipients {
		if result.Recipients[n].Delivered() {
			sent.Accepted++
		} else {
			sent.Refused++
		}
	}
	c.peers.Sent(ctx, c.name, sent)
	for ; c.noted < len(c.refusals); c.noted++ {
		r := &c.refusals[c.noted]
		c.peers.Refused(ctx, c.name, r.Stage, r.Name, r.Reply)
	}
}

// rememberBreak notes that a session broke, where it is not the relay that ended it.
func (c *Connection) rememberBreak(ctx context.Context, result *smtpclient.Result, err error) {
	var e *smtpclient.Error
	if ctx.Err() != nil || !errors.As(err, &e) || !e.Closed {
		return
	}
	c.peers.Failed(ctx, c.name, peer.Trouble{Stage: e.Stage, Reply: e.Reply, Err: e.Err, Pipelined: result.Pipelined})
}

// unchunked looks for a peer that does not know BDAT though it offers CHUNKING: what
// it makes of the content, which it takes for commands, nobody knows. The connection
// is given up, and the recipients go out again over one that does without.
func (c *Connection) unchunked(ctx context.Context, answers []Answer, result *smtpclient.Result) {
	r := result.Content
	if !result.Chunked || r.Code != reply.CommandUnrecognized && r.Code != reply.CommandNotImplemented {
		return
	}
	c.spent = true
	c.peers.RefusedChunking(ctx, c.name, r)
	for n := range answers {
		if a := &answers[n]; a.Stage == smtp.StageContent {
			a.Verdict.Action, a.Verdict.Split = verdict.Retry, c.peers != nil
		}
	}
}
