package mtasts

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// The bounds on fetching.
const (
	fetchTime  = 20 * time.Second
	maxHeaders = 32 << 10
)

// FetchOptions say how policies are fetched.
type FetchOptions struct {
	// LookupAddr returns the addresses of a host. It must not be nil where Dial is.
	LookupAddr func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial makes connections, for tests; nil looks the host up and connects to an
	// address that can be one on the Internet.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Roots are the authorities that are trusted; nil means those of the system.
	Roots *x509.CertPool
}

// Fetcher returns a function that fetches the text of the policy of a domain from
// https://mta-sts.DOMAIN/.well-known/mta-sts.txt (RFC 8461 section 3.3): with a
// certificate that is valid for that name, without following redirects, and bounded
// in size and time. The function is safe for concurrent use.
func Fetcher(o FetchOptions) func(ctx context.Context, domain string) ([]byte, error) {
	dial := o.Dial
	if dial == nil {
		dial = Dialer(o.LookupAddr)
	}
	client := &http.Client{
		Timeout:       fetchTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            dial,
			TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeaders,
		},
	}
	return func(ctx context.Context, domain string) ([]byte, error) { return fetch(ctx, client, domain) }
}

// fetch fetches the policy of a domain.
func fetch(ctx context.Context, client *http.Client, domain string) ([]byte, error) {
	address := "https://mta-sts." + domain + "/.well-known/mta-sts.txt"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("asking for the policy: %w", err)
	}
	request.Header.Set("Accept", "text/plain")
	response, err := client.Do(request)
	if err != nil {
		return nil, err // it names the address
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers with %s, and only 200 counts", address, response.Status)
	}
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || kind != "text/plain" {
		return nil, fmt.Errorf("%s is %q, not text/plain", address, shortened(response.Header.Get("Content-Type")))
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxPolicy+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", address, err)
	}
	return text, nil
}

// Dialer returns a function that connects to hosts which strangers name, and leaves
// what is on this machine or this link alone.
func Dialer(lookup func(ctx context.Context, host string) ([]netip.Addr, error)) func(ctx context.Context, network, address string) (net.Conn, error) {
	return (&dialer{lookup: lookup}).dial
}

// dialer connects to hosts that strangers name.
type dialer struct {
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	net    net.Dialer
}

// dial connects to the first address that answers. What is on this machine or this
// link is nobody's to reach by a record of his own.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs, err := d.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("%s has no address that can be reached", host)
	for _, a := range addrs {
		a = a.Unmap()
		if a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast() || a.IsMulticast() {
			continue
		}
		nc, failed := d.net.DialContext(ctx, network, net.JoinHostPort(a.String(), port))
		if failed == nil {
			return nc, nil
		}
		err = failed
	}
	return nil, err
}

// IsCertificateError tells whether a policy could not be fetched because of the
// certificate of its server.
func IsCertificateError(err error) bool {
	var e *tls.CertificateVerificationError
	return errors.As(err, &e)
}
