package outbound

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/mail"
)

const (
	greeting = "S: 220 mx\nC: EHLO *\nS: 250 mx\n"
	tookAll  = greeting + "C: MAIL *\nS: 250 ok\nC: RCPT *\nS: 250 ok\nC: DATA\nS: 354 go\nC: <data>\nS: 250 ok\n"
	leaves   = "C: QUIT\nS: 221 bye\n"
)

// withBackup is a world whose mail for first.test goes to second.test where the
// host of that name does not take the session.
func withBackup(t *testing.T) *world {
	w := newWorld(t, nil)
	r := routeTo("first.test", "second.test")
	r.Backup = 1
	w.routes["first.test"] = r
	return w
}

func TestFallbackTakesWhatTheFirstHostDoesNot(t *testing.T) {
	for name, first := range map[string]string{
		"421 at the greeting":    "S: 421 4.3.2 too busy\n",
		"554 at the greeting":    "S: 554 5.7.1 not you\nC: QUIT\nS: 221 bye\n",
		"no greeting":            "close\n",
		"450 to EHLO":            "S: 220 mx\nC: EHLO *\nS: 421 4.3.2 no\n",
		"no listener":            "",
		"closed in the greeting": "close\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := withBackup(t)
				if first != "" {
					w.peer("first.test", first)
				}
				w.peer("second.test", tookAll+leaves)
				w.start()
				id := w.put("b@first.test")
				synctest.Wait()
				if p := w.progress(id, 0); p.State != mail.Relayed || p.Attempts != 1 {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

// The first host has had the message, in part or as a whole: nobody else gets it in
// the same attempt.
func TestFallbackDoublesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		first string
		want  mail.State
	}{
		"closed after the end of data is answered":  {tookAll + "close\n", mail.Relayed},
		"closed in the data":                        {greeting + "C: MAIL *\nS: 250 ok\nC: RCPT *\nS: 250 ok\nC: DATA\nS: 354 go\nclose\n", mail.Waiting},
		"closed before the end of data is answered": {greeting + "C: MAIL *\nS: 250 ok\nC: RCPT *\nS: 250 ok\nC: DATA\nS: 354 go\nC: <data>\nclose\n", mail.Waiting},
		"550 to the recipient":                      {greeting + "C: MAIL *\nS: 250 ok\nC: RCPT *\nS: 550 5.1.1 who\nC: *\n", mail.Failed},
		"451 after the end of data":                 {strings.Replace(tookAll, "C: <data>\nS: 250 ok\n", "C: <data>\nS: 451 4.3.0 later\n", 1) + leaves, mail.Waiting},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := withBackup(t)
				w.peer("first.test", test.first)
				second := 0
				w.host("second.test", func() (net.Conn, error) { second++; return nil, errRefused })
				w.start()
				id := w.put("b@first.test")
				synctest.Wait()
				if p := w.progress(id, 0); p.State != test.want {
					t.Errorf("%+v", p)
				}
				if second > 0 {
					t.Errorf("the second host was dialled %d times", second)
				}
				w.takeFaults()
			})
		})
	}
}

// Not each connection waits for the time-out of a host that is down, and it is tried
// again soon.
func TestTheFirstHostIsLeftForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withBackup(t)
		var slow time.Duration
		w.host("first.test", func() (net.Conn, error) {
			time.Sleep(20 * time.Second)
			slow += 20 * time.Second
			return nil, errRefused
		})
		w.peer("second.test", strings.Repeat(tookAll+leaves+"--- connection\n", 3)+tookAll+leaves)
		w.start()
		for range 4 { // each by a connection of its own
			id := w.put("b@first.test")
			if p := w.after(time.Minute, id, 0); p.State != mail.Relayed || p.Last.Host != "second.test" {
				t.Errorf("%+v", p)
			}
		}
		if slow != 40*time.Second {
			t.Errorf("it waited %v for the first host in 4 minutes", slow)
		}
		w.peer("first.test", tookAll+leaves)
		if p := w.after(time.Minute, w.put("b@first.test"), 0); p.State != mail.Relayed || p.Last.Host != "first.test" {
			t.Errorf("%+v", p)
		}
	})
}

// However many hosts are down, those that take their place are asked.
func TestFallbackIsReachedBehindManyHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		var hosts []string
		for i := range 2 * maxAddresses {
			hosts = append(hosts, string(rune('a'+i))+".test")
		}
		r := routeTo(append(hosts, "second.test")...)
		r.Backup = len(hosts)
		w.routes["first.test"] = r
		w.peer("second.test", tookAll+leaves)
		w.start()
		id := w.put("b@first.test")
		synctest.Wait()
		if p := w.progress(id, 0); p.State != mail.Relayed {
			t.Errorf("%+v", p)
		}
	})
}
