package test

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// names is a resolver on loopback that answers from the lines of a zone, and says
// of all answers that signatures prove them, but for those of unsigned names.
type names struct {
	address  string
	unsigned string // the domain of what is not signed
	broken   string // a name that nobody can look up

	mu      sync.Mutex
	records []dns.RR
}

// startNames starts it.
func startNames(t testing.TB, n *names, lines ...string) *names {
	t.Helper()
	for _, line := range lines {
		n.add(t, line)
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.address = pc.LocalAddr().String()
	s := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(n.answer)}
	ended := make(chan error, 1)
	started := make(chan struct{})
	s.NotifyStartedFunc = func() { close(started) }
	go func() { ended <- s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		s.Shutdown()
		if err := <-ended; err != nil {
			t.Errorf("the DNS server: %v", err)
		}
	})
	return n
}

func (n *names) add(t testing.TB, line string) {
	t.Helper()
	rr, err := dns.NewRR(line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.records = append(n.records, rr)
}

func (n *names) answer(w dns.ResponseWriter, m *dns.Msg) {
	n.mu.Lock()
	defer n.mu.Unlock()
	q := m.Question[0]
	r := new(dns.Msg)
	r.SetReply(m)
	r.RecursionAvailable = true
	r.AuthenticatedData = m.AuthenticatedData && (n.unsigned == "" || !dns.IsSubDomain(n.unsigned, q.Name))
	r.Rcode = dns.RcodeNameError
	for _, rr := range n.records {
		if !strings.EqualFold(rr.Header().Name, q.Name) {
			continue
		}
		r.Rcode = dns.RcodeSuccess
		if rr.Header().Rrtype == q.Qtype {
			r.Answer = append(r.Answer, rr)
		}
	}
	if strings.EqualFold(n.broken, q.Name) {
		r.Answer, r.Rcode, r.AuthenticatedData = nil, dns.RcodeServerFailure, false
	}
	w.WriteMsg(r)
}
