package resources

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

func listen(t testing.TB) *net.TCPListener {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func connect(t testing.TB, l net.Listener) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// awaitDepth waits until n connections are in the queue: the client hears of
// its success a moment before the listener does.
func awaitDepth(t testing.TB, l *net.TCPListener, n int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		depth, _, err := ListenQueue(l)
		if err != nil {
			t.Fatal(err)
		}
		if depth == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d in the queue, want %d", depth, n)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestTheQueueOfAListenerIsCounted(t *testing.T) {
	l := listen(t)
	awaitDepth(t, l, 0)
	for range 3 {
		connect(t, l)
	}
	awaitDepth(t, l, 3)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	awaitDepth(t, l, 2)
}

func TestABacklogIsSetWhileConnectionsWait(t *testing.T) {
	l := listen(t)
	connect(t, l)
	awaitDepth(t, l, 1)
	for _, n := range []int{7, 3} {
		if err := SetBacklog(l, n); err != nil {
			t.Fatal(err)
		}
		if _, limit, err := ListenQueue(l); limit != n || err != nil {
			t.Errorf("the limit is %d, %v, want %d", limit, err, n)
		}
	}
	awaitDepth(t, l, 1)
}

func TestQueueAgeIsTheTimeBeforeAccept(t *testing.T) {
	l := listen(t)
	connect(t, l)
	awaitDepth(t, l, 1)
	waited := 100 * time.Millisecond // real time: it is the kernel that counts
	start := time.Now()
	time.Sleep(waited)
	c, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	age, err := QueueAge(c)
	const tick = 10 * time.Millisecond // the coarsest that the kernel counts in
	if most := time.Since(start) + time.Second; err != nil || age < waited-tick || age > most {
		t.Errorf("got %v, %v, want %v to %v", age, err, waited-tick, most)
	}
}

func TestWhatIsNotAListenerHasNoQueue(t *testing.T) {
	l := listen(t)
	c := connect(t, l)
	if _, _, err := ListenQueue(c.(*net.TCPConn)); !errors.Is(err, ErrNotListening) {
		t.Errorf("got %v", err)
	}
	l.Close()
	if _, _, err := ListenQueue(l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: got %v", err)
	}
	if err := SetBacklog(l, 3); !errors.Is(err, net.ErrClosed) {
		t.Errorf("backlog of a closed one: got %v", err)
	}
}

func BenchmarkListenQueue(b *testing.B) {
	l := listen(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ListenQueue(l); err != nil {
			b.Fatal(err)
		}
	}
}
