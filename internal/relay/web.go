package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirmail/weir/internal/admin"
	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/codes"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
)

// web is what is reached by HTTP: the admin interface on its socket, and the
// page with the health checks.
type web struct {
	socket, page     net.Listener // page may be nil
	admin, pages     *http.Server
	path             string
	stopping         atomic.Bool
	faultsOfTheirOwn *slog.Logger
}

// The bounds on a client of the web interfaces. A bulk change may take long,
// so writing has none.
const (
	readHeader = 10 * time.Second
	readAll    = time.Minute
	idleWeb    = 2 * time.Minute
)

// openWeb builds what answers on the admin socket and the page.
func (r *Relay) openWeb() *web {
	w := &web{
		socket: r.listening.socket, page: r.listening.page,
		path: r.config.Admin.Socket, faultsOfTheirOwn: r.options.Logger,
	}
	w.admin = w.server(r.withMetrics(withProfiles(r.adminHandler(w))))
	if w.page != nil {
		w.pages = w.server(r.pageHandler(w))
	}
	return w
}

func (w *web) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeader,
		ReadTimeout:       readAll,
		IdleTimeout:       idleWeb,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(w.faultsOfTheirOwn.Handler(), slog.LevelWarn),
	}
}

// adminHandler is the whole admin interface.
func (r *Relay) adminHandler(w *web) http.Handler {
	return admin.Handler(admin.Options{
		Queue:     r.store,
		NotFound:  func(err error) bool { return errors.Is(err, spool.ErrNotFound) },
		Status:    func(ctx context.Context) (api.Status, error) { return r.status(ctx, w) },
		Ready:     func() error { return r.ready(w) },
		Admission: operator{r},
		Lanes:     laneKeeper{r},
		LaneOf:    r.laneOf,
		Dialogues: r.dialogues,
		Route:     r.plan,
		Peers:     peers{r.peers},
		Content: func(ctx context.Context, id mail.ID) (io.ReadCloser, int64, error) {
			content, err := r.store.Content(ctx, id)
			if err != nil {
				return nil, 0, err
			}
			return content, content.Size(), nil
		},
	})
}

// withMetrics adds the metrics to the admin interface.
func (r *Relay) withMetrics(h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", r.metrics.Handler())
	mux.Handle("/", h)
	return mux
}

// pageHandler is what a browser sees.
func (r *Relay) pageHandler(w *web) http.Handler {
	health := admin.Health(func() error { return r.ready(w) })
	mux := http.NewServeMux()
	reference := codes.Handler()
	mux.Handle(codes.Root, reference)
	mux.Handle(codes.Root+"/", reference)
	mux.Handle("/metrics", r.metrics.Handler())
	if r.inbox == nil {
		mux.Handle("/", health)
		return mux
	}
	mux.Handle("/livez", health)
	mux.Handle("/readyz", health)
	mux.Handle("/", r.inbox.handler())
	return mux
}

// The reasons for which a relay takes no mail.
var (
	errStopping    = errors.New("the relay is stopping")
	errNoSpool     = errors.New("the spool takes no more mail")
	errStarting    = errors.New("the relay is starting")
	errMaintenance = errors.New("the relay is in maintenance")
)

// ready says why the relay takes no mail, or nil.
func (r *Relay) ready(w *web) error {
	if w.stopping.Load() {
		return errStopping
	}
	select {
	case <-r.store.Failed():
		return fmt.Errorf("%w: %w", errNoSpool, r.store.Err())
	default:
		return r.gatehouse.notReady(time.Now())
	}
}

// status gathers how the relay is.
func (r *Relay) status(ctx context.Context, w *web) (api.Status, error) {
	s := api.Status{
		Version:  r.options.Version,
		Hostname: r.config.Hostname,
		Started:  r.began,
		State:    api.StateServing,
	}
	if w.stopping.Load() {
		s.State = api.StateStopping
	}
	if err := r.ready(w); err != nil {
		s.Problem = err.Error()
	}
	stats, err := r.store.Stats(ctx)
	if err != nil {
		return s, fmt.Errorf("asking the spool for its figures: %w", err)
	}
	s.Spool = api.Spool{
		Messages: stats.Messages, Bytes: stats.Bytes, Leased: stats.Leased,
		Held: stats.Held, Flushes: stats.Flushes,
	}
	s.Certificates = r.certificates.status()
	s.Logins = r.logins.status()
	for i, l := range r.mail {
		s.Listeners = append(s.Listeners, api.Listener{
			Name:         l.name,
			Address:      l.listener.Addr().String(),
			Protocol:     string(r.config.Listeners[i].Protocol),
			TLS:          tlsOf(l),
			Connections:  l.server.Connections(),
			ProxyRefused: l.proxies.refused(),
		})
	}
	return s, nil
}

func tlsOf(l mailListener) string {
	switch {
	case l.server.TLS == nil:
		return "off"
	case l.server.ImplicitTLS:
		return "implicit"
	}
	return "starttls"
}

// addresses are where the web interfaces are reached.
func (w *web) addresses() (page, socket string) {
	if w.page != nil {
		page = w.page.Addr().String()
	}
	return page, w.path
}

// serve runs the servers until stop.
func (w *web) serve(group *sync.WaitGroup, fail func(error)) {
	run := func(s *http.Server, l net.Listener, what string) {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fail(fmt.Errorf("%s: %w", what, err))
		}
	}
	group.Go(func() { run(w.admin, w.socket, "the admin socket") })
	if w.pages != nil {
		group.Go(func() { run(w.pages, w.page, "the page") })
	}
}

// leaving is how long requests may go on after the relay has said that it is
// stopping.
const leaving = time.Second

// stop ends the servers: what is asked for now is answered, streams are cut.
func (w *web) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), leaving)
	defer cancel()
	for _, s := range []*http.Server{w.pages, w.admin} {
		if s != nil && s.Shutdown(ctx) != nil {
			s.Close()
		}
	}
}
