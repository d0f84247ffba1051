package test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/relay"
	"github.com/weirmail/weir/smtpserver"
	"github.com/weirmail/weir/smtptest"
)

// policyDomain is example.net: a host, a zone, and a server with an MTA-STS policy.
type policyDomain struct {
	*nextHop
	names *names
	ca    *smtptest.CA
	dial  func(ctx context.Context, network, address string) (net.Conn, error)

	mu     sync.Mutex
	policy string
}

// startPolicyDomain starts it. The certificate is for the name, none where it is
// empty.
func startPolicyDomain(t testing.TB, certificate, policy string) *policyDomain {
	t.Helper()
	d := &policyDomain{ca: smtptest.NewCA(t), policy: policy}
	d.nextHop = startNextHop(t, func(s *smtpserver.Server) {
		s.Offers.RequireTLS = true
		switch certificate {
		case "":
		case "expired":
			s.TLS = &tls.Config{Certificates: []tls.Certificate{d.ca.IssueExpired("mx.example.net")}}
		default:
			s.TLS = d.ca.ServerConfig(certificate)
		}
	})
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, d.policy)
	}))
	web.TLS = d.ca.ServerConfig("mta-sts.example.net")
	web.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	web.StartTLS()
	t.Cleanup(web.Close)
	d.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != "mta-sts.example.net:443" {
			return nil, fmt.Errorf("there is no %s", address)
		}
		return new(net.Dialer).DialContext(ctx, network, web.Listener.Addr().String())
	}
	d.names = startNames(t, &names{unsigned: "."},
		"example.net. 60 IN MX 10 mx.example.net.", "mx.example.net. 60 IN A 127.0.0.1",
		`_mta-sts.example.net. 60 IN TXT "v=STSv1; id=1;"`)
	return d
}

// within is a relay that runs in this process.
type within struct {
	address, socket string
	stop            func()
}

// startWithin runs a relay to a domain in this process, so that the server of its
// policy can be where it is.
func startWithin(t testing.TB, dir string, d *policyDomain) *within {
	t.Helper()
	_, port, err := net.SplitHostPort(d.address)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(dir, "ca.pem")
	write(t, ca, d.ca.PEM())
	path := writeConfiguration(t, dir, fmt.Sprintf("next_hop = \"smtp+mx://example.net:%s\"\n[dns]\nservers = [%q]\n[delivery]\ntls_ca = %q\n[admission]\nmode = \"observe\"\n",
		port, d.names.address, ca))
	cfg, _, err := config.Load(config.Source{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan relay.Addresses, 1), make(chan error, 1)
	go func() {
		ended <- relay.Run(ctx, cfg, relay.Options{
			Logger: slog.New(slog.DiscardHandler), DialPolicy: d.dial,
			Ready: func(a relay.Addresses) { ready <- a },
		})
	}()
	w := &within{socket: cfg.Admin.Socket}
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the relay: %v", err)
		}
	})
	select {
	case a := <-ready:
		w.address = a.Mail[0].Address.String()
	case err := <-ended:
		cancel()
		t.Fatalf("the relay did not start: %v", err)
	}
	t.Cleanup(w.stop)
	return w
}

func (w *within) send(t testing.TB, head string) {
	t.Helper()
	sendByClient(t, w.address, &sample{name: "secret", content: []byte(head + header("secret", "") + "x\r\n")}, "")
}

// last returns why the first message that waits does.
func (w *within) last(t testing.TB) (problem string) {
	t.Helper()
	client := api.New(w.socket)
	defer client.Close()
	until(t, "the attempt in the queue", func() bool {
		for m, err := range client.Messages(t.Context(), api.Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			full, err := client.Get(t.Context(), m.ID)
			if err == nil && len(full.Recipients) > 0 && full.Recipients[0].Last != nil {
				problem = full.Recipients[0].Last.Problem
				return true
			}
		}
		return false
	})
	return problem
}

func policyText(mode, mx string) string {
	return "version: STSv1\r\nmode: " + mode + "\r\nmx: " + mx + "\r\nmax_age: 604800\r\n"
}

func TestMTASTSPoliciesDecideWhoGetsMail(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		certificate, policy string
		problem             string // why mail waits; none where it arrives
	}{
		"the host that it names":     {"mx.example.net", policyText("enforce", "*.example.net"), ""},
		"another host":               {"mx.example.net", policyText("enforce", "other.example.net"), "the MTA-STS policy of example.net does not name it"},
		"no STARTTLS":                {"", policyText("enforce", "mx.example.net"), "mx.example.net does not offer STARTTLS; the MTA-STS policy of example.net asks for more"},
		"a certificate that expired": {"expired", policyText("enforce", "mx.example.net"), "mx.example.net shows a certificate that is valid from "},
		"a certificate of another":   {"other.test", policyText("enforce", "mx.example.net"), "mx.example.net shows a certificate for other.test"},
		"testing":                    {"other.test", policyText("testing", "other.example.net"), ""},
		"none":                       {"", policyText("none", "other.example.net"), ""},
		"a policy that is none":      {"other.test", "<html>", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startPolicyDomain(t, test.certificate, test.policy)
			w := startWithin(t, folder(t), d)
			w.send(t, "")
			if test.problem == "" {
				d.await(t, 1)
				return
			}
			if got := w.last(t); !strings.Contains(got, test.problem) {
				t.Errorf("the message waits because %q, want %q", got, test.problem)
			}
			if n := len(d.got()); n != 0 {
				t.Fatalf("%d messages were handed over", n)
			}
			w.send(t, "TLS-Required: No\r\n") // RFC 8689 section 5
			if a := d.await(t, 1); !strings.Contains(string(a[0].content), "TLS-Required: No\r\n") {
				t.Errorf("the wrong message arrived: %s", a[0].content)
			}
		})
	}
}

// A policy that was seen once holds, though its record and its server disappear and
// the relay is started anew.
func TestAnMTASTSPolicySurvivesARestart(t *testing.T) {
	t.Parallel()
	d := startPolicyDomain(t, "other.test", policyText("enforce", "mx.example.net"))
	dir := folder(t)
	w := startWithin(t, dir, d)
	w.send(t, "")
	w.last(t)
	w.stop()
	d.mu.Lock()
	d.policy = "gone"
	d.mu.Unlock()
	d.names.mu.Lock()
	d.names.records = d.names.records[:2] // no record any more
	d.names.mu.Unlock()
	w = startWithin(t, dir, d)
	client := api.New(w.socket)
	defer client.Close()
	r, err := client.Route(t.Context(), "", "anybody@example.org")
	if err != nil || r.MTASTS == nil || r.MTASTS.Mode != "enforce" || len(r.Hosts) != 1 || r.Hosts[0].TLS.Source != "MTA-STS" {
		t.Errorf("%+v, %v", r, err)
	}
	if n := len(d.got()); n != 0 {
		t.Errorf("%d messages were handed over", n)
	}
}
