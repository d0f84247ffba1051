package outbound

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/bounce"
	"github.com/weirmail/weir/internal/outbound/retry"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/internal/outbound/sign"
	"github.com/weirmail/weir/internal/outbound/tlsrpt"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/smtp"
)

// Router finds the next hops of a forward-path, which may depend on the
// reverse-path.
type Router interface {
	// Lookup returns the route. An error that is a *route.Error says whether
	// it is for good.
	Lookup(ctx context.Context, reversePath, forwardPath smtp.Path) (*route.Route, error)
	// Cached returns the route where it is known without asking anybody.
	Cached(reversePath, forwardPath smtp.Path) (*route.Route, bool)
	// Addresses returns the addresses of a host of a route, in the order in
	// which they are to be tried.
	Addresses(ctx context.Context, host route.Host) ([]route.Address, error)
}

// Sessions counts how sessions with the hosts of domains were encrypted.
type Sessions interface{ Count(tlsrpt.Session) }

// Options are what the room is built from.
type Options struct {
	// Hostname is the name of this relay in notices.
	Hostname string
	Spool    spool.Spool
	Router   Router
	// Attempt says how connections are made.
	Attempt attempt.Options
	// Timetable says when a recipient is tried again.
	Timetable retry.Timetable
	// Signer signs messages; nil signs none.
	Signer *sign.Signer
	// Languages are those of the notices.
	Languages bounce.Languages
	// Sessions counts how sessions were encrypted; nil counts nothing.
	Sessions Sessions
	// Notes keep what operators set for lanes across restarts; nil keeps nothing.
	Notes spool.Notes
	// IDs names the notices.
	IDs *mail.IDSource
	// Events hears what happens. Its functions are set.
	Events *event.Listener
	// Connections, Transactions, Age and Idle bound the connections to one
	// destination: how many, how many transactions on each, how old it may
	// become and how long it may be idle. Zero means 20, no limit, no limit,
	// 10 seconds.
	Connections  int
	Transactions int
	Age          time.Duration
	Idle         time.Duration
	// InMemory is the greatest number of leases held at a time; 0 means
	// 16384. What is due beyond them waits in the spool.
	InMemory int
	// Now is the clock; nil means time.Now. Random gives numbers in [0, 1);
	// nil means math/rand. Both are safe for concurrent use.
	Now    func() time.Time
	Random func() float64
}

// Outbound delivers what is in the spool.
type Outbound struct {
	options Options
	room    *room         // how many leases may still be held
	resolve chan resolved // leases whose routes have to be asked for
	stopped chan struct{} // closed when Run has returned
	learned learned       // of lanes that have nothing to do
	orders  orders        // of operators, for lanes

	dialogues dialogues // of messages that wait

	mu       sync.Mutex
	lanes    map[string]*destination
	stopping bool
}

// resolved is a lease on its way through the resolvers.
type resolved struct{ lease *mail.Lease }

// resolvers is the number of goroutines that look up routes. Each may wait for
// the DNS; a domain whose servers are silent holds one for seconds.
const resolvers = 64

// New returns the room, and asks the spool to hand fresh messages over to it.
func New(o Options) *Outbound {
	if o.InMemory <= 0 {
		o.InMemory = 16384
	}
	if o.Idle <= 0 {
		o.Idle = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	out := &Outbound{
		options: o,
		room:    newRoom(o.InMemory),
		resolve: make(chan resolved, resolvers),
		stopped: make(chan struct{}),
		lanes:   make(map[string]*destination),
		orders:  orders{notes: o.Notes},
	}
	o.Spool.Handover(out.take)
	return out
}

// Run delivers until the context ends, and then gives the attempts that are
// under way until the second context ends. It returns when no attempt is left
// and every lease was settled or released.
func (out *Outbound) Run(ctx, patience context.Context) {
	defer close(out.stopped)
	var group sync.WaitGroup
	group.Go(func() { out.claim(ctx) })
	group.Go(func() { out.closeIdleLanes(ctx) })
	group.Go(func() { out.expireOrders(ctx) })
	for range resolvers {
		group.Go(func() { out.resolveRoutes(ctx) })
	}
	<-ctx.Done()
	out.stop()
	group.Wait()
	out.releaseUnresolved()
	out.closeLanes(patience)
}

// Stopped returns a channel that is closed when Run has returned.
func (out *Outbound) Stopped() <-chan struct{} { return out.stopped }

// stop refuses further leases.
func (out *Outbound) stop() {
	out.mu.Lock()
	defer out.mu.Unlock()
	out.stopping = true
}

func (out *Outbound) releaseUnresolved() {
	for {
		select {
		case r := <-out.resolve:
			out.release(r.lease, time.Time{})
		default:
			return
		}
	}
}

func (out *Outbound) closeLanes(patience context.Context) {
	out.mu.Lock()
	lanes := make([]*destination, 0, len(out.lanes))
	for _, d := range out.lanes {
		lanes = append(lanes, d)
	}
	out.mu.Unlock()
	var group sync.WaitGroup
	for _, d := range lanes {
		group.Go(func() {
			for _, j := range d.lane.Close(patience) {
				out.release(j.lease, time.Time{})
			}
		})
	}
	group.Wait()
}

// fault tells of something that should not have happened.
func (out *Outbound) fault(where string, err error) {
	out.options.Events.Fault(event.Fault{Where: where, Err: err})
}
