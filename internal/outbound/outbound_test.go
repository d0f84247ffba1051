package outbound

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
	"github.com/weirmail/weir/smtpserver"
)

// hello is how a peer without many extensions begins.
const hello = `
S: 220 mx.example.net ESMTP
C: EHLO relay.example.com
S: 250-mx.example.net
S: 250 PIPELINING
`

// bye is how a session ends that was not broken off.
const bye = `
C: QUIT
S: 221 bye
`

// takes is a transaction in which every recipient is taken.
func takes(from string, to ...string) string {
	var b strings.Builder
	b.WriteString("C: MAIL FROM:<" + from + ">*\n")
	for _, address := range to {
		b.WriteString("C: RCPT TO:<" + address + ">*\n")
	}
	b.WriteString("C: DATA\nS: 250 2.1.0 ok\n")
	for range to {
		b.WriteString("S: 250 2.1.5 ok\n")
	}
	return b.String() + "S: 354 go on\nC: <data>\nS: 250 2.0.0 taken\n"
}

// answers is a transaction in which the only recipient is answered so, and the
// rest of the pipeline refused.
func answers(from, to, rcpt string) string {
	return "C: MAIL FROM:<" + from + ">*\nC: RCPT TO:<" + to + ">*\nC: DATA\nS: 250 2.1.0 ok\nS: " + rcpt + "\nS: 503 5.5.1 no recipients\n"
}

const next = "--- connection\n"

func TestAllRecipientsOfADestinationGoInOneTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		to := []string{"bob@example.net", "carol@example.net", "dan@example.net"}
		peer := w.peer("example.net", hello+takes("alice@example.org", to...)+bye)
		w.start()
		id := w.put(to...)
		for i := range to {
			p := w.after(time.Minute, id, i)
			if p.State != mail.Relayed || p.Attempts != 1 || p.Last.Host != "example.net" || p.Last.Reply.String() != "250 2.0.0 taken" {
				t.Errorf("recipient %d: %+v", i, p)
			}
		}
		if got := peer.Messages(); len(got) != 1 || string(got[0]) != text {
			t.Errorf("messages %q", got)
		}
	})
}

func TestRecipientsOfSeveralDestinationsGoTheirOwnWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.net", hello+takes("alice@example.org", "bob@example.net", "dan@example.net")+bye)
		w.peer("example.com", hello+takes("alice@example.org", "carol@example.com")+bye)
		w.start()
		id := w.put("bob@example.net", "carol@example.com", "dan@example.net", "eve@example.info")
		for i, want := range []mail.State{mail.Relayed, mail.Relayed, mail.Relayed, mail.Waiting} {
			if p := w.after(20*time.Second, id, i); p.State != want {
				t.Errorf("recipient %d: %+v, want %v", i, p, want)
			}
		}
	})
}

func TestARecipientThatIsPutOffIsTriedAloneLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.net", hello+`
C: MAIL FROM:<alice@example.org>
C: RCPT TO:<bob@example.net>
C: RCPT TO:<carol@example.net>
C: DATA
S: 250 ok
S: 450 4.2.0 busy
S: 250 ok
S: 354 go on
C: <data>
S: 250 taken
`+bye+next+hello+takes("alice@example.org", "bob@example.net")+bye)
		w.start()
		began := time.Now()
		id := w.put("bob@example.net", "carol@example.net")
		synctest.Wait()
		bob, carol := w.progress(id, 0), w.progress(id, 1)
		if bob.State != mail.Waiting || bob.Attempts != 1 || bob.Last.Stage != smtp.StageRCPT || bob.Last.Reply.String() != "450 4.2.0 busy" || bob.Last.Reason != "overload" {
			t.Errorf("bob: %+v", bob)
		}
		if wait := bob.Due.Sub(began); wait != time.Minute {
			t.Errorf("bob is due in %v", wait)
		}
		if carol.State != mail.Relayed {
			t.Errorf("carol: %+v", carol)
		}
		if bob := w.after(2*time.Minute, id, 0); bob.State != mail.Relayed || bob.Attempts != 2 {
			t.Errorf("bob, later: %+v", bob)
		}
	})
}

func TestAWaitThatThePeerNamesIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.net", hello+answers("alice@example.org", "bob@example.net", "450 4.7.1 Greylisted, try again in 300 seconds")+bye)
		w.start()
		id := w.put("bob@example.net")
		synctest.Wait()
		if wait := time.Until(w.progress(id, 0).Due); wait < 5*time.Minute || wait > 5*time.Minute+30*time.Second {
			t.Errorf("due in %v", wait)
		}
		w.after(time.Minute, id, 0) // and the connection ends for want of work
	})
}

func TestTheSenderIsToldOfARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.net", hello+answers("alice@example.org", "bob@example.net", "550 5.1.1 no such user")+bye)
		home := w.peer("example.org", hello+takes("", "alice@example.org")+bye)
		w.start()
		id := w.put("bob@example.net")
		if p := w.after(time.Minute, id, 0); p.State != mail.Failed {
			t.Errorf("%+v", p)
		}
		got := home.Messages()
		if len(got) != 1 {
			t.Fatalf("%d notices", len(got))
		}
		for _, want := range []string{"Final-Recipient: rfc822; bob@example.net", "Status: 5.1.1", "Action: failed", "In-Reply-To: <1@example.org>", "Remote-MTA: dns; example.net"} {
			if !strings.Contains(string(got[0]), want+"\r\n") {
				t.Errorf("no %q in\n%s", want, got[0])
			}
		}
		if n := w.notices(); len(n) != 1 || n[0].Kind != "failure" || n[0].Original != id || n[0].To.Address() != "alice@example.org" {
			t.Errorf("told: %+v", n)
		}
	})
}

func TestANoticeNeverEarnsANotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.net", hello+answers("alice@example.org", "bob@example.net", "550 5.1.1 no such user")+bye)
		w.peer("example.org", hello+answers("", "alice@example.org", "550 5.1.1 no such user")+bye)
		w.start()
		w.put("bob@example.net")
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := w.notices(); len(n) != 1 {
			t.Errorf("told: %+v", n)
		}
		if n := w.spool.stored(); n != 0 {
			t.Errorf("%d messages are left", n)
		}
	})
}

func TestNobodyIsToldWhoDoesNotWantTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.net", hello+answers("alice@example.org", "bob@example.net", "550 5.1.1 no such user")+bye)
		w.start()
		e := w.envelope("alice@example.org", "bob@example.net")
		e.Recipients[0].Notify = smtp.NotifyNever
		id := w.putEnvelope(e)
		if p := w.after(time.Minute, id, 0); p.State != mail.Failed {
			t.Errorf("%+v", p)
		}
		if n := w.notices(); len(n) != 0 {
			t.Errorf("told: %+v", n)
		}
	})
}

// A server that offers DSN reports for itself; for another the relay does.
func TestSuccessIsToldWhereThePeerWillNot(t *testing.T) {
	for _, test := range []struct {
		name, offers, params string
		told                 int
	}{
		{"the peer has DSN", "S: 250-PIPELINING\nS: 250 DSN\n", " NOTIFY=SUCCESS", 0},
		{"the peer has no DSN", "S: 250 PIPELINING\n", "", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.peer("example.net", "S: 220 mx ESMTP\nC: EHLO *\nS: 250-mx\n"+test.offers+
					"C: MAIL FROM:<alice@example.org>\nC: RCPT TO:<bob@example.net>"+test.params+"\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go on\nC: <data>\nS: 250 taken\n"+bye)
				if test.told > 0 {
					w.peer("example.org", hello+takes("", "alice@example.org")+bye)
				}
				w.start()
				e := w.envelope("alice@example.org", "bob@example.net")
				e.Recipients[0].Notify = smtp.NotifySuccess
				id := w.putEnvelope(e)
				if p := w.after(time.Minute, id, 0); p.State != mail.Relayed {
					t.Errorf("%+v", p)
				}
				if n := w.notices(); len(n) != test.told {
					t.Errorf("told: %+v", n)
				}
			})
		})
	}
}

func TestTheNextHostIsTriedWhereOneIsFull(t *testing.T) {
	for _, greeting := range []string{"421 4.3.2 too busy", "450 later", "554 no SMTP service here"} {
		t.Run(greeting, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				closing := "C: QUIT\nS: 221 bye\n"
				if strings.HasPrefix(greeting, "421") {
					closing = "close\n"
				}
				w.peer("mx1", "S: "+greeting+"\n"+closing)
				w.peer("mx2", hello+takes("alice@example.org", "bob@example.net")+bye)
				w.routes["example.net"] = routeTo("mx1", "mx2")
				w.start()
				id := w.put("bob@example.net")
				if p := w.after(time.Minute, id, 0); p.State != mail.Relayed || p.Attempts != 1 || p.Last.Host != "mx2" {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

func TestMailGoesBackWhereAllHostsRefuseForGood(t *testing.T) {
	const no, later = "S: 554 no SMTP service here\nC: QUIT\nS: 221 bye\n", "S: 421 later\nclose\n"
	for _, test := range []struct {
		name, one, other string
		want             mail.State
		host             string
	}{
		{"all", no, no, mail.Failed, "mx2"},
		{"the first", no, later, mail.Waiting, "mx2"},
		{"the second", later, no, mail.Waiting, "mx1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.peer("mx1", test.one)
				w.peer("mx2", test.other)
				w.routes["example.net"] = routeTo("mx1", "mx2")
				w.start()
				id := w.put("bob@example.net")
				if p := w.after(30*time.Second, id, 0); p.State != test.want || p.Last.Host != test.host {
					t.Errorf("%+v, want %v by %s", p, test.want, test.host)
				}
			})
		})
	}
}

// What one message was refused for is not held against the next.
func TestARefusalForGoodIsNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.net", "S: 554 not now, in the wrong words\nC: QUIT\nS: 221 bye\n"+next+hello+takes("alice@example.org", "bob@example.net")+bye)
		sink := newSink(t, nil)
		w.host("example.org", sink.dial)
		w.start()
		first := w.put("bob@example.net")
		synctest.Wait()
		second := w.put("bob@example.net")
		if p := w.after(time.Minute, first, 0); p.State != mail.Failed {
			t.Errorf("the first: %+v", p)
		}
		if p := w.progress(second, 0); p.State != mail.Relayed {
			t.Errorf("the second: %+v", p)
		}
		w.stopped()
	})
}

func TestALostConnectionAfterTheContentIsARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		lost := strings.Replace(takes("alice@example.org", "bob@example.net"), "S: 250 2.0.0 taken\n", "reset\n", 1)
		w.peer("example.net", hello+lost+next+hello+takes("alice@example.org", "bob@example.net")+bye)
		w.start()
		id := w.put("bob@example.net")
		synctest.Wait()
		if p := w.progress(id, 0); p.State != mail.Waiting || p.Attempts != 1 || p.Last.Stage != smtp.StageContent || p.Last.Problem == "" {
			t.Errorf("%+v", p)
		}
		if p := w.after(5*time.Minute, id, 0); p.State != mail.Relayed || p.Attempts != 2 {
			t.Errorf("later: %+v", p)
		}
	})
}

func TestA421AfterTheContentIsARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		stopped := strings.Replace(takes("alice@example.org", "bob@example.net"), "S: 250 2.0.0 taken\n", "S: 421 4.3.2 shutting down\nclose\n", 1)
		w.peer("example.net", hello+stopped)
		w.start()
		id := w.put("bob@example.net")
		synctest.Wait()
		if p := w.progress(id, 0); p.State != mail.Waiting || p.Attempts != 1 || p.Last.Reason != "shutdown" {
			t.Errorf("%+v", p)
		}
	})
}

func TestWhereThereIsNoRoute(t *testing.T) {
	for _, test := range []struct {
		name      string
		permanent bool
		host      bool // the hosts have no address, rather than the domain no hosts
		want      mail.State
	}{
		{name: "for good", permanent: true, want: mail.Failed},
		{name: "for now", want: mail.Waiting},
		{name: "no host has an address, for good", permanent: true, host: true, want: mail.Failed},
		{name: "no host has an address, for now", host: true, want: mail.Waiting},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				err := &route.Error{Permanent: test.permanent, Reason: "domain-no-mail", Status: reply.NewStatus(1, 10), Err: errors.New("it takes no mail")}
				w.routes["example.net"] = routeTo("mx1")
				w.errors["example.net"] = err
				if test.host {
					delete(w.errors, "example.net")
					w.errors["mx1"] = err
				}
				home := newSink(t, nil)
				w.host("example.org", home.dial)
				w.start()
				id := w.put("bob@example.net")
				p := w.after(30*time.Second, id, 0)
				if p.State != test.want || p.Attempts != 1 || p.Last.Reason != "domain-no-mail" || !strings.Contains(p.Last.Problem, "it takes no mail") {
					t.Errorf("%+v, want %v", p, test.want)
				}
				w.stopped()
				got := strings.Join(home.contents, "")
				if told := strings.Contains(got, "Status: 5.1.10\r\n"); told != (test.want == mail.Failed) || strings.Contains(got, "Remote-MTA") {
					t.Errorf("notices %q", got)
				}
			})
		})
	}
}

// Five days in which nobody answers: the sender hears of it once after four
// hours, and once when it is given up, exactly when that was announced.
func TestDelayIsToldOnceAndThenTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		home := w.peer("example.org", hello+takes("", "alice@example.org")+bye+next+hello+takes("", "alice@example.org")+bye)
		w.routes["example.net"] = routeTo("example.net")
		w.start()
		began := time.Now()
		id := w.put("bob@example.net")
		if p := w.after(3*time.Hour, id, 0); p.State != mail.Waiting || p.DelayNotified {
			t.Errorf("after 3 hours: %+v", p)
		}
		if n := w.notices(); len(n) != 0 {
			t.Errorf("told too early: %+v", n)
		}
		if p := w.after(5*time.Hour, id, 0); !p.DelayNotified {
			t.Errorf("after 8 hours: %+v", p)
		}
		p := w.after(5*24*time.Hour, id, 0)
		if p.State != mail.Expired || p.Attempts < 30 {
			t.Errorf("after 5 days: %+v", p)
		}
		if lived := p.Last.At.Sub(began); lived != 5*24*time.Hour {
			t.Errorf("given up after %v", lived)
		}
		n := w.notices()
		if len(n) != 2 || n[0].Kind != "delay" || n[1].Kind != "failure" {
			t.Errorf("told: %+v", n)
		}
		got := home.Messages()
		for i, want := range []string{"Action: delayed\r\n", "Action: failed\r\nStatus: 4.4.1\r\n"} {
			if len(got) != 2 || !strings.Contains(string(got[i]), want) {
				t.Errorf("notice %d has no %q", i, want)
			}
		}
	})
}

// No host of a destination can be reached: only now and then somebody tries, and
// the others wait in the spool, uncharged.
func TestADestinationThatIsDownIsNotTriedByEveryone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Connections = 3 })
		w.routes["example.net"] = routeTo("example.net")
		w.start()
		var ids []mail.ID
		for range 50 {
			ids = append(ids, w.put("bob@example.net"))
			synctest.Wait()
		}
		if n := w.dialled("example.net"); n != 1 {
			t.Errorf("%d connections were tried", n)
		}
		for i, id := range ids {
			// Only who has tried is charged, and knows why.
			p := w.progress(id, 0)
			if tried := p.Attempts == 1 && p.Last.Problem != ""; p.State != mail.Waiting || tried != (i == 0) || p.Due.After(time.Now().Add(2*time.Minute)) {
				t.Errorf("%d: %+v", i, p)
			}
		}
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := sink.total(); n != len(ids) {
			t.Errorf("%d of %d messages arrived", n, len(ids))
		}
		if n := w.dialled("example.net"); n > 10 {
			t.Errorf("%d connections were made", n)
		}
		w.stopped() // before its peer
	})
}

// The peer's limit of recipients is met by more transactions, at once and over
// the same connection.
func TestTooManyRecipientsAreSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		sink := newSink(t, func(s *smtpserver.Server) { s.Limits.Recipients = 100 })
		w.host("example.net", sink.dial)
		var to []string
		for i := range 250 {
			to = append(to, fmt.Sprintf("user%d@example.net", i))
		}
		w.start()
		id := w.put(to...)
		synctest.Wait()
		for i, address := range to {
			if p := w.progress(id, i); p.State != mail.Relayed || p.Attempts != 1 || sink.got(address) != 1 {
				t.Errorf("%s got %d: %+v", address, sink.got(address), p)
			}
		}
		if n := w.dialled("example.net"); n != 1 || len(sink.contents) != 3 {
			t.Errorf("%d connections, %d transactions", n, len(sink.contents))
		}
		w.stopped()
	})
}

// A peer that takes nobody because of too many recipients is not asked again
// and again.
func TestASplitThatComesToNothingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.net", hello+answers("alice@example.org", "bob@example.net", "452 4.5.3 Too many recipients")+bye)
		w.start()
		id := w.put("bob@example.net")
		if p := w.after(30*time.Second, id, 0); p.State != mail.Waiting || p.Attempts != 0 || p.Due.Sub(p.Last.At) < 5*time.Minute {
			t.Errorf("%+v", p)
		}
	})
}

func TestAConnectionServesOneMessageAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Transactions = 5 })
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		w.start()
		for range 12 {
			w.put("bob@example.net")
			synctest.Wait()
		}
		if n, got := w.dialled("example.net"), sink.got("bob@example.net"); n != 3 || got != 12 {
			t.Errorf("%d connections for %d messages", n, got)
		}
		w.stopped()
	})
}

// What a peer does to a connection that nobody uses is no failure of the mail
// that comes next.
func TestAConnectionThatEndedWhileIdleCostsNoAttempt(t *testing.T) {
	first := takes("alice@example.org", "bob@example.net")
	for _, test := range []struct {
		name, end string
		idle      time.Duration
	}{
		{"closed at once", "close\n", 0},
		{"reset just now", "wait 500ms\nreset\n", 600 * time.Millisecond},
		{"closed, and found so before use", "close\n", 5 * time.Second},
		{"421 ahead", "S: 421 4.4.2 idle for too long\nclose\n", 5 * time.Second},
		{"421 to the next command", "C: MAIL FROM:<alice@example.org>\nS: 421 4.3.2 shutting down\nclose\n", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.peer("example.net", hello+first+test.end+next+hello+first+bye)
				w.start()
				w.put("bob@example.net")
				synctest.Wait()
				time.Sleep(test.idle)
				id := w.put("bob@example.net")
				synctest.Wait()
				if p := w.progress(id, 0); p.State != mail.Relayed || p.Attempts != 1 {
					t.Errorf("%+v", p)
				}
				if n := w.dialled("example.net"); n != 2 {
					t.Errorf("%d connections", n)
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

// RSET is between the messages, so what is said to it is about neither.
func TestARefusedRSETCostsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.net", hello+answers("alice@example.org", "bob@example.net", "450 busy")+`
C: RSET
C: MAIL FROM:<alice@example.org>
C: RCPT TO:<carol@example.net>
C: DATA
S: 550 what?
C: <eof>
`+next+hello+takes("alice@example.org", "carol@example.net")+bye)
		w.start()
		w.put("bob@example.net")
		synctest.Wait()
		id := w.put("carol@example.net")
		synctest.Wait()
		if p := w.progress(id, 0); p.State != mail.Relayed || p.Attempts != 1 {
			t.Errorf("%+v", p)
		}
		time.Sleep(20 * time.Second)
	})
}

func TestLMTPAnswersForEachRecipient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		peer := w.peer("store", `
S: 220 store LMTP
C: LHLO relay.example.com
S: 250-store
S: 250 PIPELINING
C: MAIL FROM:<alice@example.org>
C: RCPT TO:<bob@example.net>
C: RCPT TO:<carol@example.net>
C: DATA
S: 250 ok
S: 250 ok
S: 250 ok
S: 354 go on
C: <data>
S: 250 2.0.0 saved
S: 452 4.2.2 over quota
`+bye)
		r := routeTo("store")
		r.Groups[0][0].Protocol, r.Final = route.LMTP, true
		w.routes["example.net"] = r
		w.start()
		id := w.put("bob@example.net", "carol@example.net")
		synctest.Wait()
		if p := w.progress(id, 0); p.State != mail.Delivered {
			t.Errorf("bob: %+v", p)
		}
		if p := w.progress(id, 1); p.State != mail.Waiting || p.Last.Reason != "mailbox-full" {
			t.Errorf("carol: %+v", p)
		}
		if got := peer.Messages(); len(got) != 1 || string(got[0]) != "Return-Path: <alice@example.org>\r\n"+text {
			t.Errorf("%q", got)
		}
		time.Sleep(20 * time.Second)
	})
}

// A message that is damaged on the disk is not tried for ever, and its sender
// hears of it without seeing it.
func TestADamagedMessageExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		w.host("example.org", sink.dial)
		var id mail.ID
		w.spool.content = func(asked mail.ID) error {
			if asked == id {
				return fmt.Errorf("it: %w", spool.ErrDamaged)
			}
			return nil
		}
		w.start()
		e := w.envelope("alice@example.org", "bob@example.net")
		id = e.ID
		w.putEnvelope(e)
		if p := w.after(6*24*time.Hour, id, 0); p.State != mail.Expired || p.Attempts < 30 {
			t.Errorf("%+v", p)
		}
		if n := sink.got("alice@example.org"); n != 2 { // delay and failure
			t.Errorf("%d notices", n)
		}
		if n := len(w.takeFaults()); n < 30 {
			t.Errorf("%d faults told", n)
		}
		w.stopped()
	})
}

// Where a notice cannot be stored nothing is lost: no failure is silent, and
// nobody gets the message again who has it.
func TestASettlementWithoutItsNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Idle = 5 * time.Minute })
		w.peer("example.net", hello+`
C: MAIL FROM:<alice@example.org>
C: RCPT TO:<bob@example.net>
C: RCPT TO:<carol@example.net>
C: DATA
S: 250 ok
S: 550 5.1.1 no such user
S: 250 ok
S: 354 go on
C: <data>
S: 250 taken
`+answers("alice@example.org", "bob@example.net", "550 5.1.1 no such user")+bye)
		sink := newSink(t, nil)
		w.host("example.org", sink.dial)
		var full atomic.Bool
		full.Store(true)
		w.spool.settle = func(_ []mail.Outcome, notices []spool.Notice) error {
			if full.Load() && len(notices) > 0 {
				return spool.ErrFull
			}
			return nil
		}
		w.start()
		id := w.put("bob@example.net", "carol@example.net")
		synctest.Wait()
		if p := w.progress(id, 0); p.State != mail.Waiting || time.Until(p.Due) != contentPause {
			t.Errorf("bob: %+v", p)
		}
		if p := w.progress(id, 1); p.State != mail.Relayed {
			t.Errorf("carol: %+v", p)
		}
		if faults := w.takeFaults(); len(faults) != 1 || !errors.Is(faults[0], spool.ErrFull) {
			t.Errorf("faults %v", faults)
		}
		if n := w.notices(); len(n) != 0 {
			t.Errorf("told of what was not stored: %+v", n)
		}
		full.Store(false)
		if p := w.after(2*time.Minute, id, 0); p.State != mail.Failed {
			t.Errorf("bob, later: %+v", p)
		}
		if n := sink.got("alice@example.org"); n != 1 {
			t.Errorf("%d notices", n)
		}
		w.stopped()
	})
}

// A spool that settles nothing gets its leases back.
func TestASettlementThatFailsReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		broken := errors.New("broken")
		w.spool.settle = func([]mail.Outcome, []spool.Notice) error { return broken }
		w.start()
		id := w.put("bob@example.net")
		synctest.Wait()
		if p := w.progress(id, 0); p.State != mail.Waiting || time.Until(p.Due) != contentPause || w.spool.leased() != 0 {
			t.Errorf("%+v", p)
		}
		w.takeFaults()
		w.stopped()
	})
}

func TestAMessageThatWasRemovedIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.net", "wait 1m\n"+hello+bye)
		w.start()
		id := w.put("bob@example.net")
		time.Sleep(30 * time.Second)
		w.spool.remove(id)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
	})
}

// The room ends in time, whatever its peers do, and every lease with it.
func TestTheEndSettlesOrReleasesEverything(t *testing.T) {
	for _, patience := range []time.Duration{0, time.Minute} {
		t.Run(patience.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, func(o *Options) { o.Connections = 1 })
				w.peer("silent", hello+"C: MAIL FROM:<alice@example.org>\nC: RCPT TO:*\nC: DATA\nstall\n")
				taken := "wait 30s\nS: 250 2.0.0 taken\n" + bye
				if patience == 0 {
					taken = "stall\n"
				}
				w.peer("slow", hello+strings.Replace(takes("alice@example.org", "bob@slow"), "S: 250 2.0.0 taken\n", taken, 1))
				w.start()
				var ids []mail.ID
				for range 5 {
					ids = append(ids, w.put("bob@silent"))
				}
				slow := w.put("bob@slow")
				synctest.Wait()
				w.stop()
				time.Sleep(patience)
				began := time.Now()
				w.stopped()
				if took := time.Since(began); took > 10*time.Second { // QUIT has its time
					t.Errorf("the end took %v", took)
				}
				for _, id := range ids {
					if p := w.progress(id, 0); p.State != mail.Waiting || p.Attempts != 0 || p.Due.After(time.Now()) {
						t.Errorf("%+v", p)
					}
				}
				want := mail.Waiting
				if patience > 0 {
					want = mail.Relayed
				}
				if p := w.progress(slow, 0); p.State != want {
					t.Errorf("slow: %+v, want %v", p, want)
				}
				// What comes in now is for the next start.
				id := w.put("bob@silent")
				other := w.put("bob@silent", "bob@slow")
				if n := w.spool.leased(); n != 0 {
					t.Errorf("%d recipients leased after the end, of %v and %v", n, id, other)
				}
			})
		})
	}
}

// More is due than the room holds: the rest waits in the spool, and is taken
// when there is room.
func TestMoreThanFitsIntoTheRoom(t *testing.T) {
	for _, size := range []int{1, 2, 5, 100} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(o *Options) { o.InMemory = size })
			sink := newSink(t, nil)
			w.host("example.net", sink.dial)
			w.host("example.com", sink.dial)
			w.start()
			const messages = 300
			for range messages {
				w.put("bob@example.net", "carol@example.com", "dan@example.net")
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := sink.total(); n != 3*messages {
				t.Errorf("room for %d: %d of %d arrived", size, n, 3*messages)
			}
			w.stopped()
			if free := w.out.room.free; free != size {
				t.Errorf("room for %d: %d places are free in the end", size, free)
			}
		})
	}
}

func TestLanesWithoutWorkEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		w.start()
		w.put("bob@example.net")
		time.Sleep(time.Minute)
		if n := w.lanes(); n != 1 {
			t.Errorf("%d lanes", n)
		}
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if n := w.lanes(); n != 0 {
			t.Errorf("%d lanes are left", n)
		}
		id := w.put("bob@example.net")
		synctest.Wait()
		if p := w.progress(id, 0); p.State != mail.Relayed {
			t.Errorf("%+v", p)
		}
		w.stopped()
	})
}

// What finds no place in a lane waits in the spool until the lane will have
// come to it.
func TestAFullLaneLeavesTheRestInTheSpool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Connections = 2 })
		w.peer("example.net", "stall\n"+next+"stall\n")
		w.start()
		var last mail.ID
		for range 4096 + 2 + 10 {
			last = w.put("bob@example.net")
		}
		synctest.Wait()
		if n := w.spool.leased(); n != 3000+2 { // what an unknown lane does in a minute
			t.Errorf("%d leased", n)
		}
		if p := w.progress(last, 0); p.State != mail.Waiting || p.Attempts != 0 || !p.Due.After(time.Now()) {
			t.Errorf("%+v", p)
		}
	})
}

func TestClaimingGoesOnAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		w.spool.claims = []error{errors.New("the disk hiccups"), errors.New("again")}
		e := w.envelope("alice@example.org", "bob@example.net")
		w.spool.add(e, []byte(text), false)
		w.start()
		if p := w.after(time.Minute, e.ID, 0); p.State != mail.Relayed {
			t.Errorf("%+v", p)
		}
		if n := len(w.takeFaults()); n != 2 {
			t.Errorf("%d faults told", n)
		}
		w.stopped()
	})
}

func TestAClosedSpoolEndsTheClaiming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.spool.claims = []error{spool.ErrClosed}
		w.start()
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(w.spool.claims) != 0 || len(w.takeFaults()) != 0 {
			t.Error("claimed once more")
		}
	})
}

// The directory does not answer while the relay ends.
func TestTheEndReleasesWhatHasNoRouteYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.silent = true
		w.start()
		for range 200 {
			w.put("bob@example.net")
		}
		synctest.Wait()
		if n := w.spool.leased(); n < resolvers {
			t.Errorf("%d leased", n)
		}
	})
}

func TestHostsOfOnePreferenceShareTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) {
			o.Transactions = 1
			o.Random = rand.New(rand.NewPCG(1, 2)).Float64
		})
		sink := newSink(t, nil)
		w.host("mx1", sink.dial)
		w.host("mx2", sink.dial)
		r := routeTo("mx1")
		r.Groups[0] = append(r.Groups[0], route.Host{Name: "mx2", Port: 25})
		w.routes["example.net"] = r
		w.start()
		for range 200 {
			w.put("bob@example.net")
			synctest.Wait()
		}
		if one, two := w.dialled("mx1"), w.dialled("mx2"); one+two != 200 || one < 70 || two < 70 {
			t.Errorf("%d and %d connections", one, two)
		}
		w.stopped()
	})
}

func TestOldConnectionsAreNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Age, o.Idle = time.Minute, time.Hour })
		sink := newSink(t, nil)
		w.host("example.net", sink.dial)
		w.start()
		for range 4 {
			w.put("bob@example.net")
			time.Sleep(40 * time.Second)
		}
		if n := w.dialled("example.net"); n != 2 {
			t.Errorf("%d connections", n)
		}
		w.stopped()
	})
}

func TestNoMoreThanSomeAddressesAreTriedAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		var hosts []string
		for i := range 20 {
			hosts = append(hosts, fmt.Sprintf("mx%d", i))
		}
		w.routes["example.net"] = routeTo(hosts...)
		w.start()
		id := w.put("bob@example.net")
		synctest.Wait()
		if p := w.progress(id, 0); p.State != mail.Waiting || p.Attempts != 1 || p.Last.Host != "mx7" {
			t.Errorf("%+v", p)
		}
		if n := w.dialled("mx7") + w.dialled("mx8"); n != 1 {
			t.Errorf("%d connections to the last hosts", n)
		}
	})
}

func TestARouteWithoutHostsIsARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.routes["example.net"] = routeTo()
		w.start()
		id := w.put("bob@example.net")
		synctest.Wait()
		if p := w.progress(id, 0); p.State != mail.Waiting || p.Last.Problem == "" {
			t.Errorf("%+v", p)
		}
	})
}

func TestTargetsOfHosts(t *testing.T) {
	address := route.Address{Host: "mx.example.net", Network: "tcp", Addr: "192.0.2.25:25"}
	secret, open := &smtpclient.Login{}, &smtpclient.Login{AllowPlainText: true}
	for _, test := range []struct {
		tls  route.TLSPolicy
		host route.Host
		want attempt.Target
	}{
		{route.TLSOff, route.Host{}, attempt.Target{}},
		{route.TLSOpportunistic, route.Host{}, attempt.Target{TLS: smtpclient.TLSOpportunistic}},
		{route.TLSEncrypted, route.Host{}, attempt.Target{TLS: smtpclient.TLSRequired}},
		{route.TLSVerified, route.Host{}, attempt.Target{TLS: smtpclient.TLSRequired, Verify: true}},
		{route.TLSVerified, route.Host{Implicit: true}, attempt.Target{TLS: smtpclient.TLSImplicit, Verify: true}},
		{route.TLSOpportunistic, route.Host{Implicit: true}, attempt.Target{TLS: smtpclient.TLSImplicit}},
		{route.TLSOff, route.Host{Protocol: route.LMTP}, attempt.Target{LMTP: true}},
		{route.TLSOpportunistic, route.Host{Login: secret}, attempt.Target{TLS: smtpclient.TLSRequired, Verify: true, Login: secret}},
		{route.TLSOpportunistic, route.Host{Login: secret, Implicit: true}, attempt.Target{TLS: smtpclient.TLSImplicit, Verify: true, Login: secret}},
		{route.TLSEncrypted, route.Host{Login: secret}, attempt.Target{TLS: smtpclient.TLSRequired, Login: secret}},
		{route.TLSOff, route.Host{Login: secret}, attempt.Target{Login: secret}},
		{route.TLSOpportunistic, route.Host{Login: open}, attempt.Target{TLS: smtpclient.TLSOpportunistic, Login: open}},
	} {
		test.want.Host, test.want.Network, test.want.Address = address.Host, address.Network, address.Addr
		if got := targetOf(&route.Route{TLS: test.tls}, test.host, address); got != test.want {
			t.Errorf("%v, %+v: %+v, want %+v", test.tls, test.host, got, test.want)
		}
	}
}
