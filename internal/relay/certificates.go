package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"github.com/weirmail/weir/internal/acme"
	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/certificate"
	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/event"
)

// certificates are what the listeners show to whoever speaks TLS.
type certificates struct {
	keeper *certificate.Keeper
	acme   *acme.Manager // nil where none are got
	names  []string      // of those that are got
	// shown has the TLS of each listener, in the order of the configuration; nil
	// for one without. Each has its own, so that what one has begun is resumed on
	// no other, where other clients may be asked for.
	shown []*tls.Config
	// only has what tells of the certificate of each listener that shows but one;
	// nil for the others.
	only []func() *tls.Certificate
}

// openCertificates loads the certificates of all listeners.
func openCertificates(ctx context.Context, cfg *config.Config, events *event.Listener, log *slog.Logger) (*certificates, error) {
	c := &certificates{keeper: certificate.NewKeeper(certificate.Options{
		Changed: func(i certificate.Info) { events.Renewed(event.Renewed(certificateOf(i))) },
		Ends:    func(i certificate.Info) { events.Expiring(event.Expiring(certificateOf(i))) },
		Fault:   func(err error) { events.Fault(event.Fault{Where: "certificate", Err: err}) },
	})}
	if err := c.openACME(ctx, cfg, events, log); err != nil {
		return nil, err
	}
	general, err := c.general(cfg)
	if err != nil {
		return nil, err
	}
	for i := range cfg.Listeners {
		c.only = append(c.only, nil)
		shown, err := c.listener(cfg, &cfg.Listeners[i], general)
		if err != nil {
			return nil, err
		}
		c.shown = append(c.shown, shown)
	}
	return c, nil
}

// general loads what listeners show that have none of their own. In development it
// is made where there is none.
func (c *certificates) general(cfg *config.Config) ([]*certificate.Entry, error) {
	entries, err := c.load(cfg.TLS.Certificate, cfg.TLS.Key, "[tls]")
	if err != nil || len(entries) > 0 || !cfg.Dev || !wantsTLS(cfg) {
		return entries, err
	}
	made, err := certificate.SelfSigned(time.Now(), cfg.Hostname, "localhost", "127.0.0.1", "::1")
	if err != nil {
		return nil, err
	}
	entry := certificate.Made(made)
	c.keeper.AddMade(entry)
	return []*certificate.Entry{entry}, nil
}

// wantsTLS says whether any listener would show a certificate.
func wantsTLS(cfg *config.Config) bool {
	for i := range cfg.Listeners {
		if cfg.Listeners[i].TLS != config.ListenerTLSOff {
			return true
		}
	}
	return false
}

func (c *certificates) load(files, keys []string, section string) ([]*certificate.Entry, error) {
	entries := make([]*certificate.Entry, 0, len(files))
	for i, file := range files {
		e, err := c.keeper.Add(file, keys[i])
		if err != nil {
			return nil, fmt.Errorf("a certificate of %s (keys certificate and key): %w", section, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// listener makes the TLS of one listener; nil where it has none.
func (c *certificates) listener(cfg *config.Config, l *config.Listener, general []*certificate.Entry) (*tls.Config, error) {
	if l.TLS == config.ListenerTLSOff {
		return nil, nil
	}
	entries, err := c.load(l.Certificate, l.Key, "listener "+l.Label())
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		entries = general
	}
	source, err := c.source(cfg, l, entries)
	if err != nil || source == nil {
		return nil, err
	}
	if len(entries) == 1 && (c.acme == nil || len(l.Certificate) > 0) {
		c.only[len(c.only)-1] = entries[0].Certificate
	}
	shown := &tls.Config{GetCertificate: source, MinVersion: tls.VersionTLS12}
	if cfg.TLS.MinVersion == config.TLSVersion13 {
		shown.MinVersion = tls.VersionTLS13
	}
	if err := askClients(shown, l); err != nil {
		return nil, fmt.Errorf("listener %s (key client_ca of [[listener]]): %w", l.Label(), err)
	}
	return shown, nil
}

// source is where a listener gets a certificate from for each handshake; nil where
// it has none.
func (c *certificates) source(cfg *config.Config, l *config.Listener, entries []*certificate.Entry) (certificate.Source, error) {
	switch {
	case c.acme == nil && len(entries) == 0:
		return nil, nil
	case c.acme == nil, len(l.Certificate) > 0:
		return certificate.Choose(entries, nil), nil
	case len(entries) > 0:
		return certificate.Choose(entries, c.acme.Certificate), nil
	}
	// Until the first certificate was got one is shown that nobody vouches for:
	// most mail servers take it, and would send in the clear otherwise.
	made, err := certificate.SelfSigned(time.Now(), cfg.Hostname)
	if err != nil {
		return nil, err
	}
	return certificate.Choose(nil, func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if got, err := c.acme.Certificate(hello); got != nil || err != nil {
			return got, err
		}
		return &made, nil
	}), nil
}

// askClients asks clients for certificates where the listener does.
func askClients(c *tls.Config, l *config.Listener) error {
	switch l.ClientCertificate {
	case config.ClientCertificateRequest:
		c.ClientAuth = tls.VerifyClientCertIfGiven
	case config.ClientCertificateRequire:
		c.ClientAuth = tls.RequireAndVerifyClientCert
	default:
		return nil
	}
	roots, err := rootsOf(l.ClientCA)
	c.ClientCAs = roots
	return err
}

func certificateOf(i certificate.Info) event.Certificate {
	return event.Certificate{File: i.File, Names: i.Names, Expires: i.Expires}
}

// status lists the certificates.
func (c *certificates) status() []api.Certificate {
	var all []api.Certificate
	for _, i := range c.keeper.List() {
		all = append(all, api.Certificate{File: i.File, Names: i.Names, Expires: i.Expires, Problem: i.Problem})
	}
	for _, name := range c.names {
		one := api.Certificate{File: "ACME", Names: []string{name}, Problem: "no certificate for " + name + " was got by ACME yet"}
		if got := c.acme.Of(name); got != nil {
			one.Expires, one.Problem = got.Leaf.NotAfter, ""
		}
		all = append(all, one)
	}
	return all
}
