package outbound

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// offering begins a session of a peer with more extensions.
func offering(extensions ...string) string {
	return strings.Replace(hello, "S: 250 PIPELINING", "S: 250-"+strings.Join(extensions, "\nS: 250-")+"\nS: 250 PIPELINING", 1)
}

// timed stores a message with a deadline.
func (w *world) timed(in time.Duration, mode smtp.DeliverByMode, to ...string) mail.ID {
	e := w.envelope("alice@example.org", to...)
	e.DeliverBy = mail.Deadline{At: e.Arrived.Add(in), Mode: mode}
	return w.putEnvelope(e)
}

// told returns what the sender was told, one notice after the other.
func (w *world) told() string {
	var kinds []string
	for _, n := range w.notices() {
		kinds = append(kinds, n.Kind)
	}
	return strings.Join(kinds, " ")
}

// RFC 2852 section 4.1: a message in mode R comes back when its time is over, and
// no sooner; not a second later anything is sent.
func TestALateMessageComesBackAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		busy := hello + answers("alice@example.org", "bob@example.net", "450 4.2.0 busy") + bye
		w.peer("example.net", strings.Join([]string{offered(busy), offered(busy)}, next))
		w.peer("example.org", hello+takes("", "alice@example.org")+bye)
		w.start()
		id := w.timed(2*time.Minute, smtp.DeliverByReturn, "bob@example.net")
		if p := w.after(119*time.Second, id, 0); p.State != mail.Waiting || p.Attempts != 2 {
			t.Fatalf("before the deadline: %+v", p)
		}
		if got := w.told(); got != "" {
			t.Errorf("before the deadline the sender was told %q", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := w.told(); got != "failure" {
			t.Errorf("the sender was told %q", got)
		}
		last := w.last()
		if last.State != mail.Failed || last.Last.Reply.Enhanced().String() != "5.4.7" ||
			!strings.HasSuffix(last.Last.Problem, " or not at all; the last attempt met: 450 4.2.0 busy") {
			t.Errorf("it ended by %+v", last)
		}
	})
}

// offered makes a peer take deadlines over.
func offered(dialogue string) string {
	return strings.Replace(dialogue, hello, offering("DELIVERBY"), 1)
}

// last returns the last outcome of a message to example.net.
func (w *world) last() mail.Progress {
	w.mu.Lock()
	defer w.mu.Unlock()
	var last mail.Progress
	for _, e := range w.events {
		if e.ForwardPath.Domain == "example.net" {
			last = e.Progress
		}
	}
	return last
}

func TestAMessageThatIsLateAlreadyIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.host("example.net", nil) // who would connect would fail
		w.peer("example.org", hello+takes("", "alice@example.org")+bye)
		w.start()
		w.timed(500*time.Millisecond, smtp.DeliverByReturn, "bob@example.net") // less than a second cannot be handed on
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := w.dialled("example.net"); n != 0 || w.told() != "failure" {
			t.Errorf("%d connections, and the sender was told %q", n, w.told())
		}
	})
}

// A deadline also ends a message for which there is no route.
func TestADeadlineEndsWhatHasNoRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.org", hello+takes("", "alice@example.org")+bye)
		w.start()
		w.timed(time.Minute, smtp.DeliverByReturn, "bob@example.net")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if last := w.last(); last.State != mail.Failed || last.Attempts > 3 || w.told() != "failure" {
			t.Errorf("%+v, and the sender was told %q", last, w.told())
		}
	})
}

// In mode N the sender is told at the deadline, once, and the message is tried on.
func TestALateMessageIsToldOnceAndTriedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.org", hello+takes("", "alice@example.org")+bye)
		w.start()
		id := w.timed(time.Hour, smtp.DeliverByNotify, "bob@example.net")
		if w.after(59*time.Minute, id, 0); w.told() != "" {
			t.Errorf("before the deadline the sender was told %q", w.told())
		}
		p := w.after(2*time.Minute, id, 0)
		if p.State != mail.Waiting || !p.DeadlineNotified || w.told() != "delay" {
			t.Errorf("after it: %+v, and the sender was told %q", p, w.told())
		}
		// Nor is the usual notice of a delay sent after that.
		if p = w.after(24*time.Hour, id, 0); p.State != mail.Waiting || w.told() != "delay" {
			t.Errorf("a day later: %+v, and the sender was told %q", p, w.told())
		}
	})
}

// Where the usual notice came before, that of the deadline comes all the same.
func TestADeadlineAfterTheUsualNoticeIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.org", hello+takes("", "alice@example.org")+bye+next+hello+takes("", "alice@example.org")+bye)
		w.start()
		id := w.timed(12*time.Hour, smtp.DeliverByNotify, "bob@example.net")
		if p := w.after(8*time.Hour, id, 0); !p.DelayNotified || p.DeadlineNotified || w.told() != "delay" {
			t.Errorf("before the deadline: %+v, and the sender was told %q", p, w.told())
		}
		if p := w.after(5*time.Hour, id, 0); !p.DeadlineNotified || w.told() != "delay delay" {
			t.Errorf("after it: %+v, and the sender was told %q", p, w.told())
		}
	})
}

// RFC 2852 section 4.1.4: who hands a message in mode N to a server that knows
// nothing of it says so, and so does who is to trace it.
func TestARelayWithADeadlineIsTold(t *testing.T) {
	for _, test := range []struct {
		name, offers string
		by           mail.Deadline
		notify       smtp.Notify
		mail         string
		want         string
	}{
		{name: "N to a server without", by: mail.Deadline{Mode: smtp.DeliverByNotify}, want: "relay"},
		{name: "N to a server without, NOTIFY=NEVER", by: mail.Deadline{Mode: smtp.DeliverByNotify}, notify: smtp.NotifyNever},
		{name: "N to a server without, NOTIFY=SUCCESS", by: mail.Deadline{Mode: smtp.DeliverByNotify}, notify: smtp.NotifySuccess, want: "success"},
		{name: "N taken over", offers: "DELIVERBY", by: mail.Deadline{Mode: smtp.DeliverByNotify}, mail: " BY=3600;N"},
		{name: "R taken over", offers: "DELIVERBY", by: mail.Deadline{Mode: smtp.DeliverByReturn}, mail: " BY=3600;R"},
		{name: "R taken over, traced", offers: "DELIVERBY", by: mail.Deadline{Mode: smtp.DeliverByReturn, Trace: true}, mail: " BY=3600;RT", want: "relay"},
		{name: "none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				begin := hello
				if test.offers != "" {
					begin = offering(test.offers)
				}
				peer := w.peer("example.net", begin+strings.Replace(takes("alice@example.org", "bob@example.net"), ">*", ">"+test.mail, 1)+bye)
				if test.want != "" {
					w.peer("example.org", hello+takes("", "alice@example.org")+bye)
				}
				w.start()
				e := w.envelope("alice@example.org", "bob@example.net")
				if e.DeliverBy = test.by; !test.by.IsZero() {
					e.DeliverBy.At = e.Arrived.Add(time.Hour)
				}
				e.Recipients[0].Notify = test.notify
				w.putEnvelope(e)
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(peer.Messages()) != 1 || w.told() != test.want {
					t.Errorf("%d arrived, and the sender was told %q, want %q", len(peer.Messages()), w.told(), test.want)
				}
			})
		})
	}
}

// RFC 2852 section 4.1.4: mode R does not go to who would not see to it.
func TestAMessageToComeBackIsNotGivenToWhoDoesNotKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		peer := w.peer("example.net", hello+bye)
		w.peer("example.org", hello+takes("", "alice@example.org")+bye)
		w.start()
		w.timed(time.Hour, smtp.DeliverByReturn, "bob@example.net")
		time.Sleep(time.Minute)
		synctest.Wait()
		if last := w.last(); last.State != mail.Failed || last.Last.Reply.Enhanced().String() != "5.3.3" || w.told() != "failure" || len(peer.Messages()) != 0 {
			t.Errorf("%+v, and the sender was told %q", last, w.told())
		}
	})
}

// The time for retries begins with the release, not with the arrival.
func TestWhatWasHeldIsTriedAsLongAsAllMail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.org", hello+takes("", "alice@example.org")+bye+next+hello+takes("", "alice@example.org")+bye)
		w.start()
		e := w.envelope("alice@example.org", "bob@example.net")
		e.HoldUntil = e.Arrived.Add(7 * 24 * time.Hour)
		e.Recipients[0].Progress.Due = e.HoldUntil
		id := w.putEnvelope(e)
		if p := w.after(7*24*time.Hour-time.Minute, id, 0); p.Attempts != 0 {
			t.Errorf("tried while it was held: %+v", p)
		}
		if p := w.after(time.Hour, id, 0); p.State != mail.Waiting || p.Attempts == 0 || w.told() != "" {
			t.Errorf("after its release: %+v, and the sender was told %q", p, w.told())
		}
		w.after(4*24*time.Hour, id, 0)
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		if w.told() != "delay failure" || w.last().State != mail.Expired {
			t.Errorf("in the end the sender was told %q", w.told())
		}
	})
}

// RFC 9422: what a server says of its limits is kept without trying them.
func TestTheLimitsOfAServerAreKept(t *testing.T) {
	three := []string{"bob@example.net", "carol@example.net", "dan@example.net"}
	for _, test := range []struct{ name, limits, rest string }{
		{"RCPTMAX", "LIMITS RCPTMAX=2", takes("alice@example.org", three[:2]...) + takes("alice@example.org", three[2]) + bye},
		{"MAILMAX", "LIMITS RCPTMAX=1 MAILMAX=2", takes("alice@example.org", three[0]) + takes("alice@example.org", three[1]) + bye +
			next + offering("LIMITS RCPTMAX=1 MAILMAX=2") + takes("alice@example.org", three[2]) + bye},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.peer("example.net", offering(test.limits)+test.rest)
				w.start()
				id := w.put(three...)
				for i := range three {
					if p := w.after(time.Minute, id, i); p.State != mail.Relayed || p.Attempts != 1 {
						t.Errorf("recipient %d: %+v", i, p)
					}
				}
			})
		})
	}
}

func TestAServerOfOneDomainASessionGetsOneEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		begin := offering("LIMITS RCPTDOMAINMAX=1")
		w.peer("mx.test", begin+takes("alice@example.org", "a@a.test", "c@a.test")+bye+next+begin+takes("alice@example.org", "b@b.test")+bye)
		w.routes["a.test"], w.routes["b.test"] = w.routes["mx.test"], w.routes["mx.test"]
		w.start()
		id := w.put("a@a.test", "b@b.test", "c@a.test")
		for i := range 3 {
			if p := w.after(time.Minute, id, i); p.State != mail.Relayed || p.Attempts != 1 {
				t.Errorf("recipient %d: %+v", i, p)
			}
		}
	})
}

// RFC 8689 section 4.2.1: the next host that protects the message gets it, in a
// lane of its own; where none does it goes back, by a notice that is as protected.
func TestProtectedMailLooksForAHostThatProtectsIt(t *testing.T) {
	const plain = "S: 220 mx\nC: EHLO *\nS: 250 mx\nC: QUIT\nS: 221 bye\n"
	const greet = "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nstarttls\nC: EHLO *\nS: 250-mx\n"
	const takes = "C: MAIL FROM:<alice@example.org> REQUIRETLS\nS: 250 ok\nC: RCPT TO:*\nS: 250 ok\nC: DATA\nS: 354 go\nC: <data>\nS: 250 ok\nC: QUIT\nS: 221 bye\n"
	for _, test := range []struct {
		name   string
		second string
		want   mail.State
	}{
		{"the second does", greet + "S: 250 REQUIRETLS\n" + takes, mail.Relayed},
		{"none does", greet + "S: 250 DSN\nC: QUIT\nS: 221 bye\n", mail.Failed},
		{"the second cannot be reached", "", mail.Waiting},
	} {
		t.Run(test.name, func(t *testing.T) {
			ca := smtptest.NewCA(t)
			first := smtptest.NewServer(t, plain)
			dial := map[string]func() (net.Conn, error){"mx1.test": func() (net.Conn, error) { return first.Dial(), nil }}
			if test.second != "" {
				second := smtptest.NewServer(t, test.second)
				second.UseTLS(ca.ServerConfig("mx2.test"))
				dial["mx2.test"] = func() (net.Conn, error) { return second.Dial(), nil }
			}
			w := newWorld(t, func(o *Options) { o.Attempt.TLS = ca.ClientConfig("ignored") })
			for host, d := range dial {
				w.host(host, d)
			}
			w.routes["example.net"] = routeTo("mx1.test", "mx2.test")
			told := make(chan mail.Progress, 10)
			w.heard = func(p mail.Progress) { told <- p }
			w.start()
			e := w.envelope("alice@example.org", "bob@example.net")
			e.RequireTLS = true
			w.putEnvelope(e)
			p := await(t, told)
			if p.State != test.want {
				t.Errorf("%+v, want %v", p, test.want)
			}
			if test.want == mail.Failed {
				if p.Last.Reply.Enhanced().String() != "5.7.30" || p.Attempts != 1 {
					t.Errorf("%+v", p)
				}
				await(t, told) // the notice, for which there is no route
				_ = w.spool.Scan(t.Context(), mail.ID{}, func(e *mail.Envelope) bool {
					if !e.RequireTLS || !e.ReversePath.IsNull() {
						t.Errorf("the notice is %+v", e)
					}
					return true
				})
			}
			if n := w.dialled("mx1.test"); n != 1 {
				t.Errorf("%d connections to the first", n)
			}
		})
	}
}

func await(t *testing.T, told <-chan mail.Progress) mail.Progress {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	select {
	case p := <-told:
		return p
	case <-ctx.Done():
		t.Fatal("nothing was settled")
	}
	return mail.Progress{}
}

func TestWhatIsLocalDoesNotTravel(t *testing.T) {
	for _, test := range []struct {
		address route.Address
		host    route.Host
		want    bool
	}{
		{route.Address{Network: "unix", Addr: "/run/lmtp"}, route.Host{Protocol: route.LMTP}, true},
		{route.Address{Network: "tcp", Addr: "127.0.0.1:24"}, route.Host{Protocol: route.LMTP}, true},
		{route.Address{Network: "tcp", Addr: "[::1]:24"}, route.Host{Protocol: route.LMTP}, true},
		{route.Address{Network: "tcp", Addr: "127.0.0.1:25"}, route.Host{Inside: true}, true},
		{route.Address{Network: "tcp", Addr: "127.0.0.1:25"}, route.Host{}, false},
		{route.Address{Network: "tcp", Addr: "192.0.2.1:24"}, route.Host{Protocol: route.LMTP}, false},
		{route.Address{Network: "tcp", Addr: "store.test:24"}, route.Host{Protocol: route.LMTP}, false},
	} {
		if got := test.host.IsLocal(test.address); got != test.want {
			t.Errorf("%+v is local: %v", test.address, got)
		}
		r := (&route.Route{Lane: "x", TLS: route.TLSOff}).Protect()
		target := targetOf(r, test.host, test.address)
		if target.RequireTLS == test.want || target.Verify == test.want || r.Lane != "x requiretls" {
			t.Errorf("%+v becomes %+v in %q", test.address, target, r.Lane)
		}
	}
}
