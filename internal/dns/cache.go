package dns

import (
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
)

// How long answers are kept, whatever their owners say.
const (
	leastTTL = 5 * time.Second
	mostTTL  = time.Hour
	// mostNothingTTL is for answers of nothing: who has put a record in order
	// is not to wait for an hour.
	mostNothingTTL = 15 * time.Minute
	// faultTTL is how long it is remembered that nobody could be asked (RFC
	// 9520 section 3.2).
	faultTTL = 5 * time.Second
	// noTTL is for an answer of nothing that does not say how long.
	noTTL = time.Minute
)

// question is what is asked.
type question struct {
	name string
	kind uint16
}

// answer is what became of a question.
type answer struct {
	mx    []MX
	addrs []netip.Addr
	texts []string
	tlsa  []TLSA
	cname string
	// name is where the aliases of the question led.
	name string
	// secure tells that signatures prove the answer, also one of nothing.
	secure bool
	err    error
	until  time.Time
}

// records is how many records there are.
func (a *answer) records() int {
	n := len(a.mx) + len(a.addrs) + len(a.texts) + len(a.tlsa)
	if a.cname != "" {
		n++
	}
	return n
}

// newCache returns a cache for answers. It knows nothing of time, which is in
// the answers: so it needs no clock, and no goroutine to sweep it.
func newCache(size int) (*otter.Cache[question, answer], error) {
	return otter.New(&otter.Options[question, answer]{
		MaximumWeight: uint64(size),
		Weigher:       func(q question, a answer) uint32 { return a.weight(q) },
		Executor:      func(upkeep func()) { upkeep() }, // little work: it needs no goroutine either
	})
}

// weight is about how many bytes an answer occupies.
func (a answer) weight(q question) uint32 {
	const entry, mx, addr, fault = 256, 24, 24, 256
	n := entry + len(q.name) + len(a.name) + addr*len(a.addrs)
	for i := range a.mx {
		n += mx + len(a.mx[i].Host)
	}
	for _, text := range a.texts {
		n += addr + len(text)
	}
	for i := range a.tlsa {
		n += mx + len(a.tlsa[i].Data)
	}
	if a.err != nil {
		n += fault
	}
	return uint32(n)
}

// known returns the kept answer of a question while it holds.
func (r *Resolver) known(q question) (answer, bool) {
	a, ok := r.kept.GetIfPresent(q)
	return a, ok && r.options.Now().Before(a.until)
}

// within holds a time to live to the bounds.
func within(ttl, most time.Duration) time.Duration { return min(max(ttl, leastTTL), most) }
