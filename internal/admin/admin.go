package admin

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
)

// Queue is what the package needs of the spool. The methods are those of
// spool.Spool.
type Queue interface {
	Get(ctx context.Context, id mail.ID) (*mail.Envelope, error)
	Scan(ctx context.Context, after mail.ID, each func(*mail.Envelope) bool) error
	Hold(ctx context.Context, id mail.ID, held bool) error
	Retime(ctx context.Context, id mail.ID, due time.Time) error
	Remove(ctx context.Context, id mail.ID) error
}

// Options are what the handler is given. Queue, NotFound and Status must be
// set.
type Options struct {
	// Queue is the relay's queue.
	Queue Queue
	// NotFound reports that an error of the queue means that there is no such
	// message (any more).
	NotFound func(error) bool
	// Status returns how the relay is.
	Status func(ctx context.Context) (api.Status, error)
	// Ready returns why the relay is not ready for mail, or nil. Where the
	// function is nil the relay is always ready.
	Ready func() error
	// Content opens the content of a message and tells its size in bytes.
	// Where it is nil there is no such page.
	Content func(ctx context.Context, id mail.ID) (content io.ReadCloser, size int64, err error)
	// Admission is who decides what is taken on. Where it is nil there is
	// nothing to drain or to explain, and the pages for it are not there.
	Admission Admission
	// Route returns what would be done with mail for an address or a domain; its
	// error wraps [ErrNoAddress] for what is neither. Where it is nil there is no
	// such page.
	Route func(ctx context.Context, from, to string) (api.Route, error)
	// Peers are what is known of next hops. Where it is nil there are no such pages.
	Peers Peers
	// Lanes are the destinations. Where it is nil the pages for them are not there.
	Lanes Lanes
	// LaneOf returns the lane of a recipient, where that is known without asking
	// anybody; empty where not. It may be nil.
	LaneOf func(e *mail.Envelope, recipient int) string
	// Dialogues returns what was said in the last attempts for a message. It may be
	// nil.
	Dialogues func(id mail.ID) []api.Dialogue
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Peers is what the package needs of the memory of next hops. All methods are called
// by many requests at once.
type Peers interface {
	// Each calls each for the next hops in the order of their names, from the one that
	// is named on (empty: the first), until it returns false.
	Each(ctx context.Context, from string, each func(api.Peer) bool) error
	// Get returns what is known of one, and whether there is anything.
	Get(ctx context.Context, name string) (api.Peer, bool, error)
	// Forget forgets one, and reports whether it was known.
	Forget(ctx context.Context, name string) (bool, error)
}

// Admission is what the package needs of admission. All methods are called by
// many requests at once.
type Admission interface {
	// Status completes a status with what admission knows: State, Drains, the
	// State of each listener, and Admission. The rest is there already.
	Status(ctx context.Context, s *api.Status) error
	// Drain begins a maintenance, in place of one for the same listener, and
	// keeps it across restarts. The listener exists, and Until is zero or still
	// to come.
	Drain(ctx context.Context, d api.Drain) error
	// Resume ends the maintenance of a listener, or all of it where listener is
	// empty, and the window that is on. It reports whether there was any.
	Resume(ctx context.Context, listener string) (ended bool, err error)
	// Decisions returns up to q.Last of those that fit, the latest first.
	Decisions(ctx context.Context, q api.DecisionQuery) ([]api.Decision, error)
}

// handler serves the requests.
type handler struct {
	Options
}

// Handler returns the handler of everything. It is safe for concurrent use.
// Requests end with their context, so a client that goes away stops what it
// asked for.
func Handler(o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	h := &handler{o}
	mux := http.NewServeMux()
	addHealth(mux, o.Ready)
	mux.Handle("/v1/status", methods{http.MethodGet: h.status})
	mux.Handle("/v1/queue", methods{http.MethodGet: h.list})
	mux.Handle("/v1/queue/{id}", methods{http.MethodGet: h.get, http.MethodDelete: h.remove})
	if o.Content != nil {
		mux.Handle("/v1/queue/{id}/content", methods{http.MethodGet: h.content})
	}
	if o.Route != nil {
		mux.Handle("/v1/route", methods{http.MethodGet: h.route})
	}
	if o.Peers != nil {
		mux.Handle("/v1/peers", methods{http.MethodGet: h.peers})
		mux.Handle("/v1/peers/{name...}", methods{http.MethodGet: h.peer, http.MethodDelete: h.forgetPeer})
	}
	if o.Lanes != nil {
		mux.Handle("/v1/lanes", methods{http.MethodGet: h.lanes})
		mux.Handle("/v1/lane", methods{http.MethodGet: h.lane})
		mux.Handle("/v1/lane/suspend", methods{http.MethodPost: h.suspendLane})
		mux.Handle("/v1/lane/resume", methods{http.MethodPost: h.resumeLane})
		mux.Handle("/v1/lane/set", methods{http.MethodPost: h.setLane})
	}
	if o.Admission != nil {
		mux.Handle("/v1/drain", methods{http.MethodPost: h.drain})
		mux.Handle("/v1/resume", methods{http.MethodPost: h.resume})
		mux.Handle("/v1/decisions", methods{http.MethodGet: h.decisions})
		mux.Handle("/v1/decisions/{id}", methods{http.MethodGet: h.decision})
	}
	for _, action := range api.Actions() {
		mux.Handle("/v1/queue/"+string(action), methods{http.MethodPost: h.bulk(action)})
		if action != api.ActionRemove {
			mux.Handle("/v1/queue/{id}/"+string(action), methods{http.MethodPost: h.act(action)})
		}
	}
	mux.Handle("/", serve(notHere))
	return mux
}

// Health returns a handler of /livez and /readyz alone, which tells nothing
// that is secret.
func Health(ready func() error) http.Handler {
	mux := http.NewServeMux()
	addHealth(mux, ready)
	mux.Handle("/", serve(notHere))
	return mux
}

func (h *handler) status(w http.ResponseWriter, r *http.Request) error {
	status, err := h.fullStatus(r.Context())
	if err != nil {
		return internal(err)
	}
	return write(w, status)
}

// fullStatus is how the relay is, with what admission knows.
func (h *handler) fullStatus(ctx context.Context) (api.Status, error) {
	status, err := h.Status(ctx)
	if err == nil && h.Admission != nil {
		err = h.Admission.Status(ctx, &status)
	}
	return status, err
}

func notHere(_ http.ResponseWriter, r *http.Request) error {
	return problem(http.StatusNotFound, api.ProblemNotFound, "There is no such page", "there is nothing at %s; the queue is at /v1/queue, the figures are at /v1/status", r.URL.Path)
}
