package admission

import (
	"net/netip"
	"sync"
	"time"
)

// Limits bound what one key may ask for: a client, a network or an account. What
// is zero has no bound.
type Limits struct {
	// Connections is how many may be open at once.
	Connections int
	// The rates of connections, messages, recipients, octets of messages, failed
	// authentications, and recipients that were refused.
	ConnectionRate, Messages, Recipients, Bytes, FailedAuth, Unknown Rate
}

// ClientLimits are those of a client's own address (an IPv4 address, the /64 of an
// IPv6 one), of its network (the /24 or /48), and of an account.
type ClientLimits struct{ Client, Network, Account Limits }

// kind is what a rate counts.
type kind uint8

const (
	kindConnection kind = iota
	kindMessage
	kindRecipient
	kindBytes
	kindFailedAuth
	kindUnknown

	kinds = 6
)

var kindNames = [kinds]string{
	"connections in a time", "messages in a time", "recipients in a time",
	"octets in a time", "failed authentications in a time", "refused recipients in a time",
}

func (l *Limits) rate(k kind) Rate {
	return [...]Rate{l.ConnectionRate, l.Messages, l.Recipients, l.Bytes, l.FailedAuth, l.Unknown}[k]
}

// scope is whose limit it is.
type scope uint8

const (
	scopeClient scope = iota
	scopeNetwork
	scopeAccount

	scopes = 3
)

var scopeNames = [scopes]string{"the client's", "its network's", "the account's"}

// rates keeps what everyone has asked for lately. It is safe for concurrent use.
type rates struct {
	limits [scopes]Limits
	tables [scopes][kinds]*table[int64]
	// all looks at every limit, where the first that is used up would do.
	all bool
	// open counts the connections by address and network. It forgets nobody who
	// has one, and is bounded by their number.
	mu   sync.Mutex
	open map[key]int
}

func newRates(l ClientLimits, all bool) *rates {
	r := &rates{all: all, limits: [scopes]Limits{l.Client, l.Network, l.Account}, open: make(map[key]int)}
	for s := range r.limits {
		for k := range kind(kinds) {
			if !r.limits[s].rate(k).IsZero() {
				r.tables[s][k] = newTable[int64]()
			}
		}
	}
	return r
}

// keysOf returns the keys of a client, by scope.
func keysOf(a netip.Addr) [2]key {
	a = a.Unmap().WithZone("")
	one, many := 64, 48
	if a.Is4() {
		one, many = 32, 24
	}
	client, _ := a.Prefix(one)
	network, _ := a.Prefix(many)
	return [2]key{{network: client}, {network: network}}
}

// connect counts a connection, and says which limits it would pass. It is counted
// where that is none.
func (r *rates) connect(a netip.Addr, now time.Time) (over []*overrun) {
	keys := keysOf(a)
	over = r.countOpen(keys)
	opened := over == nil
	if !opened && !r.all {
		return over
	}
	if over = append(over, r.take(kindConnection, keys[:], 1, now)...); over != nil && opened {
		r.disconnect(a)
	}
	return over
}

// counts tells whether there is a limit on open connections.
func (r *rates) counts() bool {
	return r.limits[scopeClient].Connections > 0 || r.limits[scopeNetwork].Connections > 0
}

func (r *rates) countOpen(keys [2]key) (over []*overrun) {
	if !r.counts() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for s, k := range keys {
		if n := r.limits[s].Connections; n > 0 && r.open[k] >= n && (over == nil || r.all) {
			over = append(over, &overrun{
				reason: ReasonClientConnections, name: scopeNames[s] + " open connections",
				value: float64(r.open[k]), limit: float64(n),
			})
		}
	}
	if over != nil {
		return over
	}
	for _, k := range keys {
		r.open[k]++
	}
	return nil
}

// disconnect ends a connection that was counted.
func (r *rates) disconnect(a netip.Addr) {
	if !r.counts() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range keysOf(a) {
		if r.open[k]--; r.open[k] <= 0 {
			delete(r.open, k)
		}
	}
}

// take charges n of a kind to the keys, in the order of the scopes, and says whose
// limits it would pass; then nobody is charged. A key that is zero is nobody's.
func (r *rates) take(k kind, keys []key, n int, now time.Time) (over []*overrun) {
	var charged [scopes]bool
	for s := range keys {
		if keys[s] == (key{}) || over != nil && !r.all {
			continue
		}
		o := r.takeOne(k, scope(s), keys[s], n, now)
		if o != nil {
			over = append(over, o)
		}
		charged[s] = o == nil
	}
	if over == nil {
		return nil
	}
	for s := range keys {
		if charged[s] {
			r.give(k, scope(s), keys[s], n)
		}
	}
	return over
}

// over says whose limits one more of a kind would pass, and charges nobody.
func (r *rates) over(k kind, keys []key, now time.Time) (over []*overrun) {
	for s := range keys {
		rate := r.limits[s].rate(k)
		if rate.IsZero() || keys[s] == (key{}) {
			continue
		}
		r.tables[s][k].look(keys[s], func(arrival *int64) {
			if _, wait := rate.take(*arrival, 1, now.UnixNano()); wait > 0 {
				over = append(over, newOverrun(k, scope(s), rate, *arrival, 1, wait, now))
			}
		})
	}
	return over
}

func newOverrun(k kind, s scope, rate Rate, arrival int64, n int, wait time.Duration, now time.Time) *overrun {
	return &overrun{
		reason: ReasonClientRate, name: scopeNames[s] + " " + kindNames[k],
		value: rate.used(arrival, now.UnixNano()) + float64(n), limit: float64(rate.Count), retry: wait,
	}
}

func (r *rates) takeOne(k kind, s scope, id key, n int, now time.Time) (over *overrun) {
	rate := r.limits[s].rate(k)
	if rate.IsZero() {
		return nil
	}
	r.tables[s][k].with(id, func(arrival *int64) {
		next, wait := rate.take(*arrival, n, now.UnixNano())
		if wait > 0 {
			over = newOverrun(k, s, rate, *arrival, n, wait, now)
		}
		*arrival = next
	})
	return over
}

// give gives back what was charged: for what Weir put off itself, and what comes
// again.
func (r *rates) give(k kind, s scope, id key, n int) {
	rate := r.limits[s].rate(k)
	if rate.IsZero() {
		return
	}
	r.tables[s][k].look(id, func(arrival *int64) {
		*arrival -= int64(min(rate.worth(n), rate.tolerance()))
	})
}

// keys returns those of a visit, by scope: none of its address where that is exempt,
// and the account's where there is one.
func (v *Visit) keys() (keys [scopes]key) {
	if !v.exempt {
		two := keysOf(v.addr)
		keys[scopeClient], keys[scopeNetwork] = two[0], two[1]
	}
	if v.account != "" {
		keys[scopeAccount] = key{account: v.account}
	}
	return keys
}

// bytesOf is a size as a charge.
func bytesOf(size int64) int { return int(max(min(size, 1<<40), 1)) }
