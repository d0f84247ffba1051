package outbound

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/mail"
)

// passing are faults that pass, by where they strike. Mail that meets them arrives
// once they are over.
var passing = map[point][]string{
	"dial": {"refused", "silence"},
	"greeting": {
		"421 4.3.2 too busy", "421 4.7.0 Too many connections", "421 try again in 10 minutes", "450 4.7.0 later", "reset", "close", "silence",
		"hello there", "220-a\n221 b", "354 go on", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
		"554 5.3.2 too busy", "550 5.7.25 no PTR record for 192.0.2.1", "554 5.7.1 poor reputation",
	},
	"ehlo": {
		"421 4.3.2 shutting down", "451 4.3.0 internal error", "450 later", "reset", "close", "silence", "250-a\n251 b", "hello", "354 what",
		"550 5.7.1 HELO name invalid", "503 5.5.1 no", "501 5.5.4 no", endlessReply(),
	},
	"mail": {
		"421 4.3.2 shutting down", "421 4.7.0 slow down", "451 4.3.0 internal error", "452 4.3.1 Insufficient system storage", "450 4.7.1 later", "432 4.7.12 no",
		"503 5.5.1 EHLO first", "530 5.7.0 Must issue a STARTTLS command first", "530 5.7.0 Authentication required", "502 5.5.1 no", "500 5.5.1 what",
		"554 5.7.0 too many errors", "550 5.7.0 too many connections from you", "reset", "close", "silence", "354 go on", "nonsense", "499 odd",
	},
	"rcpt": {
		"421 4.3.2 shutting down", "450 4.2.1 mailbox busy", "451 4.3.0 internal error", "452 4.3.1 full disk", "451 4.7.1 Greylisted, try again in 120 seconds",
		"504 5.5.2 <relay>: Helo command rejected: need fully-qualified hostname", "503 5.5.1 MAIL first", "450 4.1.1 unverified address: Address verification in progress",
		"reset", "close", "silence", "450-4.2.0 a\n450 4.2.0 try again in 00:03:00", "452 4.5.3 Too many recipients", "455 4.5.4 no",
	},
	"data":          {"421 4.3.2 shutting down", "451 4.3.0 internal error", "503 5.5.1 RCPT first", "reset", "close", "silence", "250 ok"},
	"content start": {"reset", "close", "silence"},
	"content":       {"421 4.3.2 shutting down", "451 4.3.0 internal error", "451 4.7.1 Greylisted", "452 4.3.1 full disk", "reset", "close", "silence", "354 go on"},
	"take":          {"reset", "close", "421 4.3.2 shutting down", "451 4.3.0 I do not know", "silence"},
	"mail async":    {"async"},
	"rcpt async":    {"async"},
	"content async": {"async"},
	"starttls":      {"454 4.7.0 TLS not available", "502 5.5.1 no", "421 4.3.2 shutting down", "reset", "silence"},
	"handshake":     {"reset", "220 no", "silence"},
	"inject":        {"inject"},
}

func endlessReply() string {
	return strings.TrimSpace(strings.Repeat("250-X-NONSENSE and so on\n", 20_000))
}

// draw is the seed's randomness while a world is made.
type draw struct{ *rand.Rand }

func (d draw) of(texts []string) string { return texts[d.IntN(len(texts))] }

func (d draw) between(least, most time.Duration) time.Duration {
	return least + time.Duration(d.Int64N(int64(most-least)))
}

// lateness is how long after its end a fault may still be felt: the waits have
// grown, and the longest is the timetable's.
const lateness = 5 * time.Hour

// trouble makes the hosts of a domain, and returns by when mail for it arrives.
type trouble func(s *scripted, d draw, domain string, seed uint64) time.Duration

// oneBadHost is a single host with a fault that passes.
func oneBadHost(s *scripted, d draw, domain string, seed uint64) time.Duration {
	h := s.net.host("mx."+domain, seed)
	h.trait = someTraits(d)
	f := s.fault(d, h)
	s.net.domain(domain, h)
	return f.until + lateness
}

// aGoodHostBehind is a host with a fault before the content, and one without: no mail
// has to wait.
func aGoodHostBehind(s *scripted, d draw, domain string, seed uint64) time.Duration {
	bad, good := s.net.host("mx1."+domain, seed), s.net.host("mx2."+domain, seed)
	at := point(d.of([]string{"dial", "greeting", "ehlo"}))
	bad.faults = []*fault{{at: at, do: d.of(passing[at]), until: 100 * time.Hour}}
	s.net.domain(domain, bad, good)
	return 4 * time.Hour // of messages that come in the first three; a silent host takes minutes
}

// aFullHost cannot take mail, and says so only when it is spoken of. The next can.
func aFullHost(s *scripted, d draw, domain string, seed uint64) time.Duration {
	bad, good := s.net.host("mx1."+domain, seed), s.net.host("mx2."+domain, seed)
	at := point(d.of([]string{"mail", "rcpt", "data", "content"}))
	do := d.of([]string{"452 4.3.1 full disk", "421 4.3.2 shutting down", "451 4.3.0 internal error", "reset"})
	bad.faults = []*fault{{at: at, do: do, until: 100 * time.Hour}}
	s.net.domain(domain, bad, good)
	return 4 * time.Hour
}

// halfDead is a domain of which every second host is dead for good.
func halfDead(s *scripted, d draw, domain string, seed uint64) time.Duration {
	var hosts []*receiver
	for i := range 4 {
		h := s.net.host(fmt.Sprintf("mx%d.%s", i, domain), seed)
		if i%2 == 0 {
			h.faults = []*fault{{at: "dial", do: d.of(passing["dial"]), until: 1000 * time.Hour}}
		}
		hosts = append(hosts, h)
	}
	s.net.domain(domain, hosts...)
	return 4 * time.Hour
}

// limited is a host with limits, and nothing wrong.
func limited(s *scripted, d draw, domain string, seed uint64) time.Duration {
	h := s.net.host("mx."+domain, seed)
	h.trait = someTraits(d)
	switch d.IntN(5) {
	case 0:
		h.trait.connections = 1 + d.IntN(3)
	case 1:
		h.trait.rate = 2 + d.IntN(5)
	case 2:
		h.trait.greylist, h.trait.greyByAddress = 290*time.Second, d.IntN(2) == 0
	case 3:
		h.trait.sessionMax = 1 + d.IntN(3)
	default:
		h.trait.slow = d.between(time.Second, 20*time.Second)
	}
	s.net.domain(domain, h)
	return 3*time.Hour + lateness
}

// odd is a host that does not know everything that it should.
func odd(s *scripted, d draw, domain string, seed uint64) time.Duration {
	h := s.net.host("mx."+domain, seed)
	h.trait = someTraits(d)
	switch d.IntN(3) {
	case 0:
		h.trait.helo = d.of([]string{"500 5.5.1 what?", "502 5.5.1 not implemented", "504 5.5.4 no"})
	case 1:
		h.trait.size, h.trait.dsn = true, true
		h.trait.refuses = d.of([]string{"555 5.5.4 unsupported parameter", "504 5.5.4 not implemented", "501 5.5.4 unknown option", "455 4.5.4 not now", "503 5.5.4 bad", "500 5.5.4 bad"})
	default:
		h.trait.rcptMax = 1 + d.IntN(2)
		h.trait.rcptFull = d.of([]string{"452 4.5.3 Too many recipients", "552 5.5.3 Too many recipients", "452 enough", "451 4.5.3 no more"})
	}
	s.net.domain(domain, h)
	return 4 * time.Hour
}

// unsafeTLS is a host whose encryption fails, for now or for ever; mail is sent
// without where the policy is opportunistic.
func unsafeTLS(s *scripted, d draw, domain string, seed uint64) time.Duration {
	h := s.net.host("mx."+domain, seed)
	h.cert = &s.cert
	at := point(d.of([]string{"starttls", "handshake", "inject"}))
	h.faults = []*fault{{at: at, do: d.of(passing[at]), until: d.between(time.Hour, 4*time.Hour)}}
	s.net.domain(domain, h)
	return h.faults[0].until + lateness
}

var troubles = []trouble{oneBadHost, oneBadHost, oneBadHost, aGoodHostBehind, aFullHost, halfDead, limited, odd, unsafeTLS}

func someTraits(d draw) traits {
	return traits{pipelining: d.IntN(4) > 0, chunking: d.IntN(2) == 0, dsn: d.IntN(2) == 0, size: d.IntN(2) == 0}
}

// fault gives a host a fault that passes.
func (s *scripted) fault(d draw, h *receiver) *fault {
	at := point(d.of([]string{
		"dial", "greeting", "greeting", "ehlo", "mail", "mail", "rcpt", "rcpt", "data", "content start", "content", "take", "mail async", "rcpt async", "content async", "cut",
	}))
	f := &fault{at: at, until: d.between(10*time.Minute, 10*time.Hour)}
	if at == "cut" {
		f.cut = 1 + d.IntN(400)
	} else {
		f.do = d.of(passing[at])
	}
	if d.IntN(3) == 0 {
		f.share = 0.2 + 0.6*d.Float64()
	}
	if f.do == "silence" {
		f.until = min(f.until, 3*time.Hour)
	}
	h.faults = []*fault{f}
	return f
}

// hopeless are domains that never take mail, with the end that it has.
func (s *scripted) hopeless(d draw, seed uint64) map[string]fateOf {
	s.net.mx["null.example"] = []dns.MX{{Host: ""}}
	var no []*receiver
	for i := range 2 {
		h := s.net.host(fmt.Sprintf("mx%d.no.example", i), seed)
		h.faults = []*fault{{at: "greeting", do: d.of([]string{"521 Server does not accept mail", "554 No SMTP service here"}), until: 1000 * time.Hour}}
		no = append(no, h)
	}
	s.net.domain("no.example", no...)
	dead := s.net.host("mx.dead.example", seed)
	dead.faults = []*fault{{at: "dial", do: "refused", until: 1000 * time.Hour}}
	s.net.domain("dead.example", dead)
	return map[string]fateOf{
		"null.example": {state: mail.Failed, reason: "domain-no-mail"},
		"gone.example": {state: mail.Failed, reason: "domain-not-found"},
		"no.example":   {state: mail.Failed, reason: "domain-no-mail"},
		"dead.example": {state: mail.Expired, reason: "network"},
	}
}

// Worlds full of trouble: what can be delivered is, nothing is lost, nothing comes
// twice that did not have to, nothing goes back that a retry would have cured, and
// what goes back says why.
func TestMailThatCanBeDeliveredIsDelivered(t *testing.T) {
	inWorlds(t, func(t *testing.T, seed uint64) {
		s := newScripted(t, seed, nil)
		d := draw{rand.New(rand.NewPCG(seed, 2))}
		fates := s.hopeless(d, seed)
		var domains []string
		for name := range fates {
			domains = append(domains, name)
		}
		slices.Sort(domains)
		for i := range 16 {
			name := fmt.Sprintf("d%d.example", i)
			by := troubles[d.IntN(len(troubles))](s, d, name, seed)
			fates[name] = fateOf{state: mail.Relayed, by: by}
			domains = append(domains, name)
		}
		s.start()
		for range 60 {
			s.send(someWishes(d, domains, fates)...)
			time.Sleep(d.between(time.Second, 5*time.Minute)) // virtual
		}
		time.Sleep(6 * 24 * time.Hour)
		s.end()
		s.check()
		if most, name := s.net.storm(); most > stormLimit {
			t.Errorf("%s saw %d connections within a minute", name, most)
		}
		if t.Failed() {
			t.Logf("the receivers:\n%s", s.net)
		}
	})
}

// stormLimit is how many connections one host may see within a minute.
const stormLimit = 60

func someWishes(d draw, domains []string, fates map[string]fateOf) (wishes []wish) {
	for i := range 1 + d.IntN(6) {
		domain := domains[d.IntN(len(domains))]
		w := wish{address: fmt.Sprintf("bob%d@%s", i, domain), want: fates[domain]}
		if w.want.state == mail.Relayed {
			switch d.IntN(12) {
			case 0:
				w.address = fmt.Sprintf("nobody%d@%s", i, domain)
				w.want = fateOf{state: mail.Failed, reason: "mailbox-unknown"}
			case 1:
				w.address = fmt.Sprintf("full%d@%s", i, domain)
				w.want = fateOf{state: mail.Expired, reason: "mailbox-full"}
			}
		}
		wishes = append(wishes, w)
	}
	return wishes
}

// A connection is reset at each octet of a dialogue, to the client and from it: the
// mail comes once, or twice where nobody could know, and who is refused is told once.
func TestAConnectionThatBreaksAtAnyOctet(t *testing.T) {
	for name, traits := range map[string]traits{"command by command": {}, "all at once": {pipelining: true, chunking: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScripted(t, 1, nil)
				const dialogue = 350 // longer than either side of it
				for i := 1; i <= dialogue; i++ {
					for _, at := range []point{"cut", "cut in"} {
						domain := fmt.Sprintf("%s%03d.example", strings.ReplaceAll(string(at), " ", "-"), i)
						h := s.net.host("mx."+domain, 1)
						h.trait = traits
						h.faults = []*fault{{at: at, cut: i, once: true, until: time.Hour}}
						s.net.domain(domain, h)
					}
				}
				s.start()
				arrives, failed := fateOf{state: mail.Relayed, by: time.Hour}, fateOf{state: mail.Failed, reason: "mailbox-unknown"}
				for domain := range s.net.mx {
					if domain != "example.org" {
						s.send(wish{address: "bob@" + domain, want: arrives}, wish{address: "nobody@" + domain, want: failed}, wish{address: "eve@" + domain, want: arrives})
					}
				}
				time.Sleep(6 * time.Hour)
				s.end()
				s.check()
				unsure := 0
				for _, a := range s.net.arrived {
					unsure += a.unsure
				}
				if unsure == 0 {
					t.Error("no connection was cut after the mail was taken")
				}
			})
		})
	}
}

// A newsletter meets receivers with limits, and with trouble that lasts an hour: all
// of it arrives, each mail once, and no host is stormed on the way.
func TestABurstMeetsReceiversInTrouble(t *testing.T) {
	for _, test := range []struct {
		name  string
		trait traits
		fault fault
		by    time.Duration
		storm int // the most connections that a host is to see within a minute
	}{
		{"few connections", traits{connections: 2, slow: time.Second}, fault{}, time.Hour, 30},
		{"one connection", traits{connections: 1, slow: time.Second}, fault{}, time.Hour, 30},
		{"a rate", traits{rate: 60}, fault{}, time.Hour, 40},
		{"greylisting", traits{greylist: 290 * time.Second}, fault{}, 10 * time.Minute, 30},
		{"greylisting by address", traits{greylist: 290 * time.Second, greyByAddress: true}, fault{}, 10 * time.Minute, 30},
		{"five messages in a session", traits{sessionMax: 5}, fault{}, time.Hour, 100}, // it needs 60
		{"one recipient in a transaction", traits{rcptMax: 1, rcptFull: "452 4.5.3 Too many recipients"}, fault{}, time.Hour, 30},
		{"421 in place of the greeting", traits{}, fault{at: "greeting", do: "421 4.3.2 too busy"}, 3 * time.Hour, 40},
		{"no connection", traits{}, fault{at: "dial"}, 3 * time.Hour, 40},
		{"silence", traits{}, fault{at: "greeting", do: "silence"}, 3 * time.Hour, 40},
		{"421 to MAIL", traits{}, fault{at: "mail", do: "421 4.3.2 shutting down"}, 3 * time.Hour, 40},
		{"421 to RCPT", traits{}, fault{at: "rcpt", do: "421 4.3.2 too busy"}, 3 * time.Hour, 40},
		{"421 after the dot", traits{}, fault{at: "content", do: "421 4.3.2 too busy"}, 3 * time.Hour, 40},
		{"421 behind each message", traits{}, fault{at: "content async", do: "async"}, 3 * time.Hour, 400}, // it does not hinder
		{"451 to MAIL", traits{}, fault{at: "mail", do: "451 4.3.0 internal error"}, 3 * time.Hour, 40},
		{"451 to RCPT", traits{}, fault{at: "rcpt", do: "451 4.3.0 internal error"}, 3 * time.Hour, 40},
		{"reset at RCPT", traits{}, fault{at: "rcpt", do: "reset"}, 3 * time.Hour, 40},
		{"reset in the content", traits{}, fault{at: "content start", do: "reset"}, 3 * time.Hour, 40},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScripted(t, 1, nil)
				var hosts []*receiver
				for i := range 2 {
					h := s.net.host(fmt.Sprintf("mx%d.example.net", i), 1)
					h.trait = test.trait
					h.trait.pipelining = true
					if test.fault.at != "" {
						f := test.fault
						f.until = time.Hour
						h.faults = []*fault{&f}
					}
					hosts = append(hosts, h)
				}
				s.net.domain("example.net", hosts...)
				s.start()
				for i := range 200 {
					want := fateOf{state: mail.Relayed, by: test.by}
					s.send(wish{address: fmt.Sprintf("bob%d@example.net", i), want: want}, wish{address: fmt.Sprintf("eve%d@example.net", i), want: want})
				}
				time.Sleep(24 * time.Hour)
				s.end()
				s.check()
				if most, host := s.net.storm(); most > test.storm {
					t.Errorf("%s saw %d connections within a minute", host, most)
				}
				if t.Failed() {
					t.Logf("the receivers:\n%s", s.net)
				}
			})
		})
	}
}

// String lists the receivers, for a world that fails.
func (n *internet) String() string {
	var b strings.Builder
	for _, addr := range slices.SortedFunc(maps.Keys(n.receivers), netip.Addr.Compare) {
		r := n.receivers[addr]
		fmt.Fprintf(&b, "%s %+v, %d sessions", r.name, r.trait, len(r.opened))
		for _, f := range r.faults {
			fmt.Fprintf(&b, "; at %s %.50q until %v, share %.2f, cut %d", f.at, f.do, f.until.Round(time.Second), f.share, f.cut)
		}
		b.WriteString("\n")
	}
	return b.String()
}
