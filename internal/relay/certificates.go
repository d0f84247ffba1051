package relay

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/certificate"
	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/event"
)

// certificates are what the listeners show to whoever speaks TLS.
type certificates struct {
	keeper *certificate.Keeper
	// shown has the TLS of each listener, in the order of the configuration; nil
	// for one without. Each has its own, so that what one has begun is resumed on
	// no other, where other clients may be asked for.
	shown []*tls.Config
	// only has what tells of the certificate of each listener that shows but one;
	// nil for the others.
	only []func() *tls.Certificate
}

// openCertificates loads the certificates of all listeners.
func openCertificates(cfg *config.Config, events *event.Listener) (*certificates, error) {
	c := &certificates{keeper: certificate.NewKeeper(certificate.Options{
		Changed: func(i certificate.Info) { events.Renewed(event.Renewed(certificateOf(i))) },
		Ends:    func(i certificate.Info) { events.Expiring(event.Expiring(certificateOf(i))) },
		Fault:   func(err error) { events.Fault(event.Fault{Where: "certificate", Err: err}) },
	})}
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
	if len(entries) == 0 {
		return nil, nil
	}
	if len(entries) == 1 {
		c.only[len(c.only)-1] = entries[0].Certificate
	}
	shown := &tls.Config{GetCertificate: certificate.Choose(entries, nil), MinVersion: tls.VersionTLS12}
	if cfg.TLS.MinVersion == config.TLSVersion13 {
		shown.MinVersion = tls.VersionTLS13
	}
	if err := askClients(shown, l); err != nil {
		return nil, fmt.Errorf("listener %s (key client_ca of [[listener]]): %w", l.Label(), err)
	}
	return shown, nil
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
	data, err := os.ReadFile(l.ClientCA)
	if err != nil {
		return fmt.Errorf("reading the authorities of clients: %w", err)
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(data) {
		return errors.New("there is no certificate in it")
	}
	return nil
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
	return all
}
