package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/event/metrics"
	"github.com/weirmail/weir/internal/inbound"
	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/internal/inbound/auth"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound"
	"github.com/weirmail/weir/internal/outbound/mtasts"
	"github.com/weirmail/weir/internal/outbound/peer"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/internal/outbound/tlsrpt"
	"github.com/weirmail/weir/internal/sockets"
	"github.com/weirmail/weir/internal/spool/disk"
	"github.com/weirmail/weir/internal/vfs"
	"github.com/weirmail/weir/smtpserver"
)

// Options are what a relay is given besides its configuration.
type Options struct {
	// Logger is where the log goes. It must not be nil.
	Logger *slog.Logger
	// Ready is called once all listeners are open, before mail is taken. It
	// may be nil.
	Ready func(Addresses)
	// Hurry cuts the grace time short when it is closed: the second signal of
	// an operator who has waited enough. It may be nil.
	Hurry <-chan struct{}
	// Version is the version of the program, for the status.
	Version string
	// Sockets are where the listening sockets come from, and what is known of
	// them where the relay hands over. Where it is nil they are opened.
	Sockets *sockets.Set
	// Prepared is called once the configuration has been found to be one that
	// can be run, and the listening sockets are open: before the spool is. It
	// may be nil.
	Prepared func()
	// FS is the disk that the spool is on; nil is the real one.
	FS vfs.FS
	// WaitForSpool makes the relay wait while another process has the spool
	// open, until it is closed. Where it is nil that is an error.
	WaitForSpool <-chan struct{}
	// Credentials is the folder of systemd's credentials; empty where there is
	// none.
	Credentials string
	// DialPolicy makes the connections to the servers of MTA-STS policies, in tests;
	// nil leaves that to the DNS.
	DialPolicy func(ctx context.Context, network, address string) (net.Conn, error)
	// HandOver makes the relay leave when it is closed, and Run return
	// [ErrHandedOver]: whoever holds copies of Sockets goes on with the clients
	// that wait there. It may be nil.
	HandOver <-chan struct{}
}

// Addresses are where a running relay listens. Ports that the configuration
// left to the system are known here.
type Addresses struct {
	// Mail are the listeners for mail, in the order of the configuration.
	Mail []Listening
	// HTTP is the address of the page; empty where there is none.
	HTTP string
	// Socket is the path of the admin socket.
	Socket string
}

// Listening is one open listener for mail.
type Listening struct {
	Name    string
	Address net.Addr
}

// hurryGrace is the grace time that is left after Hurry.
const hurryGrace = 2 * time.Second

// Relay is a relay whose parts are built and whose listeners are open.
type Relay struct {
	config       *config.Config
	options      Options
	events       *event.Listener
	metrics      *metrics.Metrics
	store        *disk.Store
	resolver     *dns.Resolver
	table        *route.Table
	policies     *mtasts.Policies
	reporter     *tlsrpt.Reporter // nil where nobody is reported to
	out          *outbound.Outbound
	peers        *peer.Book
	gatehouse    *gatehouse
	listening    listening
	starting     *starting
	certificates *certificates
	accounts     *auth.Service
	logins       *logins
	mail         []mailListener
	web          *web
	inbox        *inboxHop
	began        time.Time
}

// mailListener is one listener with its server.
type mailListener struct {
	name     string
	listener net.Listener // the socket
	front    net.Listener // what the server accepts from
	proxies  *proxies     // nil where there are none
	server   *smtpserver.Server
}

// Run builds a relay and runs it until the context ends or something fails
// that it cannot go on without. It returns nil when it was told to stop and
// has.
func Run(ctx context.Context, cfg *config.Config, o Options) error {
	r, err := New(ctx, cfg, o)
	if err != nil {
		return err
	}
	return r.Run(ctx)
}

// New builds a relay: it opens the spool and all listeners. Nothing is served
// before Run, which must be called.
func New(ctx context.Context, cfg *config.Config, o Options) (*Relay, error) {
	r := &Relay{config: cfg, options: o, metrics: metrics.New(o.Version), began: time.Now()}
	r.events = event.Tee(event.Log(o.Logger, event.LogOptions{NoAccounts: !cfg.Log.Accounts}), r.metrics.Listener())
	if err := r.open(ctx); err != nil {
		r.abandon()
		return nil, err
	}
	return r, nil
}

// open opens and builds the parts, each after those that it needs.
func (r *Relay) open(ctx context.Context) (err error) {
	if err := os.MkdirAll(r.config.StateDir, 0o700); err != nil {
		return fmt.Errorf("making the state folder (key state_dir): %w", err)
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	r.gatehouse = r.buildGatehouse()
	r.answerMeanwhile()
	r.store, err = r.openSpool(ctx)
	r.starting.stop()
	if err != nil {
		return err
	}
	if err := r.openGatehouse(ctx); err != nil {
		return err
	}
	ids := mail.NewIDSource(rand.Reader)
	if err := r.openMail(ids); err != nil {
		return err
	}
	if r.config.Dev {
		if r.inbox, err = r.openInbox(); err != nil {
			return err
		}
	}
	r.logins = newLogins(r.config, r.options.Credentials, r.events, r.options.Logger)
	if r.out, err = r.buildOutbound(ctx, ids); err != nil {
		return err
	}
	if err := r.out.LoadOrders(ctx); err != nil {
		return err
	}
	r.web = r.openWeb()
	return nil
}

// prepare does what shows whether the configuration can be run, and disturbs no
// other relay.
func (r *Relay) prepare(ctx context.Context) (err error) {
	if r.certificates, err = openCertificates(ctx, r.config, r.events, r.options.Logger); err != nil {
		return err
	}
	if r.accounts, err = openAccounts(r.config, r.events); err != nil {
		return err
	}
	if err := r.openSockets(); err != nil {
		return err
	}
	if r.options.Prepared != nil {
		r.options.Prepared()
	}
	return nil
}

// abandon closes what New has opened so far.
func (r *Relay) abandon() {
	r.listening.close()
	r.starting.finish()
	r.inbox.abandon()
	if r.resolver != nil {
		r.resolver.Close()
	}
	if r.store != nil {
		r.store.Close()
	}
}

func (r *Relay) openSpool(ctx context.Context) (*disk.Store, error) {
	cfg := r.config
	dir := filepath.Join(cfg.StateDir, "spool")
	store, err := disk.Open(ctx, dir, disk.Options{
		FS:              r.options.FS,
		MemTable:        int64(cfg.Spool.Memtable),
		MinSyncInterval: cfg.Spool.MinSyncInterval,
		LargeBody:       int64(cfg.Spool.LargeBody),
		Reserve:         reserve(int64(cfg.Spool.ReserveDisk)),
		Logger:          r.options.Logger,
		WaitForLock:     r.options.WaitForSpool,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the queue (key state_dir): %w", err)
	}
	return store, nil
}

// reserve turns the 0 of the configuration, which keeps nothing free, into
// what means so to the spool.
func reserve(bytes int64) int64 {
	if bytes == 0 {
		return -1
	}
	return bytes
}

// openMail builds the servers of the listeners for mail.
func (r *Relay) openMail(ids *mail.IDSource) (err error) {
	in := inbound.New(inbound.Options{
		Hostname:    r.config.Hostname,
		Spool:       r.store,
		Failed:      r.store.Failed(),
		Policy:      inbound.NewPolicy(r.config.Clients.Allow, r.config.AcceptFor),
		Admission:   r.gatehouse.controller,
		Greylist:    r.gatehouse.greylist,
		IDs:         ids,
		Events:      r.events,
		MaxReceived: r.config.SMTP.MaxReceived,
	})
	for i, l := range r.config.Listeners {
		m := mailListener{
			name:     l.Label(),
			listener: r.listening.mail[i],
			proxies:  proxiesOf(&l, r.options.Logger),
			server:   in.Server(r.mailListener(i)),
		}
		if m.front, err = m.proxies.before(m.listener); err != nil {
			return err
		}
		r.mail = append(r.mail, m)
	}
	r.gatehouse.sensors.listeners = r.listening.mail
	r.measure(in)
	return nil
}

// Addresses returns where the relay listens.
func (r *Relay) Addresses() Addresses {
	var a Addresses
	for _, l := range r.mail {
		a.Mail = append(a.Mail, Listening{Name: l.name, Address: l.listener.Addr()})
	}
	a.HTTP, a.Socket = r.web.addresses()
	return a
}

// Run serves until the context ends, or until something fails that the relay
// cannot go on without, and stops in order then.
func (r *Relay) Run(ctx context.Context) error {
	r.announce()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	var servers, rest sync.WaitGroup
	rest.Go(r.starting.finish)
	watching, stopWatching := context.WithCancel(context.Background())
	defer stopWatching()
	r.gatehouse.lifecycle.Set(admission.Serving)
	rest.Go(func() { r.gatehouse.run(watching, r.mail, r.options.Logger) })
	rest.Go(func() { r.certificates.run(watching) })
	rest.Go(func() { r.peers.Run(watching) })
	rest.Go(func() { r.logins.run(watching) })
	rest.Go(func() { r.policies.Run(watching) })
	if r.reporter != nil {
		rest.Go(func() { r.reporter.Run(watching) })
	}
	for _, l := range r.mail {
		servers.Go(func() {
			if err := l.server.Serve(l.front); !errors.Is(err, smtpserver.ErrServerClosed) {
				fail(fmt.Errorf("listener %s: %w", l.name, err))
			}
		})
	}
	delivering, stopDelivering := context.WithCancel(context.Background())
	patience, losePatience := context.WithCancel(context.Background())
	defer losePatience()
	rest.Go(func() { r.out.Run(delivering, patience) })
	r.inbox.serve(&rest, fail)
	r.web.serve(&rest, fail)

	handingOver := r.awaitEnd(ctx, fail)
	if !handingOver {
		r.beginStop()
	}
	grace, cancel := r.grace()
	defer cancel()
	context.AfterFunc(grace, losePatience)
	if handingOver {
		stopDelivering() // deliveries end while transactions do
	}
	r.stopServers(grace, handingOver)
	if handingOver {
		time.AfterFunc(deliveriesAtHandOver, losePatience)
	}
	servers.Wait()
	stopDelivering()
	<-r.out.Stopped()
	r.resolver.Close()
	r.inbox.stop(grace) // after outbound: what was on its way there has arrived
	r.web.stop()
	stopWatching()
	rest.Wait()
	if err := r.store.Close(); err != nil {
		fail(fmt.Errorf("closing the spool: %w", err))
	}
	if err := causeOf(ctx); err != nil || !handingOver {
		return err
	}
	return ErrHandedOver
}

// awaitEnd waits until the relay is to stop, and reports whether it is to hand
// over.
func (r *Relay) awaitEnd(ctx context.Context, fail func(error)) bool {
	select {
	case <-ctx.Done():
	case <-r.store.Failed():
		fail(fmt.Errorf("the spool takes no more mail: %w", r.store.Err()))
	case <-r.options.HandOver: // a nil channel never tells
		return true
	}
	return false
}

// beginStop says to those who watch that the relay stops, and gives them time to
// see it.
func (r *Relay) beginStop() {
	r.options.Logger.Info("stopping", "grace", r.config.Lifecycle.Grace)
	r.web.stopping.Store(true)
	r.lameDuck()
	if !slices.Contains(r.listening.kept, true) {
		r.gatehouse.lifecycle.Set(admission.Stopping)
	}
}

// lameDuck lets mail come in for a while after the health checks have said that the
// relay is not ready, so that load balancers look elsewhere before anybody is
// refused.
func (r *Relay) lameDuck() {
	timer := time.NewTimer(r.config.Lifecycle.LameDuck)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.options.Hurry: // a nil channel never tells
	case <-r.store.Failed():
	}
}

// announce says where the relay listens.
func (r *Relay) announce() {
	a := r.Addresses()
	for _, l := range a.Mail {
		r.options.Logger.Info("listening", "kind", "mail", "name", l.Name, "address", l.Address.String())
	}
	if a.HTTP != "" {
		r.options.Logger.Info("listening", "kind", "page", "address", a.HTTP)
	}
	r.options.Logger.Info("listening", "kind", "admin", "address", a.Socket)
	if r.options.Ready != nil {
		r.options.Ready(a)
	}
	r.options.Logger.Info("serving", "version", r.options.Version, "hostname", r.config.Hostname)
}

// grace returns a context that ends with the grace time, or soon after Hurry.
func (r *Relay) grace() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), r.config.Lifecycle.Grace)
	if r.options.Hurry != nil {
		go func() {
			select {
			case <-r.options.Hurry:
			case <-ctx.Done():
				return
			}
			timer := time.NewTimer(hurryGrace)
			defer timer.Stop()
			select {
			case <-timer.C:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// causeOf returns why the relay failed, or nil where it was told to stop.
func causeOf(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
		return nil
	}
	return cause
}
