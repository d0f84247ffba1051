package dns

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/miekg/dns"
	"golang.org/x/sync/singleflight"
)

// Options say whom to ask, and how long. The zero value asks the resolvers of
// the system.
type Options struct {
	// Servers are asked in their order. Without one, those of ResolvConf are.
	Servers []netip.AddrPort
	// ResolvConf and Hosts are files of the system; empty means
	// /etc/resolv.conf and /etc/hosts. They are read once.
	ResolvConf, Hosts string
	// Timeout bounds the wait for one server; 0 means 3 seconds.
	Timeout time.Duration
	// Rounds is how often all servers are asked before it is given up; 0
	// means 2.
	Rounds int
	// Entries bounds the answers that are kept; 0 means 65536.
	Entries int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// How long answers are kept, whatever their owners say.
const (
	leastTTL = 5 * time.Second
	mostTTL  = time.Hour
	// faultTTL is how long it is remembered that nobody could be asked.
	faultTTL = 5 * time.Second
	// noTTL is for an answer of nothing that does not say how long.
	noTTL = time.Minute
)

// Resolver asks and remembers. It is safe for concurrent use.
type Resolver struct {
	options Options
	hosts   map[string][]netip.Addr
	kept    *otter.Cache[question, answer]
	asking  singleflight.Group
}

// question is what is asked.
type question struct {
	name string
	kind uint16
}

// answer is what became of a question.
type answer struct {
	mx    []MX
	addrs []netip.Addr
	err   error
	until time.Time
}

// MX is one mail exchanger (RFC 5321 section 5.1).
type MX struct {
	// Host is its name in lower case without the final dot. It is empty for
	// the null MX, which says that the domain takes no mail (RFC 7505).
	Host string
	// Preference: the lowest is tried first.
	Preference uint16
}

// New returns a resolver. It fails where a file of the system cannot be read.
func New(o Options) (*Resolver, error) {
	if o.ResolvConf == "" {
		o.ResolvConf = "/etc/resolv.conf"
	}
	if o.Hosts == "" {
		o.Hosts = "/etc/hosts"
	}
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.Rounds <= 0 {
		o.Rounds = 2
	}
	if o.Entries <= 0 {
		o.Entries = 65536
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if len(o.Servers) == 0 {
		servers, err := systemServers(o.ResolvConf)
		if err != nil {
			return nil, err
		}
		o.Servers = servers
	}
	hosts, err := readHosts(o.Hosts)
	if err != nil {
		return nil, err
	}
	kept, err := otter.New(&otter.Options[question, answer]{
		MaximumSize: o.Entries,
		// Its upkeep is little: it needs no goroutine of its own.
		Executor: func(upkeep func()) { upkeep() },
	})
	if err != nil {
		return nil, fmt.Errorf("making room for answers: %w", err)
	}
	return &Resolver{options: o, hosts: hosts, kept: kept}, nil
}

// LookupMX returns the mail exchangers of a domain, best first, and for how
// long that may be relied on. A domain without any gives an error that wraps
// [ErrNoData], one that does not exist [ErrNotFound].
func (r *Resolver) LookupMX(ctx context.Context, domain string) ([]MX, time.Duration, error) {
	a, err := r.lookup(ctx, domain, dns.TypeMX)
	if err != nil {
		return nil, 0, err
	}
	return slices.Clone(a.mx), a.until.Sub(r.options.Now()), a.err
}

// LookupAddr returns the addresses of a host: those of IPv6, then those of
// IPv4. The file of hosts comes before the DNS. An error is returned where
// neither kind gave an address: one that passes where one of the two does.
func (r *Resolver) LookupAddr(ctx context.Context, host string) ([]netip.Addr, error) {
	name, err := ToASCII(host)
	if err != nil {
		return nil, &Error{Name: host, Type: "A", Err: fmt.Errorf("%w: %w", ErrNotFound, err)}
	}
	if addrs := r.local(name); len(addrs) > 0 {
		return slices.Clone(addrs), nil
	}
	type result struct {
		answer answer
		err    error
	}
	six := make(chan result, 1)
	go func() {
		a, err := r.lookup(ctx, name, dns.TypeAAAA)
		six <- result{a, err}
	}()
	a4, err4 := r.lookup(ctx, name, dns.TypeA)
	r6 := <-six
	if err := errors.Join(err4, r6.err); err != nil {
		return nil, err
	}
	addrs := slices.Concat(r6.answer.addrs, a4.addrs)
	if len(addrs) > 0 {
		return addrs, nil
	}
	for _, err := range []error{a4.err, r6.answer.err} {
		if e := (*Error)(nil); errors.As(err, &e) && e.Temporary() {
			return nil, err
		}
	}
	return nil, a4.err
}

// local returns the addresses of a name that the DNS is not asked for.
func (r *Resolver) local(name string) []netip.Addr {
	if addrs := r.hosts[name]; len(addrs) > 0 {
		return addrs
	}
	// RFC 6761 section 6.3: localhost never goes to the DNS.
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	return nil
}

// lookup returns the kept answer of a question, or asks. The error is that of
// the context; what the DNS says against it is in the answer.
func (r *Resolver) lookup(ctx context.Context, domain string, kind uint16) (answer, error) {
	name, err := ToASCII(domain)
	if err != nil {
		return answer{err: &Error{Name: domain, Type: dns.TypeToString[kind], Err: fmt.Errorf("%w: %w", ErrNotFound, err)}}, nil
	}
	q := question{name, kind}
	if a, ok := r.kept.GetIfPresent(q); ok && r.options.Now().Before(a.until) {
		return a, nil
	}
	// Those who wait for the same answer do not depend on the one who asked
	// first: it is asked to its end, which is not far.
	done := r.asking.DoChan(dns.TypeToString[kind]+" "+name, func() (any, error) {
		a := r.ask(context.WithoutCancel(ctx), q)
		r.kept.Set(q, a)
		return a, nil
	})
	select {
	case result := <-done:
		return result.Val.(answer), nil
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

// ask asks the servers, one after the other, until one answers.
func (r *Resolver) ask(ctx context.Context, q question) answer {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(q.name), q.kind)
	m.SetEdns0(ednsSize, false)
	var last *Error
	for range r.options.Rounds {
		for _, server := range r.options.Servers {
			m.Id = uint16(rand.Uint32())
			in, err := r.exchange(ctx, m, server.String())
			if err == nil {
				return r.read(q, in, server.String())
			}
			last = &Error{Name: q.name, Type: dns.TypeToString[q.kind], Server: server.String(), Err: err}
		}
	}
	if last == nil {
		last = &Error{Name: q.name, Type: dns.TypeToString[q.kind], Err: errors.New("there is no server to ask: see the key servers of [dns]")}
	}
	return answer{err: last, until: r.options.Now().Add(faultTTL)}
}
