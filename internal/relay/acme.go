package relay

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/weirmail/weir/internal/acme"
	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/event"
)

// openACME makes what gets certificates, where the configuration names any.
func (c *certificates) openACME(ctx context.Context, cfg *config.Config, events *event.Listener, log *slog.Logger) (err error) {
	a := &cfg.TLS.ACME
	if len(a.Names) == 0 {
		return nil
	}
	for _, name := range a.Names {
		c.names = append(c.names, strings.ToLower(name))
	}
	o := acme.Options{
		Names: c.names, Email: a.Email, Directory: a.Directory, HTTP01: a.HTTP01,
		KeyID: a.KeyID, KeyMAC: a.KeyMAC.Reveal(),
		Folder: filepath.Join(cfg.StateDir, "acme"), Logger: log,
		Got: func(name string) {
			events.Renewed(event.Renewed{File: "ACME", Names: []string{name}})
		},
		Fault: func(err error) { events.Fault(event.Fault{Where: "certificate", Err: err}) },
	}
	if a.CA != "" {
		if o.Roots, err = rootsOf(a.CA); err != nil {
			return fmt.Errorf("the authority of the directory (key ca of [tls.acme]): %w", err)
		}
	}
	if c.acme, err = acme.New(ctx, o); err != nil {
		return fmt.Errorf("certificates by ACME ([tls.acme]): %w", err)
	}
	return nil
}

// rootsOf reads authorities from a file.
func rootsOf(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, errors.New("there is no certificate in " + file)
	}
	return roots, nil
}

// run follows files and renews until the context ends.
func (c *certificates) run(ctx context.Context) {
	var group sync.WaitGroup
	group.Go(func() { c.keeper.Run(ctx) })
	if c.acme != nil {
		group.Go(func() { c.acme.Run(ctx) })
	}
	group.Wait()
}
