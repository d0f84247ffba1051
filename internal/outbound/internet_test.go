package outbound

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/smtptest"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "the one world to run; 0 runs -worlds of them")
	worldFlag = flag.Int("worlds", 10, "how many worlds are run")
)

// internet is a directory of domains with the receivers that they name.
type internet struct {
	t     *testing.T
	began time.Time
	group sync.WaitGroup

	mu        sync.Mutex
	mx        map[string][]dns.MX
	addrs     map[string]netip.Addr
	receivers map[netip.Addr]*receiver
	arrived   map[string]*arrival // by message and recipient
	notices   map[string][]string // by the message that they tell of, those of failures
	next      int                 // of the addresses
}

// arrival is what receivers took for one recipient of one message.
type arrival struct {
	times  int
	unsure int // of those, whose reply may not have been heard
	first  time.Time
	by     []string
}

func newInternet(t *testing.T) *internet {
	return &internet{
		t: t, began: time.Now(), mx: map[string][]dns.MX{}, addrs: map[string]netip.Addr{},
		receivers: map[netip.Addr]*receiver{}, arrived: map[string]*arrival{}, notices: map[string][]string{},
	}
}

// age is how long the world exists.
func (n *internet) age() time.Duration { return time.Since(n.began) }

// host makes a receiver with an address of its own.
func (n *internet) host(name string, seed uint64) *receiver {
	n.next++
	addr := netip.AddrFrom4([4]byte{192, 0, byte(2 + n.next/250), byte(1 + n.next%250)})
	r := &receiver{net: n, name: name, random: rand.New(rand.NewPCG(seed, uint64(n.next))), grey: map[string]time.Time{}}
	r.trait.pipelining = true
	n.addrs[name], n.receivers[addr] = addr, r
	return r
}

// domain lets hosts take the mail of a domain, each with a preference of its own.
func (n *internet) domain(name string, hosts ...*receiver) {
	for i, h := range hosts {
		n.mx[name] = append(n.mx[name], dns.MX{Host: h.name, Preference: uint16(10 * (i + 1))})
	}
}

// LookupMX makes the internet a route.Resolver.
func (n *internet) LookupMX(_ context.Context, domain string) ([]dns.MX, time.Duration, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mx[domain] == nil {
		return nil, 0, &dns.Error{Name: domain, Type: "MX", Err: dns.ErrNotFound}
	}
	return slices.Clone(n.mx[domain]), 10 * time.Minute, nil
}

// LookupAddr makes the internet a route.Resolver.
func (n *internet) LookupAddr(_ context.Context, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, ok := n.addrs[host]
	if !ok {
		return nil, &dns.Error{Name: host, Type: "A", Err: dns.ErrNotFound}
	}
	return []netip.Addr{a}, nil
}

func (n *internet) dial(_ context.Context, _, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	r := n.receivers[to.Addr()]
	n.mu.Unlock()
	if r == nil {
		return nil, errRefused
	}
	return r.dial()
}

// taken writes down that a receiver took a message. The function that it returns
// tells that the sender may not know.
func (n *internet) taken(r *receiver, id string, to []string, content string) (unsure func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if original := field(content, "X-Message"); strings.Contains(content, "Action: failed") {
		n.notices[original] = append(n.notices[original], content)
	}
	var marks []*arrival
	for _, address := range to {
		a := n.arrived[id+" "+address]
		if a == nil {
			a = &arrival{first: time.Now()}
			n.arrived[id+" "+address] = a
		}
		a.times++
		a.by = append(a.by, fmt.Sprintf("%s after %v", r.name, n.age().Round(time.Second)))
		marks = append(marks, a)
	}
	told := false
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, a := range marks {
			if !told {
				a.unsure++
			}
		}
		told = true
	}
}

// field returns the value of a header field, wherever it stands in a text.
func field(text, name string) string {
	_, rest, _ := strings.Cut(text, name+": ")
	value, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(value)
}

// storm returns the most connections that one host saw within a minute, and which.
func (n *internet) storm() (most int, name string) {
	for _, r := range n.receivers {
		r.mu.Lock()
		for i, from := 0, 0; i < len(r.opened); i++ {
			for r.opened[i].Sub(r.opened[from]) >= time.Minute {
				from++
			}
			if i-from+1 > most {
				most, name = i-from+1, r.name
			}
		}
		r.mu.Unlock()
	}
	return most, name
}

// scripted is a room in an internet, with what is expected of each recipient.
type scripted struct {
	*world
	net     *internet
	drawing sync.Mutex
	random  *rand.Rand // guarded by drawing
	ca      *smtptest.CA
	cert    tls.Certificate
	wishes  []wish
	sent    map[mail.ID]string
}

// wish is what has to become of a recipient.
type wish struct {
	id        mail.ID
	message   string
	recipient int
	address   string
	want      fateOf
}

// fateOf is an end that mail may have.
type fateOf struct {
	state  mail.State
	reason string        // of a failure
	by     time.Duration // since the world began, of a delivery
}

// newScripted makes a world of a seed, without domains but the senders'.
func newScripted(t *testing.T, seed uint64, change func(*Options)) *scripted {
	n := newInternet(t)
	s := &scripted{net: n, random: rand.New(rand.NewPCG(seed, 1)), ca: smtptest.NewCA(t), sent: map[mail.ID]string{}}
	table := route.New(route.Options{Direct: true, TLS: route.TLSOpportunistic, Resolver: n, Hostname: "relay.example.com", Random: s.float})
	s.world = newWorld(t, func(o *Options) {
		o.Router = table
		o.Attempt.Dial = n.dial
		o.Random = s.float
		o.Timetable.First = 5 * time.Minute
		if change != nil {
			change(o)
		}
	})
	s.cert = s.ca.Issue("mx.example.net")
	n.domain("example.org", n.host("mx.example.org", seed)) // the senders'
	return s
}

func (s *scripted) float() float64 {
	s.drawing.Lock()
	defer s.drawing.Unlock()
	return s.random.Float64()
}

// send sends a message to recipients of the given domains, and wishes.
func (s *scripted) send(wishes ...wish) {
	name := fmt.Sprintf("m%d", len(s.sent))
	e := s.envelope("alice@example.org", addressesOf(wishes)...)
	s.sent[e.ID] = name
	content := fmt.Sprintf("X-Message: %s\r\nMessage-ID: <%s@example.org>\r\nSubject: Lunch\r\n\r\nAt noon?\r\n", name, name)
	if err := s.spool.Put(s.t.Context(), e, strings.NewReader(content)); err != nil {
		s.t.Fatal(err)
	}
	for i, w := range wishes {
		w.id, w.message, w.recipient = e.ID, name, i
		s.wishes = append(s.wishes, w)
	}
}

func addressesOf(wishes []wish) (addresses []string) {
	for _, w := range wishes {
		addresses = append(addresses, w.address)
	}
	return addresses
}

// end stops the room, and waits for the receivers.
func (s *scripted) end() {
	s.stopped()
	s.net.group.Wait()
}

// check compares what became of the mail with what was wished.
func (s *scripted) check() {
	for _, w := range s.wishes {
		p := s.progress(w.id, w.recipient)
		a := s.net.arrived[w.message+" "+w.address]
		if a == nil {
			a = &arrival{}
		}
		story := fmt.Sprintf("%s to %s: %v after %d attempts, last at %v by %s at %v: %v %q (%s); arrived %d times, %d unsure: %v", w.message, w.address, p.State,
			p.Attempts, p.Last.At.Sub(s.net.began).Round(time.Second), p.Last.Host, p.Last.Stage, p.Last.Reply, p.Last.Problem, p.Last.Reason, a.times, a.unsure, a.by)
		switch {
		case p.State != w.want.state:
			s.t.Errorf("%s; want %v", story, w.want.state)
		case w.want.state != mail.Relayed:
			if p.Last.Reason != w.want.reason {
				s.t.Errorf("%s; the reason should be %s", story, w.want.reason)
			}
			if a.times > 0 {
				s.t.Errorf("%s; it was told as failed and had arrived", story)
			}
			if !s.toldOf(w) {
				s.t.Errorf("%s; the sender was not told once: %d notices", story, len(s.net.notices[w.message]))
			}
		case a.times == 0:
			s.t.Errorf("%s; it is lost", story)
		case a.times-1 > a.unsure:
			s.t.Errorf("%s; it came twice without need", story)
		case a.first.Sub(s.net.began) > w.want.by:
			s.t.Errorf("%s; it should have arrived by %v, and did after %v", story, w.want.by, a.first.Sub(s.net.began))
		}
	}
}

// toldOf tells whether exactly one notice names the recipient.
func (s *scripted) toldOf(w wish) bool {
	n := 0
	for _, notice := range s.net.notices[w.message] {
		n += strings.Count(notice, "Final-Recipient: rfc822; "+w.address)
	}
	return n == 1
}

// inWorlds runs a test in worlds of different seeds.
func inWorlds(t *testing.T, run func(t *testing.T, seed uint64)) {
	first, last := uint64(1), uint64(*worldFlag)
	if *seedFlag != 0 {
		first, last = *seedFlag, *seedFlag
	}
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("to repeat it: go test ./internal/outbound -run '%s' -seed %d", strings.SplitN(t.Name(), "/", 2)[0], seed)
				}
			})
			synctest.Test(t, func(t *testing.T) { run(t, seed) })
		})
	}
}
