package route

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/smtp"
)

// Resolver asks the DNS. [dns.Resolver] is one.
type Resolver interface {
	// LookupMX returns the mail exchangers of a domain, best first, and how
	// long they hold. Its errors wrap those of package dns.
	LookupMX(ctx context.Context, domain string) ([]dns.MX, time.Duration, error)
	// LookupAddr returns the addresses of a host.
	LookupAddr(ctx context.Context, host string) ([]netip.Addr, error)
}

// NextHop is a server as the operator names it.
type NextHop struct {
	Protocol Protocol
	Implicit bool
	// MX is set where Host is a domain whose MX records name the hosts.
	MX     bool
	Host   string
	Port   uint16
	Socket string
}

// Rule says where the mail for some domains goes.
type Rule struct {
	// To are the domains: "example.org", ".example.org" for all names below
	// it, "*" for all that no other rule names.
	To       []string
	NextHops []NextHop
	TLS      TLSPolicy
}

// Options are what a table is made of.
type Options struct {
	// Rules are looked through by how specific they are, not by their order.
	Rules []Rule
	// Default are the next hops of what no rule is about.
	Default []NextHop
	// Direct sends that to the hosts that the DNS names, where there is no
	// Default.
	Direct bool
	// TLS is the policy of Default and Direct.
	TLS TLSPolicy
	// Hostname is the name of this relay, and Own are the addresses by which
	// others reach it: records that lead there are loops.
	Hostname string
	Own      []netip.Addr
	// Port is the port of hosts that the DNS names; 0 means 25.
	Port uint16
	// IPv4Only and IPv6Only leave out the addresses of the other kind.
	IPv4Only, IPv6Only bool
	Resolver           Resolver
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Random gives numbers in [0, 1); nil means math/rand. Both are safe for
	// concurrent use.
	Random func() float64
}

// Table finds routes. It is safe for concurrent use.
type Table struct {
	options  Options
	domains  map[string]*target // by "example.org", ".example.org"
	fallback *target            // "*", or the default; nil where there is none
	cache    *cache
}

// target is where a rule leads.
type target struct {
	hops []NextHop
	tls  TLSPolicy
	// fixed is the route where no record of the DNS has a say in it.
	fixed *Route
	// direct is set where the domain's own records name the hosts.
	direct bool
}

// New returns the table.
func New(o Options) *Table {
	if o.Port == 0 {
		o.Port = 25
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	t := &Table{options: o, domains: make(map[string]*target), cache: newCache()}
	switch {
	case len(o.Default) > 0:
		t.fallback = newTarget(o.Default, o.TLS)
	case o.Direct:
		t.fallback = &target{direct: true, tls: o.TLS}
	}
	for _, r := range o.Rules {
		to := newTarget(r.NextHops, r.TLS)
		for _, domain := range r.To {
			t.add(domain, to)
		}
	}
	return t
}

// add takes a domain of a rule over.
func (t *Table) add(domain string, to *target) {
	if domain == "*" {
		t.fallback = to
		return
	}
	name, err := dns.ToASCII(strings.TrimPrefix(domain, "."))
	if err != nil {
		name = fold(domain) // nothing will match it; the configuration has checked this
	}
	if strings.HasPrefix(domain, ".") {
		name = "." + name
	}
	t.domains[name] = to
}

func newTarget(hops []NextHop, tls TLSPolicy) *target {
	to := &target{hops: hops, tls: tls}
	for _, h := range hops {
		if h.MX {
			return to
		}
	}
	var groups [][]Host
	for _, h := range hops {
		groups = append(groups, []Host{h.host()})
	}
	to.fixed = newRoute(groups, tls)
	return to
}

func (h NextHop) host() Host {
	return Host{Protocol: h.Protocol, Implicit: h.Implicit, Name: h.Host, Port: h.Port, Socket: h.Socket}
}

// newRoute returns the route to hosts.
func newRoute(groups [][]Host, tls TLSPolicy) *Route {
	r := &Route{Groups: groups, TLS: tls, Final: len(groups) > 0}
	var lane strings.Builder
	for n, group := range groups {
		if n > 0 {
			lane.WriteString(", ")
		}
		for k, h := range group {
			if k > 0 {
				lane.WriteByte('|')
			}
			if h.Protocol == LMTP {
				lane.WriteString("lmtp ")
			} else {
				r.Final = false
			}
			lane.WriteString(h.String())
		}
	}
	if tls != TLSOpportunistic {
		lane.WriteString(" (tls " + tls.String() + ")")
	}
	r.Lane = lane.String()
	return r
}

// find returns where mail for a domain goes, or nil where nothing says so.
// The most specific rule wins.
func (t *Table) find(domain string) *target {
	if len(t.domains) == 0 {
		return t.fallback
	}
	name := key(domain)
	if to := t.domains[name]; to != nil {
		return to
	}
	for i := strings.IndexByte(name, '.'); i >= 0; {
		if to := t.domains[name[i:]]; to != nil {
			return to
		}
		next := strings.IndexByte(name[i+1:], '.')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return t.fallback
}

// key is a domain as the table has it.
func key(domain string) string {
	for i := range len(domain) {
		if domain[i] >= 0x80 {
			if name, err := dns.ToASCII(domain); err == nil {
				return name
			}
			break
		}
	}
	return fold(domain)
}

// fold makes domains equal that are. It allocates nothing where there is
// nothing to change.
func fold(domain string) string { return strings.ToLower(strings.TrimSuffix(domain, ".")) }

// domainOf is the domain of a forward-path. The bare Postmaster is at home
// here (RFC 5321 section 4.5.1).
func (t *Table) domainOf(p smtp.Path) string {
	if p.Domain == "" {
		return t.options.Hostname
	}
	return p.Domain
}

// Cached returns the route of a forward-path where it is known without asking
// anybody. It allocates nothing for a domain in lower case.
func (t *Table) Cached(p smtp.Path) (*Route, bool) {
	domain := t.domainOf(p)
	to := t.find(domain)
	switch {
	case to == nil:
		return nil, false
	case to.fixed != nil:
		return to.fixed, true
	case to.direct:
		r := t.cache.get(key(domain), t.options.Now())
		return r, r != nil
	}
	return nil, false
}

// Lookup returns the route of a forward-path, asking the DNS where it has to.
// The error is an [*Error], or that of the context.
func (t *Table) Lookup(ctx context.Context, p smtp.Path) (*Route, error) {
	domain := t.domainOf(p)
	to := t.find(domain)
	switch {
	case to == nil:
		return nil, noRoute(domain)
	case to.fixed != nil:
		return to.fixed, nil
	case to.direct:
		return t.direct(ctx, domain, to.tls)
	}
	return t.expand(ctx, to)
}
