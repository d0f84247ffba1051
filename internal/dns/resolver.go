package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/miekg/dns"
	"golang.org/x/sync/singleflight"
)

// Options say whom to ask, and how long. The zero value asks the resolvers of
// the system.
type Options struct {
	// Servers are asked in their order; one that was silent lately comes last
	// for a while. Without one, those of ResolvConf are asked.
	Servers []netip.AddrPort
	// ResolvConf and Hosts are files of the system; empty means
	// /etc/resolv.conf and /etc/hosts. They are read once. One that is not
	// there counts as empty.
	ResolvConf, Hosts string
	// Validating says whether the servers are trusted to check signatures.
	Validating Validating
	// Timeout bounds the wait for one server; 0 means 3 seconds.
	Timeout time.Duration
	// Rounds is how often silent servers are asked before it is given up; 0
	// means 2.
	Rounds int
	// CacheSize bounds the memory for answers, in bytes; 0 means 16 MiB.
	CacheSize int
	// Now is the clock; nil means time.Now. It is safe for concurrent use.
	Now func() time.Time
}

// Resolver asks and remembers. It is safe for concurrent use.
type Resolver struct {
	options Options
	servers []*server
	// validates tells that all servers are trusted to check signatures. With one
	// that is not, an answer that the others found forged would come from it.
	validates bool
	hosts     map[string][]netip.Addr
	kept      *otter.Cache[question, answer]
	asking    singleflight.Group

	life   context.Context // of questions that are being asked
	end    context.CancelFunc
	mu     sync.Mutex
	closed bool
	open   sync.WaitGroup
}

// server is one of those who are asked.
type server struct {
	address string
	silent  atomic.Int64 // until when it is asked last, in Unix nanoseconds
}

// MX is one mail exchanger (RFC 5321 section 5.1).
type MX struct {
	// Host is its name in lower case without the final dot, as the record has
	// it: it need not be a name that a host can have. It is empty for the null
	// MX, which says that the domain takes no mail (RFC 7505).
	Host string
	// Preference: the lowest is tried first.
	Preference uint16
}

// New returns a resolver. It fails where a file of the system cannot be read.
// Close ends it.
func New(o Options) (*Resolver, error) {
	o.setDefaults()
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
	kept, err := newCache(o.CacheSize)
	if err != nil {
		return nil, fmt.Errorf("making room for answers: %w", err)
	}
	r := &Resolver{options: o, validates: o.Validating.trusts(o.Servers), hosts: hosts, kept: kept}
	for _, s := range o.Servers {
		r.servers = append(r.servers, &server{address: s.String()})
	}
	r.life, r.end = context.WithCancel(context.Background())
	return r, nil
}

func (o *Options) setDefaults() {
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
	if o.CacheSize <= 0 {
		o.CacheSize = 16 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Close breaks off what is being asked and waits for its end. Whoever asks
// from then on gets an error that passes, unless the answer is known.
func (r *Resolver) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.end()
	r.open.Wait()
}

// enter counts one who asks, so that Close can wait for it. It reports false
// when the resolver is closed.
func (r *Resolver) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.open.Add(1)
	}
	return !r.closed
}

// LookupMX returns the mail exchangers of a domain, best first, and for how
// long that may be relied on. A domain without any gives an error that wraps
// [ErrNoData], one that does not exist [ErrNotFound]; for how long that holds
// is returned too. Errors are of type *[Error], or that of the context.
func (r *Resolver) LookupMX(ctx context.Context, domain string) ([]MX, time.Duration, error) {
	a, err := r.lookup(ctx, domain, dns.TypeMX)
	if err != nil {
		return nil, 0, err
	}
	return slices.Clone(a.mx), max(0, a.until.Sub(r.options.Now())), a.err
}

// LookupAddr returns the addresses of a host: those of IPv6, then those of
// IPv4. The file of hosts comes before the DNS. Where there is no address, the
// error is one that passes if that is so for one of the two kinds. Errors are
// as those of LookupMX.
func (r *Resolver) LookupAddr(ctx context.Context, host string) ([]netip.Addr, error) {
	name, err := ToASCII(host)
	if err != nil {
		return nil, noName(host, "A", err)
	}
	if addrs := r.local(name); len(addrs) > 0 {
		return slices.Clone(addrs), nil
	}
	six, four, err := r.lookupBoth(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case len(six.addrs)+len(four.addrs) > 0:
		return slices.Concat(six.addrs, four.addrs), nil
	case passes(six.err):
		return nil, six.err
	}
	return nil, four.err
}

// lookupBoth asks for both kinds of addresses at the same time.
func (r *Resolver) lookupBoth(ctx context.Context, name string) (six, four answer, err error) {
	var err6, err4 error
	var group sync.WaitGroup
	group.Go(func() { six, err6 = r.lookup(ctx, name, dns.TypeAAAA) })
	four, err4 = r.lookup(ctx, name, dns.TypeA)
	group.Wait()
	if err6 != nil {
		return six, four, err6
	}
	return six, four, err4
}

// local returns the addresses of a name that the DNS is not asked for.
func (r *Resolver) local(name string) []netip.Addr {
	if addrs := r.hosts[name]; len(addrs) > 0 {
		return addrs
	}
	if isLocalhost(name) {
		return []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	return nil
}

// isLocalhost tells the names that never go to the DNS (RFC 6761 section 6.3).
func isLocalhost(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// passes reports that an answer is an error that is not for good.
func passes(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Temporary()
}

// noName is the error for what cannot be a name, and so does not exist.
func noName(name, kind string, err error) *Error {
	return &Error{Name: name, Type: kind, Err: fmt.Errorf("%w: %w", ErrNotFound, err)}
}
