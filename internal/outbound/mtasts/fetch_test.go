package mtasts

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// policyServer serves policies by HTTPS for the names of the certificate of
// package httptest, which is for example.com and *.example.com.
func policyServer(t *testing.T, handler http.HandlerFunc) func(ctx context.Context, domain string) ([]byte, error) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return Fetcher(FetchOptions{
		Roots: roots,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if !strings.HasPrefix(address, "mta-sts.") || !strings.HasSuffix(address, ":443") {
				t.Errorf("a connection to %s", address)
			}
			return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
		},
	})
}

func TestFetch(t *testing.T) {
	const policy = "version: STSv1\n"
	fetch := policyServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/mta-sts.txt" || r.Host != "mta-sts.example.com" || r.Method != http.MethodGet {
			t.Errorf("%s %s of %s", r.Method, r.URL, r.Host)
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte(policy))
	})
	if got, err := fetch(t.Context(), "example.com"); err != nil || string(got) != policy {
		t.Errorf("%q, %v", got, err)
	}
	_, err := fetch(t.Context(), "example.org") // the certificate is for another name
	if !IsCertificateError(err) {
		t.Errorf("a certificate for another name: %v", err)
	}
}

func TestFetchTakesNothingElse(t *testing.T) {
	plain := func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/plain") }
	for name, handler := range map[string]http.HandlerFunc{
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/.well-known/mta-sts.txt" {
				t.Errorf("the redirect was followed")
			}
			plain(w)
			http.Redirect(w, r, "/elsewhere", http.StatusMovedPermanently)
		},
		"not found": func(w http.ResponseWriter, _ *http.Request) { plain(w); w.WriteHeader(http.StatusNotFound) },
		"partial":   func(w http.ResponseWriter, _ *http.Request) { plain(w); w.WriteHeader(http.StatusNoContent) },
		"html": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte("version: STSv1\n"))
		},
		"many headers": func(w http.ResponseWriter, _ *http.Request) {
			plain(w)
			w.Header().Set("X", strings.Repeat("x", 2*maxHeaders))
		},
	} {
		if got, err := policyServer(t, handler)(t.Context(), "example.com"); err == nil {
			t.Errorf("%s: %q, want an error", name, got)
		} else if IsCertificateError(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFetchIsBounded(t *testing.T) {
	fetch := policyServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		block := make([]byte, 1<<10)
		for range 10 << 10 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	text, err := fetch(t.Context(), "example.com")
	if err != nil || len(text) != maxPolicy+1 {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	if _, err := ParsePolicy(text); err == nil {
		t.Error("a policy without end is taken")
	}
}

// Nobody makes the relay speak to its own machine or link by a record of his own.
func TestFetchLeavesThisMachineAlone(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "169.254.169.254", "fe80::1", "224.0.0.1"} {
		d := dialer{lookup: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(address)}, nil
		}}
		if nc, err := d.dial(t.Context(), "tcp", "mta-sts.example.org:443"); err == nil {
			nc.Close()
			t.Errorf("%s was connected to", address)
		} else if !strings.Contains(err.Error(), "no address that can be reached") {
			t.Errorf("%s: %v", address, err)
		}
	}
	lost := errors.New("lost")
	d := dialer{lookup: func(context.Context, string) ([]netip.Addr, error) { return nil, lost }}
	if _, err := d.dial(t.Context(), "tcp", "mta-sts.example.org:443"); !errors.Is(err, lost) {
		t.Errorf("%v, want the error of the DNS", err)
	}
}
