package outbound

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/dane"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// maxAddresses is how many addresses of a destination are tried in one
// attempt (RFC 5321 section 5.1 wants at least two).
const maxAddresses = 8

// connect makes sure that the worker has a connection. fresh tells that it
// was made just now.
func (w *worker) connect(ctx context.Context, j job) (fresh bool, target attempt.Target, failure *attempt.Failure) {
	if w.conn != nil {
		if w.reusable() && j.route.Has(w.conn.Target.Host) {
			return false, w.conn.Target, nil
		}
		w.Close()
	}
	w.uncounted = j.lease.Envelope.TLSOptional
	w.conn, target, failure = w.open(ctx, j.route)
	if failure == nil {
		w.destination.lane.Connected()
	}
	w.outside = failure != nil && len(w.passed) == 0 // else others were asked before
	return true, target, failure
}

// reusable reports that the worker's connection can take another transaction.
func (w *worker) reusable() bool {
	o := &w.out.options
	if most := w.out.messages(w.destination); most > 0 && w.conn.Transactions >= most || w.conn.Spent() {
		return false
	}
	if o.Age > 0 && o.Now().Sub(w.conn.Opened) > o.Age {
		return false
	}
	return w.conn.Usable()
}

// open tries the hosts of a route in the order of preference, and their
// addresses, until one takes the session. Those that take the place of others come
// last, or first while the others were seen to take none a short while ago. The
// failure is that of the last one that was tried; it is for good only where each
// of them refused for good.
func (w *worker) open(ctx context.Context, r *route.Route) (*attempt.Connection, attempt.Target, *attempt.Failure) {
	var failures failures
	first, second := r.Groups, [][]route.Host(nil)
	if r.Backup > 0 {
		first, second = r.Groups[:r.Backup], r.Groups[r.Backup:]
	}
	away := len(second) > 0 && w.destination.away(w.out.now())
	if away {
		first, second = second, first
	}
	conn, goOn := w.try(ctx, r, first, &failures)
	if conn == nil && goOn && len(second) > 0 {
		conn, _ = w.try(ctx, r, second, &failures)
		if conn != nil && !away {
			w.destination.leave(w.out.now())
		}
	}
	if conn == nil {
		return nil, failures.target, failures.result()
	}
	return conn, conn.Target, nil
}

// try tries the hosts of some groups of a route. goOn tells that others may be
// tried after them.
func (w *worker) try(ctx context.Context, r *route.Route, groups [][]route.Host, failures *failures) (conn *attempt.Connection, goOn bool) {
	tried := 0
	for _, group := range groups {
		for _, host := range w.shuffled(group) {
			addresses, err := w.out.options.Router.Addresses(ctx, host)
			if err != nil {
				w.countLost(r, host, err)
				failures.add(attempt.Target{Host: host.String()}, &attempt.Failure{Stage: smtp.StageConnect, Err: err})
				continue
			}
			for _, a := range addresses {
				if w.passed[a.Addr] {
					continue
				}
				if tried++; tried > maxAddresses {
					return nil, true
				}
				conn, failure := attempt.Connect(ctx, targetOf(r, host, a), &w.out.options.Attempt)
				w.count(r, a, conn, failure)
				if failure == nil {
					return conn, true
				}
				failures.add(targetOf(r, host, a), failure)
				if ctx.Err() != nil || !verdictOf(failure).NextHost {
					return nil, false
				}
			}
		}
	}
	return nil, ctx.Err() == nil
}

// shuffled returns the hosts of one preference in a random order
// (RFC 5321 section 5.1).
func (w *worker) shuffled(hosts []route.Host) []route.Host {
	if len(hosts) < 2 {
		return hosts
	}
	shuffled := append([]route.Host(nil), hosts...)
	for i := len(shuffled) - 1; i > 0; i-- {
		k := int(w.out.options.Random() * float64(i+1))
		shuffled[i], shuffled[k] = shuffled[k], shuffled[i]
	}
	return shuffled
}

func targetOf(r *route.Route, host route.Host, a route.Address) attempt.Target {
	t := attempt.Target{Host: a.Host, Network: a.Network, Address: a.Addr, LMTP: host.Protocol == route.LMTP, Login: host.Login, TLSConfig: host.TLSConfig}
	if to, err := netip.ParseAddrPort(a.Addr); err == nil {
		t.Source = r.Source.For(to.Addr())
	}
	policy := r.PolicyFor(&host)
	switch {
	case host.Implicit:
		t.TLS = smtpclient.TLSImplicit
	case policy == route.TLSOpportunistic:
		t.TLS = smtpclient.TLSOpportunistic
	case policy != route.TLSOff:
		t.TLS = smtpclient.TLSRequired
	}
	t.Verify = policy == route.TLSVerified
	t = byDomain(t, r, host, a)
	if host.Login != nil && !host.Login.AllowPlainText && policy == route.TLSOpportunistic {
		t = forSecret(t)
	}
	t.RequireTLS = r.Protected
	if r.Protected && host.IsLocal(a) {
		t.TLS, t.Verify, t.RequireTLS = smtpclient.TLSNone, false, false
	}
	return t
}

// byDomain asks of a host what its domain asks of senders: DANE first, and MTA-STS
// where it says nothing (RFC 8461 section 2). It never asks for less than the route.
func byDomain(t attempt.Target, r *route.Route, host route.Host, a route.Address) attempt.Target {
	switch {
	case a.DANE != nil:
		t.DANE, t.Why = a.DANE, "its own TLSA record (DANE)"
		if a.DANE.Authenticates() {
			t.Verify = false
		}
	case r.TLS == route.TLSDANE:
		// The records were there when the route was found.
		t.DANE, t.Why = dane.Nobody(a.Host), "the policy \"dane\" for the domain"
	case host.STS:
		t.Verify, t.Why = true, "the MTA-STS policy of "+r.Asked.Domain
	default:
		return t
	}
	if t.TLS == smtpclient.TLSOpportunistic {
		t.TLS = smtpclient.TLSRequired
	}
	return t
}

// forSecret asks of a host for as much as a password needs, where the policy leaves
// it open: who it is shown to has to be the one that it is meant for.
func forSecret(t attempt.Target) attempt.Target {
	if t.TLS == smtpclient.TLSOpportunistic {
		t.TLS = smtpclient.TLSRequired
	}
	t.Verify = true
	return t
}

func verdictOf(f *attempt.Failure) verdict.Verdict { return answerTo(f).Verdict }

// answerTo judges a failure, for recipients that it left without an answer.
func answerTo(f *attempt.Failure) attempt.Answer {
	a := attempt.Answer{Stage: f.Stage, Reply: f.Reply}
	var unroutable *route.Error
	switch {
	case f.Problem != "":
		a.Problem = f.Problem
		a.Verdict = verdict.Verdict{Action: verdict.Bounce, Scope: verdict.ScopeHost, NextHost: true, Reason: "tls-required", Charge: true}
	case !f.Reply.IsZero():
		a.Verdict = verdict.Judge(f.Stage, f.Reply)
	case errors.As(f.Err, &unroutable):
		return unroutableAnswer(f.Err, unroutable)
	default:
		a.Problem = f.Err.Error()
		a.Verdict = verdict.JudgeFailure(f.Stage, f.Err)
	}
	return a
}

// unroutableAnswer judges that there is no way to a domain or a host. A reply
// of our own making carries the status into the notice.
func unroutableAnswer(err error, e *route.Error) attempt.Answer {
	a := attempt.Answer{Stage: smtp.StageConnect, Problem: err.Error(), Verdict: verdict.JudgeFailure(smtp.StageConnect, err)}
	a.Verdict.Reason = e.Reason
	code := reply.LocalError
	if e.Permanent {
		a.Verdict.Action = verdict.Bounce
		code = reply.MailboxUnavailable
	}
	a.Reply = reply.New(code, e.Status, e.Error())
	return a
}

// failures gathers what became of the hosts of a destination.
type failures struct {
	target  attempt.Target
	last    *attempt.Failure
	passing *attempt.Failure // the last that may pass
	passed  attempt.Target
}

func (fs *failures) add(t attempt.Target, f *attempt.Failure) {
	fs.target, fs.last = t, f
	if verdictOf(f).Action != verdict.Bounce {
		fs.passing, fs.passed = f, t
	}
}

// errNoHosts is the failure of a route that has no host at all.
var errNoHosts = errors.New("the route names no host")

// result returns the failure that stands for all: one that may pass where
// there is one, so that a single host does not speak for the others.
func (fs *failures) result() *attempt.Failure {
	switch {
	case fs.last == nil:
		return &attempt.Failure{Stage: smtp.StageConnect, Err: errNoHosts}
	case fs.passing != nil:
		fs.target = fs.passed
		return fs.passing
	}
	return fs.last
}

// settleUnroutable settles recipients for whom there is no route.
func (out *Outbound) settleUnroutable(ctx context.Context, l *mail.Lease, err error) {
	answers := answersTo(l.Recipients, &attempt.Failure{Stage: smtp.StageConnect, Err: err})
	out.settle(ctx, job{lease: l, route: &route.Route{}}, answers, attempt.Target{})
}

// answersTo judges a failure for each of the recipients.
func answersTo(recipients []int, f *attempt.Failure) []attempt.Answer {
	answers := make([]attempt.Answer, len(recipients))
	a := answerTo(f)
	for n, i := range recipients {
		a.Recipient = i
		answers[n] = a
	}
	return answers
}

// now is the clock of the room.
func (out *Outbound) now() time.Time { return out.options.Now() }
