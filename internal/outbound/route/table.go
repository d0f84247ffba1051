package route

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/outbound/profile"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// Resolver asks the DNS. [dns.Resolver] is one.
type Resolver interface {
	// LookupMX returns the mail exchangers of a domain, best first, in a slice
	// that the caller may change, and how long they hold. Its errors wrap those
	// of package dns; how long [dns.ErrNoData] holds is returned too.
	LookupMX(ctx context.Context, domain string) ([]dns.MX, time.Duration, error)
	// LookupAddr returns the addresses of a host. Its errors wrap those of
	// package dns.
	LookupAddr(ctx context.Context, host string) ([]netip.Addr, error)
}

// NextHop is a server as the operator names it.
type NextHop struct {
	Protocol Protocol
	// Implicit is TLS from the first byte.
	Implicit bool
	// MX is set where Host is a domain whose MX records name the hosts.
	MX bool
	// Host is a name or an IP address without brackets; empty with Socket.
	Host   string
	Port   uint16
	Socket string
	// Inside is set for a server within this program.
	Inside bool
	// TLSConfig is what a handshake with the host is made with; nil is as usual. It
	// has a name for lanes.
	TLSConfig *tls.Config
	TLSName   string
	// Login signs in to the host; nil does without.
	Login *smtpclient.Login
	// TLS is what the host has to speak in place of what the rule says; nil where
	// that holds.
	TLS *TLSPolicy
}

// Rule says where the mail for some domains, from some senders, goes.
type Rule struct {
	// To are the domains: "example.org", ".example.org" for all names below
	// it, "*" for all that no other rule names.
	To []string
	// From are the senders: "news@example.org", "example.org" for all of the
	// domain, ".example.org" for all of those below it, "<>" for the null
	// reverse-path. Without any, the rule is for all senders.
	From []string
	// NextHops are tried in their order. Without one, the hosts are those that
	// the DNS names.
	NextHops []NextHop
	// Backup are tried when none of the hosts takes the session.
	Backup []NextHop
	TLS    TLSPolicy
}

// Options are what a table is made of.
type Options struct {
	// Rules are looked through by how specific they are, not by their order.
	Rules []Rule
	// Default are the next hops of what no rule is about, tried in their
	// order.
	Default []NextHop
	// Backup are tried when none of the hosts of Default, or of those that the DNS
	// names, takes the session. It is not used for a domain that has no hosts.
	Backup []NextHop
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
	// Profiles tell which hosts are one operator's, and what it bears.
	Profiles *profile.Set
	// Sources are the addresses that connections may be made from. Each
	// destination has one of each kind, always the same. Without any, the system
	// chooses.
	Sources []netip.Addr
	// Overrides are TLS policies for domains, where the DNS names the hosts.
	Overrides []Override
	// Resolver must not be nil.
	Resolver Resolver
	// Proofs tells what signatures prove; nil where no resolver is trusted to.
	Proofs Proofs
	// Policies finds MTA-STS policies; nil where they are not asked for.
	Policies Policies
	// Now is the clock; nil means time.Now. Random gives numbers in [0, 1);
	// nil means math/rand. Both are safe for concurrent use.
	Now    func() time.Time
	Random func() float64
}

// Table finds routes. It is safe for concurrent use.
type Table struct {
	options  Options
	hostname string            // as the table has domains
	domains  map[string]*rules // by "example.org" and ".example.org"
	rest     rules             // "*", and the default
	sources  pool
	cache    *cache

	overrides map[string]TLSPolicy // by "example.org" and ".example.org"
}

// New returns the table.
func New(o Options) *Table {
	if o.Port == 0 {
		o.Port = smtpPort
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	t := &Table{options: o, hostname: key(o.Hostname), domains: make(map[string]*rules), cache: newCache(), sources: newPool(o.Sources)}
	if len(o.Default) > 0 || o.Direct {
		t.rest.all = &choice{to: t.newTarget(o.Default, o.Backup, o.TLS)}
	}
	for _, override := range o.Overrides {
		t.addOverride(override)
	}
	for i := range o.Rules {
		r := &o.Rules[i]
		to := t.newTarget(r.NextHops, r.Backup, r.TLS)
		for _, domain := range r.To {
			t.rulesFor(domain).add(domain, r.From, to)
		}
	}
	return t
}

func (t *Table) newTarget(hops, backup []NextHop, tls TLSPolicy) *target {
	to := newTarget(hops, backup, tls)
	if to.isFixed {
		to.fixed = t.routeOf(to, nil)
	}
	return to
}

// rulesFor returns the rules for a domain of a rule.
func (t *Table) rulesFor(domain string) *rules {
	if domain == "*" {
		return &t.rest
	}
	name := pattern(domain)
	if t.domains[name] == nil {
		t.domains[name] = new(rules)
	}
	return t.domains[name]
}

// pattern is the domain of a rule as the table has it.
func pattern(domain string) string {
	if name, below := strings.CutPrefix(domain, "."); below {
		return "." + key(name)
	}
	return key(domain)
}

// Cached returns the route from a reverse-path to a forward-path where it is known
// without asking anybody. It allocates nothing for domains in lower case, unless
// there are rules for senders.
func (t *Table) Cached(from, p smtp.Path) (*Route, bool) {
	domain, c := t.find(from, p)
	switch {
	case c == nil:
		return nil, false
	case c.to.fixed != nil:
		return c.to.fixed, true
	}
	r := t.cache.get(c.to.cacheKey(domain), t.options.Now())
	return r, r != nil
}

// Lookup returns the route from a reverse-path to a forward-path, asking the DNS
// where it has to. The error is an [*Error], or that of the context.
func (t *Table) Lookup(ctx context.Context, from, p smtp.Path) (*Route, error) {
	domain, c := t.find(from, p)
	switch {
	case p.Domain == "" && !p.IsPostmaster():
		return nil, noDomain(p)
	case c == nil:
		return nil, noRoute(domain)
	case c.to.fixed != nil:
		return c.to.fixed, nil
	}
	now := t.options.Now()
	name := c.to.cacheKey(domain)
	if r := t.cache.get(name, now); r != nil {
		return r, nil
	}
	r, life, err := t.ask(ctx, domain, c.to)
	if err != nil {
		return nil, err
	}
	if life > 0 {
		t.cache.put(name, r, now, now.Add(min(max(life, leastLife), mostLife)))
	}
	return r, nil
}

// find returns the domain of a forward-path as the table has it, and what is
// decided for its mail: nil where nothing says so.
func (t *Table) find(from, p smtp.Path) (domain string, c *choice) {
	s := sender{path: from}
	switch {
	case p.Domain != "":
	case p.IsPostmaster():
		return t.hostname, t.home(&s)
	default:
		return "", nil
	}
	domain = key(p.Domain)
	if c := t.match(&s, domain); c != nil {
		return domain, c
	}
	return domain, t.rest.pick(&s)
}

// match returns the most specific choice for a domain, or nil.
func (t *Table) match(s *sender, domain string) *choice {
	if len(t.domains) == 0 {
		return nil
	}
	if c := t.domains[domain].pick(s); c != nil {
		return c
	}
	for i := range len(domain) {
		if domain[i] != '.' {
			continue
		}
		if c := t.domains[domain[i:]].pick(s); c != nil {
			return c
		}
	}
	return nil
}

// home is where mail for the bare Postmaster goes, who is at home here (RFC
// 5321 section 4.5.1): by the rule for the name of this relay, or by that for
// the domain in which it is, because mail.example.org is run by those who read
// the mail of example.org.
func (t *Table) home(s *sender) *choice {
	if c := t.match(s, t.hostname); c != nil {
		return c
	}
	if _, parent, ok := strings.Cut(t.hostname, "."); ok {
		if c := t.domains[parent].pick(s); c != nil {
			return c
		}
	}
	return t.rest.pick(s)
}

// key is a domain as the table has it. What is no domain name, an address
// literal above all, is only folded.
func key(domain string) string {
	for i := range len(domain) {
		if domain[i] < 0x80 {
			continue
		}
		if name, err := dns.ToASCII(domain); err == nil {
			return name
		}
		break
	}
	return strings.ToLower(strings.TrimSuffix(domain, "."))
}
