package outbound

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/retry"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// world is the room with a spool, and with the peers and the directory that a
// test gives it.
type world struct {
	t     *testing.T
	spool *memory
	out   *Outbound
	ids   *mail.IDSource

	mu        sync.Mutex
	dial      map[string]func() (net.Conn, error) // by host
	dials     map[string]int
	routes    map[string]*route.Route // by domain
	errors    map[string]error
	silent    bool // the directory does not answer
	events    []event.Attempted
	noticed   []event.Noticed
	heard     func(mail.Progress) // of each outcome; may be nil
	faults    []error
	stop      context.CancelFunc
	impatient context.CancelFunc
}

// seeded is randomness that is the same in each run.
type seeded struct{ *rand.ChaCha8 }

// newWorld makes a world. The room begins to work with start.
func newWorld(t *testing.T, change func(*Options)) *world {
	w := &world{
		t: t, spool: newMemory(t), ids: mail.NewIDSource(seeded{rand.NewChaCha8([32]byte{1})}),
		dial: map[string]func() (net.Conn, error){}, dials: map[string]int{}, routes: map[string]*route.Route{}, errors: map[string]error{},
	}
	o := Options{
		Hostname: "relay.example.com", Spool: w.spool, Router: w, IDs: w.ids,
		Attempt:   attempt.Options{LocalName: "relay.example.com", Dial: w.connect},
		Timetable: retry.Timetable{First: time.Minute, Max: 4 * time.Hour, Expire: 5 * 24 * time.Hour, DelayNotice: 4 * time.Hour},
		Events:    event.Tee(&event.Listener{Attempted: w.attempted, Noticed: w.hear, Fault: w.fault}),
		Random:    func() float64 { return 0.5 },
	}
	if change != nil {
		change(&o)
	}
	w.out = New(o)
	return w
}

// start runs the room until the test ends or stopped is called.
func (w *world) start() {
	ctx, stop := context.WithCancel(context.Background())
	patience, impatient := context.WithCancel(context.Background())
	w.stop, w.impatient = stop, impatient
	go w.out.Run(ctx, patience)
	w.t.Cleanup(w.stopped)
}

// stopped ends the room, with no patience, and looks for leases that nobody
// holds any more.
func (w *world) stopped() {
	w.stop()
	w.impatient()
	<-w.out.Stopped()
	if n := w.spool.leased(); n > 0 {
		w.t.Errorf("%d recipients are still leased", n)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, err := range w.faults {
		w.t.Errorf("fault: %v", err)
	}
	w.faults = nil
}

// peer lets a dialogue answer for a host, and makes the host the route of a
// domain of the same name.
func (w *world) peer(host, dialogue string) *smtptest.Server {
	s := smtptest.NewPipeServer(w.t, dialogue)
	w.host(host, func() (net.Conn, error) { return s.Dial(), nil })
	return s
}

func (w *world) host(host string, dial func() (net.Conn, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dial[host] = dial
	if w.routes[host] == nil {
		w.routes[host] = routeTo(host)
	}
}

// routeTo is a route by hosts in the order of preference.
func routeTo(hosts ...string) *route.Route {
	r := &route.Route{Lane: strings.Join(hosts, ","), TLS: route.TLSOff}
	for _, h := range hosts {
		r.Groups = append(r.Groups, []route.Host{{Name: h, Port: 25}})
	}
	return r
}

// Lookup makes the world a Router.
func (w *world) Lookup(ctx context.Context, _, p smtp.Path) (*route.Route, error) {
	if w.silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return w.find(p)
}

func (w *world) find(p smtp.Path) (*route.Route, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.errors[p.Domain]; err != nil {
		return nil, err
	}
	if r := w.routes[p.Domain]; r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("no route to %s", p.Domain)
}

func (w *world) Cached(_, p smtp.Path) (*route.Route, bool) {
	r, err := w.find(p)
	return r, err == nil && !w.silent
}

func (w *world) Addresses(_ context.Context, h route.Host) ([]route.Address, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.errors[h.Name]; err != nil {
		return nil, err
	}
	return []route.Address{{Host: h.Name, Network: "tcp", Addr: h.Name + ":25"}}, nil
}

var errRefused = errors.New("connection refused")

func (w *world) connect(_ context.Context, _, address string) (net.Conn, error) {
	host, _, _ := strings.Cut(address, ":")
	w.mu.Lock()
	w.dials[host]++
	dial := w.dial[host]
	w.mu.Unlock()
	if dial == nil {
		return nil, errRefused
	}
	return dial()
}

func (w *world) attempted(e event.Attempted) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
	if w.heard != nil {
		w.heard(e.Progress)
	}
}

func (w *world) hear(e event.Noticed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noticed = append(w.noticed, e)
}

func (w *world) fault(e event.Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Errorf("%s: %w", e.Where, e.Err))
}

// takeFaults returns the faults that were told, and forgets them.
func (w *world) takeFaults() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	faults := w.faults
	w.faults = nil
	return faults
}

func (w *world) notices() []event.Noticed {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]event.Noticed(nil), w.noticed...)
}

func (w *world) dialled(host string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dials[host]
}

const text = "Subject: Lunch\r\nMessage-ID: <1@example.org>\r\n\r\nAt noon?\r\n"

// put stores a message from alice@example.org to the addresses.
func (w *world) put(to ...string) mail.ID { return w.putFrom("alice@example.org", to...) }

func (w *world) putFrom(from string, to ...string) mail.ID {
	return w.putEnvelope(w.envelope(from, to...))
}

func (w *world) envelope(from string, to ...string) *mail.Envelope {
	w.t.Helper()
	now := time.Now()
	id, err := w.ids.Next(now)
	if err != nil {
		w.t.Fatal(err)
	}
	e := &mail.Envelope{ID: id, Arrived: now, ReversePath: path(w.t, from)}
	for _, address := range to {
		e.Recipients = append(e.Recipients, mail.Recipient{Path: path(w.t, address), Progress: mail.Progress{Due: now}})
	}
	return e
}

func (w *world) putEnvelope(e *mail.Envelope) mail.ID {
	w.t.Helper()
	id := e.ID
	if err := w.spool.Put(w.t.Context(), e, strings.NewReader(text)); err != nil {
		w.t.Fatal(err)
	}
	return id
}

func path(t *testing.T, address string) smtp.Path {
	t.Helper()
	p, err := smtp.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// after returns the progress of a recipient when the world has come to rest,
// some virtual time later.
func (w *world) after(wait time.Duration, id mail.ID, recipient int) mail.Progress {
	w.t.Helper()
	time.Sleep(wait) // virtual
	synctest.Wait()
	return w.progress(id, recipient)
}

func (w *world) progress(id mail.ID, recipient int) mail.Progress {
	w.t.Helper()
	e, err := w.spool.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return e.Recipients[recipient].Progress
}

// lanes returns how many destinations are remembered.
func (w *world) lanes() int {
	w.out.mu.Lock()
	defer w.out.mu.Unlock()
	return len(w.out.lanes)
}
