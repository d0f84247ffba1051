package dns

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

func good(t *testing.T) func(dns.ResponseWriter, *dns.Msg, string) {
	return zone(t, soa, "example.org. 300 IN MX 10 mx.example.org.")
}

// brief is how long a test waits for a server that says nothing. One that
// speaks must not take longer, however busy the machine is.
const brief = 400 * time.Millisecond

func wantMX(t *testing.T, r *Resolver) {
	t.Helper()
	mx, _, err := r.LookupMX(t.Context(), "example.org")
	if err != nil || len(mx) != 1 || mx[0].Host != "mx.example.org" {
		t.Errorf("%v, %v", mx, err)
	}
}

func TestServersAreAskedInTheirOrder(t *testing.T) {
	refusals := map[string]func(dns.ResponseWriter, *dns.Msg, string){
		"SERVFAIL":       code(dns.RcodeServerFailure),
		"REFUSED":        code(dns.RcodeRefused),
		"lame":           code(dns.RcodeSuccess),
		"never fits":     func(w dns.ResponseWriter, m *dns.Msg, _ string) { cut(w, m) },
		"not understood": code(dns.RcodeFormatError),
	}
	for name, refuses := range refusals {
		t.Run(name, func(t *testing.T) {
			first, second, third := serve(t, refuses), serve(t, good(t)), serve(t, good(t))
			r, _ := resolver(t, first, second, third)
			wantMX(t, r)
			if len(first.questions()) == 0 || len(second.questions()) != 1 || len(third.questions()) != 0 {
				t.Errorf("asked: %v, %v, %v", first.questions(), second.questions(), third.questions())
			}
		})
	}
}

func TestOneWhoRefusesIsAskedOnce(t *testing.T) {
	a, b := serve(t, code(dns.RcodeServerFailure)), serve(t, code(dns.RcodeRefused))
	r, _ := resolver(t, a, b)
	_, _, err := r.LookupMX(t.Context(), "example.org")
	if err == nil || !strings.Contains(err.Error(), "REFUSED") {
		t.Errorf("%v, want what the last one said", err)
	}
	if len(a.questions()) != 1 || len(b.questions()) != 1 {
		t.Errorf("asked: %v, %v", a.questions(), b.questions())
	}
}

func TestSilentServer(t *testing.T) {
	t.Parallel()
	a, b := serve(t, silent), serve(t, good(t))
	r, c := resolverWith(t, Options{Timeout: brief}, a, b)
	wantMX(t, r)
	if len(a.questions()) != 1 || len(b.questions()) != 1 {
		t.Errorf("asked: %v, %v", a.questions(), b.questions())
	}
	// It comes last for a while.
	r.LookupMX(t.Context(), "other.example")
	if len(a.questions()) != 1 || len(b.questions()) != 2 {
		t.Errorf("asked again: %v, %v", a.questions(), b.questions())
	}
	c.wind(silence + time.Second)
	r.LookupMX(t.Context(), "third.example")
	if len(a.questions()) != 2 {
		t.Errorf("the silent server is never asked again: %v", a.questions())
	}
}

func TestSilentServersAreAskedAgain(t *testing.T) {
	t.Parallel()
	a := serve(t, silent)
	r, _ := resolverWith(t, Options{Timeout: brief, Rounds: 3}, a)
	_, _, err := r.LookupMX(t.Context(), "example.org")
	want := "looking up MX of example.org at " + a.address.String() + ": no answer by UDP in time"
	var e *Error
	if !errors.As(err, &e) || !e.Temporary() || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if n := len(a.questions()); n != 3 {
		t.Errorf("it was asked %d times, want 3", n)
	}
}

func TestServerThatIsNotThere(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := &authority{address: netip.MustParseAddrPort(pc.LocalAddr().String())}
	pc.Close()
	r, _ := resolver(t, gone, serve(t, good(t)))
	wantMX(t, r)
	alone, _ := resolver(t, gone)
	var e *Error
	if _, _, err := alone.LookupMX(t.Context(), "example.org"); !errors.As(err, &e) || !e.Temporary() || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v, want that the connection was refused", err)
	}
}

// cut answers that there is more than fits.
func cut(w dns.ResponseWriter, m *dns.Msg) {
	r := new(dns.Msg)
	r.SetReply(m)
	r.Truncated = true
	w.WriteMsg(r)
}

// truncating lets no answer fit into UDP.
func truncating(answer func(dns.ResponseWriter, *dns.Msg, string)) func(dns.ResponseWriter, *dns.Msg, string) {
	return func(w dns.ResponseWriter, m *dns.Msg, network string) {
		if network == "UDP" {
			cut(w, m)
			return
		}
		answer(w, m, network)
	}
}

// RFC 7766 section 5.
func TestTruncatedAnswerIsAskedForByTCP(t *testing.T) {
	a := serve(t, truncating(good(t)))
	r, _ := resolver(t, a)
	wantMX(t, r)
	if diff := cmp.Diff([]string{"UDP MX example.org.", "TCP MX example.org."}, a.questions()); diff != "" {
		t.Error(diff)
	}
}

func TestAnswerThatIsCutInsideOfARecord(t *testing.T) {
	whole := good(t)
	a := serve(t, func(w dns.ResponseWriter, m *dns.Msg, network string) {
		if network == "TCP" {
			whole(w, m, network)
			return
		}
		r := new(dns.Msg)
		r.SetReply(m)
		r.Truncated = true
		r.Answer = []dns.RR{record(t, "example.org. 300 IN MX 10 mx.example.org.")}
		text, err := r.Pack()
		if err != nil {
			t.Error(err)
		}
		w.Write(text[:len(text)-5])
	})
	r, _ := resolver(t, a)
	wantMX(t, r)
}

// RFC 6891 section 6.2.5 and 7.
func TestEDNS(t *testing.T) {
	whole := good(t)
	var mu sync.Mutex
	var sizes []uint16
	a := serve(t, func(w dns.ResponseWriter, m *dns.Msg, network string) {
		mu.Lock()
		defer mu.Unlock()
		if opt := m.IsEdns0(); opt != nil {
			sizes = append(sizes, opt.UDPSize())
			code(dns.RcodeFormatError)(w, m, network)
			return
		}
		sizes = append(sizes, 0)
		whole(w, m, network)
	})
	r, _ := resolver(t, a)
	wantMX(t, r)
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff([]uint16{1232, 0}, sizes); diff != "" {
		t.Errorf("the sizes that were offered: %s", diff)
	}
}

// RFC 5452: what does not fit the question is passed over, and the wait for
// the right answer goes on.
func TestForgedAnswers(t *testing.T) {
	forgeries := map[string]func(r *dns.Msg){
		"another id":         func(r *dns.Msg) { r.Id++ },
		"another name":       func(r *dns.Msg) { r.Question[0].Name = "example.net." },
		"another type":       func(r *dns.Msg) { r.Question[0].Qtype = dns.TypeA },
		"another class":      func(r *dns.Msg) { r.Question[0].Qclass = dns.ClassCHAOS },
		"no question":        func(r *dns.Msg) { r.Question = nil },
		"two questions":      func(r *dns.Msg) { r.Question = append(r.Question, r.Question[0]) },
		"a question":         func(r *dns.Msg) { r.Response = false },
		"cut, by another id": func(r *dns.Msg) { r.Id++; r.Truncated = true },
	}
	for name, forge := range forgeries {
		t.Run(name, func(t *testing.T) {
			whole := good(t)
			a := serve(t, func(w dns.ResponseWriter, m *dns.Msg, network string) {
				r := new(dns.Msg)
				r.SetReply(m)
				r.RecursionAvailable = true
				r.Answer = []dns.RR{record(t, "example.org. 300 IN MX 1 evil.example.")}
				forge(r)
				w.WriteMsg(r)
				w.Write([]byte("short"))
				w.Write([]byte("not a message of the DNS at all"))
				whole(w, m, network)
			})
			r, _ := resolver(t, a)
			wantMX(t, r)
			if n := len(a.questions()); n != 1 {
				t.Errorf("it was asked %d times", n)
			}
		})
	}
}

func TestForgedAnswerAloneIsNone(t *testing.T) {
	t.Parallel()
	a := serve(t, func(w dns.ResponseWriter, m *dns.Msg, _ string) {
		r := new(dns.Msg)
		r.SetRcode(m, dns.RcodeNameError)
		r.Id++
		w.WriteMsg(r)
	})
	r, _ := resolverWith(t, Options{Timeout: brief, Rounds: 1}, a)
	var e *Error
	if _, _, err := r.LookupMX(t.Context(), "example.org"); !errors.As(err, &e) || !e.Temporary() {
		t.Errorf("%v, want an error that passes", err)
	}
}

func TestAnswerInAnotherCaseIsTaken(t *testing.T) {
	a := serve(t, func(w dns.ResponseWriter, m *dns.Msg, _ string) {
		r := new(dns.Msg)
		r.SetReply(m)
		r.RecursionAvailable = true
		r.Question[0].Name = strings.ToUpper(r.Question[0].Name)
		r.Answer = []dns.RR{record(t, "EXAMPLE.ORG. 300 IN MX 1 MX.EXAMPLE.ORG.")}
		w.WriteMsg(r)
	})
	r, _ := resolver(t, a)
	wantMX(t, r)
}

func TestIDsAreNotGuessed(t *testing.T) {
	ids := map[uint16]bool{}
	var mu sync.Mutex
	a := serve(t, func(w dns.ResponseWriter, m *dns.Msg, network string) {
		mu.Lock()
		ids[m.Id] = true
		mu.Unlock()
		code(dns.RcodeNameError)(w, m, network)
	})
	r, c := resolver(t, a)
	for range 20 {
		r.LookupMX(t.Context(), "example.org")
		c.wind(2 * mostTTL)
	}
	mu.Lock()
	defer mu.Unlock()
	// Two of 20 are equal in 3 of 1000 runs, three times two in none.
	if len(ids) < 18 {
		t.Errorf("20 questions had %d different ids", len(ids))
	}
}

func TestEndOfTheContextEndsTheWait(t *testing.T) {
	asked := make(chan struct{}, 10)
	a := serve(t, func(dns.ResponseWriter, *dns.Msg, string) { asked <- struct{}{} })
	r, _ := resolver(t, a)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, _, err := r.LookupMX(ctx, "example.org")
		done <- err
	}()
	<-asked
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := r.LookupAddr(ctx, "example.org"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCloseEndsWhatIsAsked(t *testing.T) {
	asked := make(chan struct{}, 10)
	a := serve(t, func(dns.ResponseWriter, *dns.Msg, string) { asked <- struct{}{} })
	r, _ := resolver(t, a)
	done := make(chan error)
	go func() {
		_, _, err := r.LookupMX(context.Background(), "example.org")
		done <- err
	}()
	<-asked
	r.Close()
	r.Close()
	if err := <-done; !errors.Is(err, errClosed) {
		t.Error(err)
	}
	var e *Error
	if _, _, err := r.LookupMX(t.Context(), "example.net"); !errors.Is(err, errClosed) || !errors.As(err, &e) || !e.Temporary() {
		t.Errorf("after that: %v", err)
	}
}
