package outbound

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtptest"
)

// throttle is a receiver that takes so many connections and so many messages a
// second, and answers 421 beyond.
type throttle struct {
	t     *testing.T
	group sync.WaitGroup
	began time.Time
	texts struct{ connections, rate string }
	takes time.Duration // for each message

	mu          sync.Mutex
	connections int     // allowed
	rate        float64 // a second; 0 is no limit
	tokens      float64
	at          time.Time
	open        int
	conns       []net.Conn
	taken       []time.Duration
	refused     []time.Duration // attempts, wherever they were
	most        int             // connections at a time
}

func newThrottle(t *testing.T, connections int, rate float64) *throttle {
	r := &throttle{t: t, connections: connections, rate: rate, tokens: rate, began: time.Now(), at: time.Now(), takes: 5 * time.Millisecond}
	r.texts.connections = "421 4.7.0 mx.example.net too many concurrent connections from your address"
	r.texts.rate = "421 4.7.0 mx.example.net you are sending too fast: rate limit exceeded, slow down"
	return r
}

func (r *throttle) set(connections int, rate float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.connections, r.rate = connections, rate
}

func (r *throttle) dial() (net.Conn, error) {
	client, server := smtptest.Pipe()
	r.mu.Lock()
	r.conns = append(r.conns, server)
	r.mu.Unlock()
	r.group.Go(func() { r.serve(server) })
	return client, nil
}

func (r *throttle) stop() {
	r.mu.Lock()
	for _, c := range r.conns {
		c.Close()
	}
	r.mu.Unlock()
	r.group.Wait()
}

// enter takes a place for a connection.
func (r *throttle) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open >= r.connections {
		r.refused = append(r.refused, time.Since(r.began))
		return false
	}
	r.open++
	r.most = max(r.most, r.open)
	return true
}

func (r *throttle) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
}

// token takes what the rate allows for a message.
func (r *throttle) token() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rate == 0 {
		return true
	}
	now := time.Now()
	r.tokens = min(r.rate, r.tokens+now.Sub(r.at).Seconds()*r.rate)
	r.at = now
	if r.tokens < 1 {
		r.refused = append(r.refused, time.Since(r.began))
		return false
	}
	r.tokens--
	return true
}

func (r *throttle) serve(c net.Conn) {
	defer c.Close()
	if !r.enter() {
		fmt.Fprintf(c, "%s\r\n", r.texts.connections)
		return
	}
	defer r.leave()
	in := bufio.NewReader(c)
	fmt.Fprint(c, "220 mx.example.net\r\n")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch {
		case strings.HasPrefix(line, "EHLO"):
			io.WriteString(c, "250 mx.example.net\r\n")
		case strings.HasPrefix(line, "MAIL"):
			if !r.token() {
				fmt.Fprintf(c, "%s\r\n", r.texts.rate)
				return
			}
			io.WriteString(c, "250 ok\r\n")
		case strings.HasPrefix(line, "DATA"):
			io.WriteString(c, "354 go\r\n")
			for line != ".\r\n" {
				if line, err = in.ReadString('\n'); err != nil {
					return
				}
			}
			time.Sleep(r.takes)
			r.mu.Lock()
			r.taken = append(r.taken, time.Since(r.began))
			r.mu.Unlock()
			io.WriteString(c, "250 taken\r\n")
		case strings.HasPrefix(line, "QUIT"):
			io.WriteString(c, "221 bye\r\n")
			return
		default:
			io.WriteString(c, "250 ok\r\n")
		}
	}
}

// between counts what was taken and refused in a time, in messages a second and as a
// share of the attempts.
func (r *throttle) between(from, to time.Duration) (rate, refused float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken, no := within(r.taken, from, to), within(r.refused, from, to)
	return float64(taken) / (to - from).Seconds(), float64(no) / float64(max(1, taken+no))
}

func within(times []time.Duration, from, to time.Duration) (n int) {
	for _, at := range times {
		if at >= from && at < to {
			n++
		}
	}
	return n
}

// reached returns when, after a moment, a rate was reached over five seconds.
func (r *throttle) reached(from time.Duration, rate float64) time.Duration {
	for at := from; at < from+10*time.Minute; at += time.Second {
		if got, _ := r.between(at, at+5*time.Second); got >= rate {
			return at + 5*time.Second - from
		}
	}
	return time.Hour
}

// fill keeps the queue full: it puts messages in for as long as fewer than some
// hundred wait.
func (w *world) fill(until time.Duration) (all []mail.ID) {
	for end := time.Now().Add(until); time.Now().Before(end); time.Sleep(time.Second) {
		for w.spool.stored() < 400 {
			all = append(all, w.put("bob@example.net"))
		}
	}
	return all
}

func TestTheSenderSettlesJustUnderWhatAReceiverTakes(t *testing.T) {
	type phase struct {
		connections int
		rate        float64
		bound       float64 // what can be had
	}
	for _, test := range []struct {
		name        string
		first, then phase
		vague       bool // the receiver does not say what there is too much of
	}{
		{name: "by rate, raised", first: phase{20, 20, 20}, then: phase{20, 40, 40}},
		{name: "by rate, lowered", first: phase{20, 30, 30}, then: phase{20, 10, 10}},
		{name: "by rate, slow", first: phase{20, 5, 5}, then: phase{20, 10, 10}},
		{name: "by connections, raised", first: phase{3, 0, 3 * 10}, then: phase{6, 0, 6 * 10}},
		{name: "by both", first: phase{2, 10, 10}, then: phase{4, 20, 20}},
		{name: "by rate, and does not say so", first: phase{20, 20, 20}, then: phase{20, 40, 40}, vague: true},
		{name: "by connections, and does not say so", first: phase{3, 0, 3 * 10}, then: phase{6, 0, 6 * 10}, vague: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				r := newThrottle(t, test.first.connections, test.first.rate)
				if test.first.rate == 0 {
					r.takes = 100 * time.Millisecond
				}
				if test.vague {
					r.texts.connections = "421 4.3.2 mx.example.net Service not available, try again later"
					r.texts.rate = r.texts.connections
				}
				w.host("example.net", r.dial)
				w.start()
				const each = 5 * time.Minute
				w.fill(each)
				r.set(test.then.connections, test.then.rate)
				w.fill(each)
				for n, p := range []phase{test.first, test.then} {
					from := time.Duration(n) * each
					reached := r.reached(from, 0.9*p.bound)
					settled, refused := r.between(from+2*time.Minute, from+each)
					t.Logf("90 %% after %v, then %.1f/s of %.1f, %.2f %% refused", reached, settled, p.bound, 100*refused)
					limit := time.Minute
					if n == 1 {
						limit = 2 * time.Minute
					}
					if reached > limit || settled < 0.9*p.bound || refused > 0.01 {
						t.Errorf("phase %d", n)
					}
				}
				w.stopped()
				r.stop()
			})
		})
	}
}
