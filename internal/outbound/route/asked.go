package route

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/outbound/mtasts"
	"github.com/weirmail/weir/reply"
)

// Proofs tells what signatures in the DNS prove. [dns.Resolver] does.
type Proofs interface {
	// SecureMX tells whether the answer of LookupMX is proven.
	SecureMX(ctx context.Context, domain string) (bool, error)
	// LookupTLSA returns the TLSA records of a server (RFC 7672 section 2.2).
	LookupTLSA(ctx context.Context, host string, port uint16) (dns.TLSASet, error)
}

// Policies finds MTA-STS policies. [mtasts.Policies] does.
type Policies interface {
	Lookup(ctx context.Context, domain string) (mtasts.Found, error)
}

// Override is a TLS policy for some domains, in place of that of the rule by which
// their mail goes. It holds for hosts that the DNS names.
type Override struct {
	// To are the domains, as those of a [Rule].
	To  []string
	TLS TLSPolicy
}

// Asked is what a domain itself asks of those who send to it.
type Asked struct {
	// Domain is whose policies these are.
	Domain string
	// Checked tells that a resolver that is trusted said whether the names of the
	// hosts are proven, which Secure tells.
	Checked, Secure bool
	// STS is the MTA-STS policy; nil where nobody asked for it.
	STS *mtasts.Found
	// Excluded are hosts that get no mail, and why.
	Excluded []Excluded
	// all are the hosts without what is asked of them: for mail that is to be sent
	// in spite of it.
	all [][]Host
}

// Excluded is a host that gets no mail.
type Excluded struct {
	Host Host
	Why  string
}

// policyFor returns the TLS policy for a domain whose rule has the given one.
func (t *Table) policyFor(domain string, policy TLSPolicy) TLSPolicy {
	if len(t.overrides) == 0 {
		return policy
	}
	if own, ok := t.overrides[domain]; ok {
		return own
	}
	for i := range len(domain) {
		if domain[i] == '.' {
			if own, ok := t.overrides[domain[i:]]; ok {
				return own
			}
		}
	}
	return policy
}

// addOverride takes over what is asked of the hosts of some domains.
func (t *Table) addOverride(o Override) {
	if t.overrides == nil {
		t.overrides = make(map[string]TLSPolicy)
	}
	for _, domain := range o.To {
		name, below := strings.CutPrefix(domain, ".")
		if name = key(name); below {
			name = "." + name
		}
		t.overrides[name] = o.TLS
	}
}

// asked finds out what a domain asks of those who send to the hosts that its
// records name, marks them, and leaves out those that are not to have mail. It
// returns how long that holds.
func (t *Table) asked(ctx context.Context, domain string, groups [][]Host, policy TLSPolicy) (*Asked, [][]Host, time.Duration, error) {
	a := &Asked{Domain: domain, all: groups}
	if !policy.asksDomain() {
		return a, marked(groups, func(h *Host) { h.unproven = true }), mostLife, nil
	}
	if err := t.prove(ctx, a); err != nil {
		return nil, nil, 0, later(ctx, err)
	}
	life := mostLife
	if t.options.Policies != nil {
		found, err := t.options.Policies.Lookup(ctx, domain)
		if err != nil {
			return nil, nil, 0, err
		}
		a.STS, life = &found, min(life, found.Again.Sub(t.options.Now()))
	}
	groups = t.mark(ctx, a, policy)
	if ctx.Err() != nil {
		return nil, nil, 0, ctx.Err()
	}
	return a, a.exclude(groups, policy), life, nil
}

// asksDomain tells whether the policies of domains have a say.
func (p TLSPolicy) asksDomain() bool { return p == TLSAuto || p == TLSDANE || p == TLSVerified }

// prove finds out whether the names of the hosts are proven by signatures.
func (t *Table) prove(ctx context.Context, a *Asked) (err error) {
	if t.options.Proofs == nil {
		return nil
	}
	a.Checked = true
	a.Secure, err = t.options.Proofs.SecureMX(ctx, a.Domain)
	return err
}

// mark marks hosts with what is asked of them: by the records of the host itself
// first, which an MTA-STS policy does not override (RFC 8461 section 2).
func (t *Table) mark(ctx context.Context, a *Asked, policy TLSPolicy) [][]Host {
	var sts *mtasts.Policy
	if a.STS != nil && a.STS.Policy != nil && a.STS.Policy.Mode != mtasts.None {
		sts = a.STS.Policy
	}
	var group sync.WaitGroup
	groups := marked(a.all, func(h *Host) {
		fits := sts != nil && sts.Matches(h.Name)
		h.unproven = !a.Secure && !fits && h.Name != a.Domain
		h.STS = fits && sts.Mode == mtasts.Enforce && policy == TLSAuto
		if a.Secure && policy != TLSVerified {
			group.Go(func() { h.DANE = t.hasTLSA(ctx, h) })
		}
	})
	group.Wait()
	return groups
}

// hasTLSA tells whether a host has TLSA records. Where nobody can say so it is taken
// to have some: they are looked for again before anything is sent.
func (t *Table) hasTLSA(ctx context.Context, h *Host) bool {
	set, err := t.options.Proofs.LookupTLSA(ctx, h.Name, h.Port)
	return err != nil || len(set.Records) > 0
}

// exclude leaves out the hosts that are not to have mail.
func (a *Asked) exclude(groups [][]Host, policy TLSPolicy) [][]Host {
	enforced := policy == TLSAuto && a.STS != nil && a.STS.Policy != nil && a.STS.Policy.Mode == mtasts.Enforce
	var left [][]Host
	for _, group := range groups {
		var kept []Host
		for _, h := range group {
			switch {
			case h.DANE:
				kept = append(kept, h)
			case policy == TLSDANE:
				a.Excluded = append(a.Excluded, Excluded{h, "it has no TLSA records that are proven, which the policy for the domain asks for"})
			case enforced && !h.STS:
				a.Excluded = append(a.Excluded, Excluded{h, "the MTA-STS policy of " + a.Domain + " does not name it"})
			default:
				kept = append(kept, h)
			}
		}
		if len(kept) > 0 {
			left = append(left, kept)
		}
	}
	return left
}

// stop is why there is nobody left who may have mail; nil where somebody is.
func (a *Asked) stop(groups [][]Host) *Error {
	if len(groups) > 0 || len(a.Excluded) == 0 {
		return nil
	}
	return &Error{
		Status: reply.NewStatus(7, 0), Reason: "tls-required",
		Err: fmt.Errorf("no host of %s may have its mail: %s: %s", a.Domain, a.Excluded[0].Host.Name, a.Excluded[0].Why),
	}
}

// matters tells whether mail would go another way if the domain asked for nothing.
func (a *Asked) matters(groups [][]Host) bool {
	if len(a.Excluded) > 0 {
		return true
	}
	for _, group := range groups {
		for i := range group {
			if group[i].DANE || group[i].STS {
				return true
			}
		}
	}
	return false
}

// marked returns a copy of groups of hosts with a change made to each.
func marked(groups [][]Host, change func(*Host)) [][]Host {
	copied := make([][]Host, len(groups))
	for n, group := range groups {
		copied[n] = append([]Host(nil), group...)
		for i := range copied[n] {
			change(&copied[n][i])
		}
	}
	return copied
}

// For returns the route for mail whose sender has wishes of his own: that it
// travels protected (RFC 8689 section 2), or that it is sent whatever the policies of
// the recipient's domain are (section 5 there). The error is an [*Error].
func (r *Route) For(protected, unprotected bool) (*Route, error) {
	switch {
	case protected:
		return r.protect()
	case unprotected && r.relaxed != nil:
		return r.relaxed, nil // what the operator asks for holds all the same
	case r.stop != nil:
		return nil, r.stop
	}
	return r, nil
}

// protect is Protect without the hosts whose names nobody proves: anybody who can
// forge an answer of the DNS could have named them.
func (r *Route) protect() (*Route, error) {
	p := r.Protect()
	p.Groups = nil
	for _, group := range r.Groups {
		var proven []Host
		for _, h := range group {
			if !h.unproven {
				proven = append(proven, h)
			}
		}
		if len(proven) > 0 {
			p.Groups = append(p.Groups, proven)
		}
	}
	switch {
	case len(p.Groups) > 0:
		return p, nil
	case r.stop != nil:
		return nil, r.stop
	}
	domain := "the next hop"
	if r.Asked != nil {
		domain = r.Asked.Domain
	}
	return nil, &Error{
		Permanent: true, Status: reply.NewStatus(7, 30), Reason: "tls-required",
		Err: fmt.Errorf("the sender requires TLS on the whole way, and neither DNSSEC nor an MTA-STS policy proves which hosts take the mail of %s", domain),
	}
}
