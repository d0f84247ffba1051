package route

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// The bounds on how long a route from the DNS is used without asking anew.
const (
	leastLife = time.Minute
	mostLife  = time.Hour
)

// direct finds the hosts of a domain as RFC 5321 section 5.1 says.
func (t *Table) direct(ctx context.Context, domain string, tls TLSPolicy) (*Route, error) {
	now := t.options.Now()
	name := key(domain)
	if r := t.cache.get(name, now); r != nil {
		return r, nil
	}
	if addr, ok := (smtp.Path{Domain: domain}).DomainLiteral(); ok {
		return t.literal(addr, domain, tls)
	}
	groups, life, err := t.exchangers(ctx, name, t.options.Port)
	if err != nil {
		return nil, err
	}
	r := newRoute(groups, tls)
	t.cache.put(name, r, now, now.Add(min(max(life, leastLife), mostLife)))
	return r, nil
}

// literal is the route to an address that stands in place of a domain (RFC
// 5321 section 4.1.3).
func (t *Table) literal(addr netip.Addr, domain string, tls TLSPolicy) (*Route, error) {
	if t.ours(addr) {
		return nil, &Error{
			Permanent: true, Status: reply.NewStatus(4, 6), Reason: "routing-loop",
			Err: fmt.Errorf("the address %s is this relay itself", domain),
		}
	}
	h := Host{Name: addr.Unmap().String(), Port: t.options.Port, foreign: true}
	return newRoute([][]Host{{h}}, tls), nil
}

// expand is the route of next hops among which there are domains with MX
// records. One that cannot be looked up is left out where there are others.
func (t *Table) expand(ctx context.Context, to *target) (*Route, error) {
	var groups [][]Host
	var last error
	for _, h := range to.hops {
		if !h.MX {
			groups = append(groups, []Host{h.host()})
			continue
		}
		found, _, err := t.exchangers(ctx, key(h.Host), h.Port)
		if err != nil {
			last = err
			continue
		}
		for _, group := range found {
			for i := range group {
				group[i].foreign = false // the operator named the domain
			}
			groups = append(groups, group)
		}
	}
	if len(groups) == 0 {
		var e *Error
		if errors.As(last, &e) {
			// It is the operator's own next hop: its mail waits until that is
			// put right.
			return nil, &Error{Status: e.Status, Reason: e.Reason, Err: fmt.Errorf("next_hop: %w", e.Err)}
		}
		return nil, last
	}
	return newRoute(groups, to.tls), nil
}

// exchangers returns the hosts for a domain, in groups of equal preference.
func (t *Table) exchangers(ctx context.Context, name string, port uint16) ([][]Host, time.Duration, error) {
	mx, life, err := t.options.Resolver.LookupMX(ctx, name)
	switch {
	case errors.Is(err, dns.ErrNoData):
		return t.implicit(ctx, name, port)
	case errors.Is(err, dns.ErrNotFound):
		return nil, 0, noSuchDomain(name, err)
	case err != nil:
		return nil, 0, t.later(ctx, err)
	case len(mx) == 1 && mx[0].Host == "":
		return nil, 0, &Error{
			Permanent: true, Status: reply.NewStatus(1, 10), Reason: "domain-no-mail",
			Err: fmt.Errorf("the domain %s takes no mail: it has a null MX record (RFC 7505)", name),
		}
	}
	groups := t.group(mx, port)
	if len(groups) == 0 {
		return nil, 0, &Error{
			Permanent: true, Status: reply.NewStatus(4, 6), Reason: "routing-loop",
			Err: fmt.Errorf("the MX records of %s name this relay itself as the best host", name),
		}
	}
	return groups, life, nil
}

// group brings mail exchangers into groups. It ends before the first that is
// this relay: to hand mail to hosts of the same or a lower rank would send it
// in a circle (RFC 5321 section 5.1).
func (t *Table) group(mx []dns.MX, port uint16) [][]Host {
	var groups [][]Host
	for i := 0; i < len(mx); {
		var group []Host
		preference := mx[i].Preference
		for ; i < len(mx) && mx[i].Preference == preference; i++ {
			switch {
			case mx[i].Host == fold(t.options.Hostname):
				return groups
			case mx[i].Host != "":
				group = append(group, Host{Name: mx[i].Host, Port: port, foreign: true})
			}
		}
		if len(group) > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}

// implicit is the rule for a domain without MX records: it is its own host.
func (t *Table) implicit(ctx context.Context, name string, port uint16) ([][]Host, time.Duration, error) {
	if name == fold(t.options.Hostname) {
		return nil, 0, &Error{
			Permanent: true, Status: reply.NewStatus(4, 6), Reason: "routing-loop",
			Err: fmt.Errorf("mail for %s ends here, and nothing says what to do with it: see the key next_hop and [[route]]", name),
		}
	}
	_, err := t.options.Resolver.LookupAddr(ctx, name)
	switch {
	case errors.Is(err, dns.ErrNoData), errors.Is(err, dns.ErrNotFound):
		return nil, 0, noSuchDomain(name, errors.New("it has neither MX nor address records"))
	case err != nil:
		return nil, 0, t.later(ctx, err)
	}
	return [][]Host{{{Name: name, Port: port, foreign: true}}}, 0, nil
}

func noSuchDomain(name string, err error) error {
	return &Error{
		Permanent: true, Status: reply.NewStatus(1, 2), Reason: "domain-not-found",
		Err: fmt.Errorf("no mail can be sent to the domain %s: %w", name, err),
	}
}

// later is the error for what the DNS could not say now.
func (t *Table) later(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Error{Status: reply.NewStatus(4, 3), Reason: "dns-problem", Err: err}
}

func noRoute(domain string) error {
	return &Error{
		Status: reply.NewStatus(4, 4), Reason: "no-route",
		Err: fmt.Errorf("nothing says where mail for %s goes: set next_hop, a [[route]], or deliver = \"direct\"; it waits in the queue", domain),
	}
}
