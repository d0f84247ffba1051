package route

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/smtp"
)

// smtpPort is where hosts that the DNS names listen (RFC 5321 section 4.5.4.2).
const smtpPort = 25

// maxHosts is how many of the best mail exchangers of a domain are used.
const maxHosts = 16

// The bounds on how long a route from the DNS is used without asking anew.
const (
	leastLife = time.Minute
	mostLife  = time.Hour
)

// ask finds a route by the DNS, and how long it holds. A life of 0 means that
// it is not to be kept.
func (t *Table) ask(ctx context.Context, domain string, to *target) (*Route, time.Duration, error) {
	if len(to.hops) > 0 {
		return t.expand(ctx, to)
	}
	if addr, ok := (smtp.Path{Domain: domain}).DomainLiteral(); ok {
		r, err := t.literal(domain, addr, to)
		return r, mostLife, err
	}
	groups, life, err := t.exchangers(ctx, domain, t.options.Port)
	if err != nil {
		return nil, 0, err
	}
	policy := t.policyFor(domain, to.tls)
	asked, left, again, err := t.asked(ctx, domain, groups, policy)
	if err != nil {
		return nil, 0, err
	}
	r := t.direct(domain, left, to, policy)
	r.Asked = asked
	if len(to.backup) == 0 {
		r.stop = asked.stop(left)
	}
	if policy == TLSAuto && asked.matters(left) {
		r.relaxed = t.direct(domain, asked.all, to, TLSOpportunistic)
		r.relaxed.Asked = asked
	}
	return r, min(life, max(again, leastLife)), nil
}

// literal is the route to an address that stands in place of a domain (RFC
// 5321 section 4.1.3).
func (t *Table) literal(domain string, addr netip.Addr, to *target) (*Route, error) {
	addr = addr.Unmap().WithZone("")
	switch {
	case t.ours(addr):
		return nil, loop(fmt.Errorf("the address %s is this relay itself", addr))
	case unusable(addr):
		return nil, unroutable(fmt.Errorf("%s is no address of a mail server", addr))
	}
	return t.direct(domain, [][]Host{{{Name: addr.String(), Port: t.options.Port, foreign: true}}}, to, to.tls), nil
}

// expand is the route of next hops among which there are domains with MX
// records. One that cannot be looked up is left out where there are others,
// and asked for again soon.
func (t *Table) expand(ctx context.Context, to *target) (*Route, time.Duration, error) {
	found, all := make(map[int][][]Host), make(map[int][][]Host)
	life := mostLife
	var failed error
	var asked *Asked
	var stop *Error
	matters := false
	for i, h := range to.all() {
		if !h.MX {
			continue
		}
		groups, l, err := t.exchangers(ctx, key(h.Host), h.Port)
		if err != nil {
			failed = err
			continue
		}
		groups = marked(groups, func(host *Host) { host.foreign, host.TLSConfig = false, h.TLSConfig }) // the operator named the domain
		policy := h.policy(to.tls)
		of, left, again, err := t.asked(ctx, key(h.Host), groups, policy)
		if err != nil {
			failed = err
			continue
		}
		found[i], all[i], asked = left, of.all, of
		life = min(life, max(min(l, again), leastLife))
		matters = matters || policy == TLSAuto && of.matters(left)
		if of.stop(left) != nil {
			stop = of.stop(left)
		}
	}
	r := t.routeOf(to, found)
	r.Asked = asked
	if len(r.Groups) == 0 {
		r.stop = stop
	}
	if matters {
		r.relaxed = t.routeOf(to, all)
		r.relaxed.Asked = asked
	}
	switch {
	case failed == nil:
		return r, life, nil
	case len(r.Groups) > 0 && ctx.Err() == nil, r.stop != nil:
		return r, 0, nil
	}
	return nil, 0, ofNextHop(failed)
}

// ofNextHop is an error of a next hop of the operator's: mail waits until that
// is put right.
func ofNextHop(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	return &Error{Status: e.Status, Reason: e.Reason, Err: fmt.Errorf("next_hop: %w", e.Err)}
}

// exchangers returns the hosts for a domain in groups of equal preference, the
// best first, and how long that holds (RFC 5321 section 5.1).
func (t *Table) exchangers(ctx context.Context, domain string, port uint16) ([][]Host, time.Duration, error) {
	mx, life, err := t.options.Resolver.LookupMX(ctx, domain)
	switch {
	case errors.Is(err, dns.ErrNoData):
		groups, err := t.implicit(ctx, domain, port)
		return groups, max(life, leastLife), err
	case errors.Is(err, dns.ErrNotFound):
		return nil, 0, noSuchDomain(domain, "there is no such name in the DNS")
	case err != nil:
		return nil, 0, later(ctx, err)
	case len(mx) == 1 && mx[0].Host == "":
		return nil, 0, nullMX(domain)
	}
	hosts := slices.DeleteFunc(mx, func(m dns.MX) bool { return !isHostName(m.Host) })
	if len(hosts) == 0 {
		return nil, 0, unroutable(fmt.Errorf("the MX records of %s name nothing that can be a host", domain))
	}
	hosts, err = t.better(ctx, hosts[:min(len(hosts), maxHosts)])
	switch {
	case err != nil:
		return nil, 0, err
	case len(hosts) == 0:
		return nil, 0, loop(fmt.Errorf("the MX records of %s name this relay as the best host: a [[route]] has to say where its mail goes", domain))
	}
	return grouped(hosts, port), max(life, leastLife), nil
}

// implicit is the rule for a domain without MX records: it is its own host
// (RFC 5321 section 5.1).
func (t *Table) implicit(ctx context.Context, domain string, port uint16) ([][]Host, error) {
	if domain == t.hostname {
		return nil, loop(fmt.Errorf("mail for %s, which is this relay, ends here: a [[route]] or next_hop has to say where it goes", domain))
	}
	_, err := t.options.Resolver.LookupAddr(ctx, domain)
	switch {
	case errors.Is(err, dns.ErrNoData), errors.Is(err, dns.ErrNotFound):
		return nil, noSuchDomain(domain, "it has neither mail exchangers (MX) nor an address in the DNS")
	case err != nil:
		return nil, later(ctx, err)
	}
	return [][]Host{{{Name: domain, Port: port, foreign: true}}}, nil
}

// better returns the mail exchangers that are preferred to this relay: to hand
// mail to those of the same or a lower rank would send it in a circle (RFC
// 5321 section 5.1).
func (t *Table) better(ctx context.Context, mx []dns.MX) ([]dns.MX, error) {
	own, err := t.ownAmong(ctx, mx)
	if err != nil {
		return nil, err
	}
	for i := range mx {
		if own[i] {
			return slices.DeleteFunc(mx, func(m dns.MX) bool { return m.Preference >= mx[i].Preference }), nil
		}
	}
	return mx, nil
}

// ownAmong tells which mail exchangers are this relay, by name or by address.
// One that cannot be looked up is taken for another's: it will be asked for
// again before it is spoken to. Without addresses of its own there is nothing
// to look up. The error is that of the context.
func (t *Table) ownAmong(ctx context.Context, mx []dns.MX) ([]bool, error) {
	own := make([]bool, len(mx))
	var group sync.WaitGroup
	for i := range mx {
		own[i] = mx[i].Host == t.hostname
		if own[i] || len(t.options.Own) == 0 {
			continue
		}
		group.Go(func() {
			addrs, err := t.options.Resolver.LookupAddr(ctx, mx[i].Host)
			own[i] = err == nil && slices.ContainsFunc(addrs, t.isOwn)
		})
	}
	group.Wait()
	return own, ctx.Err()
}

// grouped brings mail exchangers into groups of equal preference. A host that
// is named twice counts by its best one.
func grouped(mx []dns.MX, port uint16) [][]Host {
	var groups [][]Host
	seen := make(map[string]bool, len(mx))
	last := -1
	for _, m := range mx {
		if seen[m.Host] {
			continue
		}
		seen[m.Host] = true
		if int(m.Preference) != last {
			groups = append(groups, nil)
			last = int(m.Preference)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], Host{Name: m.Host, Port: port, Preference: m.Preference, foreign: true})
	}
	return groups
}

// isHostName tells whether a name from a record can be that of a host. It is
// written into notices and logs. An IP address, which some put there, is none
// (RFC 5321 section 5.1).
func isHostName(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil {
		return false
	}
	ascii, err := dns.ToASCII(name)
	return err == nil && ascii == name
}
