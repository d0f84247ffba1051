package dns

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// authority is a server on loopback, by UDP and TCP, that a test scripts.
type authority struct {
	address netip.AddrPort

	mu     sync.Mutex
	asked  []string // "UDP MX example.org."
	answer func(w dns.ResponseWriter, m *dns.Msg, network string)
}

// serve starts a server.
func serve(t *testing.T, answer func(w dns.ResponseWriter, m *dns.Msg, network string)) *authority {
	t.Helper()
	pc, l := listen(t)
	a := &authority{address: netip.MustParseAddrPort(pc.LocalAddr().String()), answer: answer}
	for _, s := range []*dns.Server{
		{PacketConn: pc, Handler: a.handler("UDP")},
		{Listener: l, Handler: a.handler("TCP")},
	} {
		started, ended := make(chan struct{}), make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() {
			defer close(ended)
			if err := s.ActivateAndServe(); err != nil {
				t.Errorf("the DNS server: %v", err)
			}
		}()
		<-started
		t.Cleanup(func() {
			s.Shutdown()
			<-ended
		})
	}
	return a
}

// listen opens a port that is free for both.
func listen(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if pc, err := net.ListenPacket("udp", l.Addr().String()); err == nil {
			return pc, l
		}
		l.Close()
	}
	t.Fatal("no port is free for UDP and TCP")
	return nil, nil
}

func (a *authority) handler(network string) dns.HandlerFunc {
	return func(w dns.ResponseWriter, m *dns.Msg) {
		q := m.Question[0]
		a.mu.Lock()
		a.asked = append(a.asked, network+" "+dns.TypeToString[q.Qtype]+" "+q.Name)
		answer := a.answer
		a.mu.Unlock()
		answer(w, m, network)
	}
}

// questions returns what was asked so far.
func (a *authority) questions() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.asked...)
}

// zone answers from the lines of a zone, as a resolver does that follows
// aliases itself. A name with a record exists; the SOA record tells of nothing.
func zone(t *testing.T, soa string, lines ...string) func(w dns.ResponseWriter, m *dns.Msg, network string) {
	t.Helper()
	var records []dns.RR
	for _, line := range lines {
		records = append(records, record(t, line))
	}
	return func(w dns.ResponseWriter, m *dns.Msg, _ string) {
		r := new(dns.Msg)
		r.SetReply(m)
		r.RecursionAvailable = true
		r.Rcode = dns.RcodeNameError
		name := m.Question[0].Name
		for again := true; again; {
			again = false
			for _, rr := range records {
				h := rr.Header()
				if !strings.EqualFold(h.Name, name) {
					continue
				}
				r.Rcode = dns.RcodeSuccess
				if h.Rrtype == m.Question[0].Qtype {
					r.Answer = append(r.Answer, rr)
				}
				if c, ok := rr.(*dns.CNAME); ok && len(r.Answer) < 50 {
					r.Answer = append(r.Answer, rr)
					r.Rcode = dns.RcodeNameError
					name, again = c.Target, true
					break
				}
			}
		}
		if soa != "" {
			r.Ns = append(r.Ns, record(t, soa))
		}
		w.WriteMsg(r)
	}
}

func record(t *testing.T, line string) dns.RR {
	rr, err := dns.NewRR(line)
	if err != nil {
		t.Errorf("%s: %v", line, err)
	}
	return rr
}

// code answers with a code alone.
func code(rcode int) func(w dns.ResponseWriter, m *dns.Msg, network string) {
	return func(w dns.ResponseWriter, m *dns.Msg, _ string) {
		r := new(dns.Msg)
		r.SetRcode(m, rcode)
		w.WriteMsg(r)
	}
}

// silent answers nothing.
func silent(dns.ResponseWriter, *dns.Msg, string) {}

// clock is a clock that a test winds.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) wind(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// resolver returns one that asks servers and knows no names of its own. It
// waits for long, so that only a test of silence has to.
func resolver(t *testing.T, servers ...*authority) (*Resolver, *clock) {
	t.Helper()
	return resolverWith(t, Options{}, servers...)
}

func resolverWith(t *testing.T, o Options, servers ...*authority) (*Resolver, *clock) {
	t.Helper()
	c := &clock{now: time.Unix(1e9, 0)}
	o.Now = c.read
	if o.Hosts == "" {
		o.Hosts = filepath.Join(t.TempDir(), "none")
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	for _, s := range servers {
		o.Servers = append(o.Servers, s.address)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r, c
}

// file writes a file of the system.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
