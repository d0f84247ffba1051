package outbound

import (
	"context"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// One destination of many is dead, in the way that costs most: nobody answers, and
// each connection waits for its time-out. The others get their mail as if it were
// not there, although most of the mail is for it.
func TestADeadLaneDoesNotSlowTheOthers(t *testing.T) {
	const lanes, each, dead = 50, 20, 3000
	deliver := func(t *testing.T, dead int) (took time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			var w0 *world
			w := newWorld(t, func(o *Options) {
				o.InMemory = 400
				o.Attempt.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					if address == "dead.example:25" {
						<-ctx.Done() // the time-out of a connection
						return nil, ctx.Err()
					}
					return w0.connect(ctx, network, address)
				}
			})
			w0 = w
			sink := newSink(t, nil)
			for i := range lanes {
				w.host(fmt.Sprintf("mx%d.example", i), func() (net.Conn, error) {
					time.Sleep(20 * time.Millisecond) // the way there
					return sink.dial()
				})
			}
			w.routes["dead.example"] = routeTo("dead.example")
			w.start()
			began := time.Now()
			for n := range each {
				for range dead / each {
					w.put("bob@dead.example")
				}
				for i := range lanes {
					w.put(fmt.Sprintf("bob%d@mx%d.example", n, i))
				}
				time.Sleep(50 * time.Millisecond)
			}
			for sink.total() < lanes*each && time.Since(began) < 10*time.Minute {
				time.Sleep(10 * time.Millisecond)
			}
			took = time.Since(began)
			if got := sink.total(); got != lanes*each {
				t.Errorf("%d of %d messages arrived", got, lanes*each)
			}
			w.stopped()
		})
		return took
	}
	alone, beside := deliver(t, 0), deliver(t, dead)
	t.Logf("%v without the dead lane, %v beside it", alone, beside)
	if float64(alone) < 0.98*float64(beside) {
		t.Errorf("%v without the dead lane, %v beside it", alone, beside)
	}
}
