package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"
)

// Options say what certificates to get, and where.
type Options struct {
	// Names are those to get certificates for.
	Names []string
	// Email is where the authority reaches who runs this; it may be empty.
	Email string
	// Directory is the address of the authority's directory.
	Directory string
	// Roots vouch for the directory; nil are those of the system.
	Roots *x509.CertPool
	// HTTP01 is the address, with a port, that is opened for the authority while
	// a certificate is got.
	HTTP01 string
	// KeyID and KeyMAC bind the account to one that the authority knows (RFC 8555
	// section 7.3.4); they may be empty.
	KeyID, KeyMAC string
	// Folder keeps accounts, keys and certificates. It is made.
	Folder string
	// Logger hears the details. It must not be nil.
	Logger *slog.Logger
	// Got hears of each certificate that is shown from now on, Fault of an attempt
	// that failed; it is repeated by itself. Each may be nil.
	Got   func(name string)
	Fault func(error)
}

// Manager gets certificates and keeps them. It is safe for concurrent use.
type Manager struct {
	options Options
	cache   *certmagic.Cache
	config  *certmagic.Config
}

// New returns a manager. Nothing is asked for before Run, but what was got before
// is shown.
func New(ctx context.Context, o Options) (*Manager, error) {
	host, port, err := net.SplitHostPort(o.HTTP01)
	if err != nil {
		return nil, fmt.Errorf("the address for HTTP-01: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("the port for HTTP-01: %w", err)
	}
	m := &Manager{options: o}
	logger := zap.New(bridge{handler: o.Logger.Handler()})
	m.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return m.config, nil },
		Logger:           logger,
	})
	m.config = certmagic.New(m.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: o.Folder},
		Logger:  logger,
		OnEvent: m.hear,
		OCSP:    certmagic.OCSPConfig{DisableStapling: true}, // which mail servers do not look at
	})
	issuer := certmagic.ACMEIssuer{
		CA: o.Directory, TestCA: o.Directory, Email: o.Email, Agreed: true, TrustedRoots: o.Roots,
		DisableTLSALPNChallenge: true, // it wants port 443, which is not ours
		ListenHost:              host, AltHTTPPort: number,
		Logger: logger,
	}
	if o.KeyID != "" {
		issuer.ExternalAccount = &acme.EAB{KeyID: o.KeyID, MACKey: o.KeyMAC}
	}
	m.config.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(m.config, issuer)}
	for _, name := range o.Names {
		// What is not there, or cannot be read, is got by Run.
		_, _ = m.config.CacheManagedCertificate(ctx, name)
	}
	return m, nil
}

// Run gets what is missing, and renews, until the context ends.
func (m *Manager) Run(ctx context.Context) {
	defer m.cache.Stop()
	if err := m.config.ManageAsync(ctx, m.options.Names); err != nil {
		m.fault(fmt.Errorf("getting certificates by ACME: %w", err))
	}
	<-ctx.Done()
}

// hear is told by the library what happens.
func (m *Manager) hear(_ context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	switch event {
	case "cert_obtained":
		if m.options.Got != nil {
			m.options.Got(name)
		}
	case "cert_failed":
		m.fault(fmt.Errorf("getting a certificate for %s by ACME: %v", name, data["error"]))
	}
	return nil
}

func (m *Manager) fault(err error) {
	if m.options.Fault != nil {
		m.options.Fault(err)
	}
}

// Certificate returns the certificate for the name that a client asks for, and the
// first that was got where it asks for another or for none; nil where none was.
func (m *Manager) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	asked := strings.ToLower(hello.ServerName)
	if slices.Contains(m.options.Names, asked) {
		if c := m.of(asked); c != nil {
			return c, nil
		}
	}
	for _, name := range m.options.Names {
		if c := m.of(name); c != nil {
			return c, nil
		}
	}
	return nil, nil
}

// of returns the certificate of a name that ends last; nil where there is none.
func (m *Manager) of(name string) *tls.Certificate {
	var best *tls.Certificate
	var ends time.Time
	for _, c := range m.cache.AllMatchingCertificates(name) {
		if c.Leaf != nil && c.Leaf.NotAfter.After(ends) {
			best, ends = &c.Certificate, c.Leaf.NotAfter
		}
	}
	return best
}

// Of returns the certificate of a name, or nil where none was got yet.
func (m *Manager) Of(name string) *tls.Certificate { return m.of(strings.ToLower(name)) }
