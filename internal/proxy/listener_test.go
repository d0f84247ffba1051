package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// fault is a connection that was refused.
type fault struct {
	from netip.Addr
	err  error
}

// listen returns a listener that trusts a network, and what it refuses.
func listen(t *testing.T, trusted string, patience time.Duration) (*Listener, chan fault) {
	t.Helper()
	below, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	faults := make(chan fault, 2*mostWaiting)
	l, err := Listen(below, Options{
		Trusted: []netip.Prefix{netip.MustParsePrefix(trusted)}, Patience: patience,
		Refused: func(from netip.Addr, err error) { faults <- fault{from, err} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, faults
}

// waitingOf is how many headers are waited for.
func waitingOf(l *Listener) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(time.Minute))
	return nc
}

func say(t *testing.T, nc net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(nc, text); err != nil {
		t.Fatal(err)
	}
}

func TestAHeaderIsTakenAndNothingBehindIt(t *testing.T) {
	for _, header := range []string{"PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\r\n", block(0x21, 0x11, four+"\x04\x00\x01x")} {
		l, _ := listen(t, "127.0.0.0/8", time.Minute)
		client := dial(t, l)
		say(t, client, header+"EHLO x\r\n")
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if got := nc.RemoteAddr().String(); got != "192.0.2.1:5000" {
			t.Errorf("the client is %s", got)
		}
		if got := nc.LocalAddr().String(); got != "198.51.100.2:25" {
			t.Errorf("it came to %s", got)
		}
		if line, err := bufio.NewReader(nc).ReadString('\n'); line != "EHLO x\r\n" {
			t.Errorf("behind the header: %q, %v", line, err)
		}
		if _, ok := nc.(syscall.Conn); !ok {
			t.Error("it is no socket any more")
		}
		if half, ok := nc.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
			t.Error("it cannot be closed by half")
		}
	}
}

// A header may arrive in any pieces.
func TestAHeaderMayComeInPieces(t *testing.T) {
	for _, header := range []string{"PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\r\n", block(0x21, 0x11, four)} {
		l, _ := listen(t, "127.0.0.0/8", time.Minute)
		client := dial(t, l).(*net.TCPConn)
		accepted := make(chan net.Conn, 1)
		go func() {
			nc, err := l.Accept()
			if err != nil {
				t.Error(err)
			}
			accepted <- nc
		}()
		for i := range len(header) {
			say(t, client, header[i:i+1])
		}
		nc := <-accepted
		if nc == nil {
			return
		}
		defer nc.Close()
		if got := nc.RemoteAddr().String(); got != "192.0.2.1:5000" {
			t.Errorf("the client is %s", got)
		}
	}
}

func TestOthersAreNotInterpreted(t *testing.T) {
	l, _ := listen(t, "192.0.2.0/24", time.Minute)
	client := dial(t, l)
	const text = "PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\r\n"
	say(t, client, text)
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if got, want := nc.RemoteAddr().String(), client.LocalAddr().String(); got != want {
		t.Errorf("the client is %s, want %s", got, want)
	}
	if line, err := bufio.NewReader(nc).ReadString('\n'); line != text {
		t.Errorf("it said %q, %v", line, err)
	}
}

func TestTheProxysOwnConnectionsKeepItsAddress(t *testing.T) {
	for _, header := range []string{"PROXY UNKNOWN\r\n", block(0x20, 0, "")} {
		l, _ := listen(t, "127.0.0.0/8", time.Minute)
		client := dial(t, l)
		say(t, client, header)
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if got, want := nc.RemoteAddr().String(), client.LocalAddr().String(); got != want {
			t.Errorf("the client is %s, want %s", got, want)
		}
	}
}

// serve accepts until the listener is closed.
func serve(t *testing.T, l *Listener) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				nc.Close()
			}
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
}

func TestBadAndLateHeadersCloseTheConnection(t *testing.T) {
	for _, said := range []string{"EHLO x\r\n", "PROXY TCP4 x\r\n", "", "PROXY "} {
		l, faults := listen(t, "127.0.0.0/8", 50*time.Millisecond)
		serve(t, l)
		client := dial(t, l)
		say(t, client, said)
		// A connection that is closed with input unread is reset.
		if n, err := client.Read(make([]byte, 1)); n != 0 || err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%q: the connection goes on: %d, %v", said, n, err)
		}
		f := <-faults
		if f.err == nil || !f.from.IsLoopback() {
			t.Errorf("%q: %v", said, f)
		}
	}
}

// A look whether somebody listens is no fault; an end within the header is one.
func TestAConnectionThatSaysNothingIsNoFault(t *testing.T) {
	l, faults := listen(t, "127.0.0.0/8", time.Minute)
	serve(t, l)
	dial(t, l).Close()
	client := dial(t, l)
	say(t, client, "PROXY ")
	client.Close()
	if f := <-faults; f.err.Error() != "the connection was closed within its PROXY header" {
		t.Errorf("%v", f.err)
	}
	if len(faults) > 0 {
		t.Errorf("%v", <-faults)
	}
}

// However many proxies are silent, those that speak are served.
func TestSilentConnectionsMakeWay(t *testing.T) {
	l, faults := listen(t, "127.0.0.0/8", time.Minute)
	accepted := make(chan net.Conn, 1)
	go func() {
		nc, _ := l.Accept()
		accepted <- nc
	}()
	for range mostWaiting {
		dial(t, l)
	}
	client := dial(t, l)
	say(t, client, "PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\r\n")
	nc := <-accepted
	if got := nc.RemoteAddr().String(); got != "192.0.2.1:5000" {
		t.Errorf("the client is %s", got)
	}
	nc.Close()
	if f := <-faults; !errors.Is(f.err, errCrowded) {
		t.Errorf("%v", f.err)
	}
	if n := waitingOf(l); n != mostWaiting-1 {
		t.Errorf("%d are waited for", n)
	}
}

func TestTheDeadlineFromOutsideHolds(t *testing.T) {
	l, _ := listen(t, "127.0.0.0/8", time.Minute)
	l.SetDeadline(time.Unix(1, 0))
	if _, err := l.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	l.SetDeadline(time.Time{})
	client := dial(t, l)
	say(t, client, "PROXY UNKNOWN\r\n")
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
}

// Whoever was taken from the queue is given out when the listener stops, and those
// in the queue stay there.
func TestTheRestIsGivenOut(t *testing.T) {
	l, _ := listen(t, "127.0.0.0/8", time.Minute)
	first := dial(t, l)
	accepted := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	for waitingOf(l) == 0 { // until it was taken from the queue
		runtime.Gosched()
	}
	l.SetDeadline(time.Unix(1, 0))
	if err := <-accepted; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	second := dial(t, l)
	say(t, second, "PROXY TCP4 192.0.2.2 198.51.100.2 5000 25\r\n")
	say(t, first, "PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\r\n")
	nc := l.Rest()
	if nc == nil || nc.RemoteAddr().String() != "192.0.2.1:5000" {
		t.Fatalf("the rest is %v", nc)
	}
	nc.Close()
	if nc := l.Rest(); nc != nil {
		t.Errorf("there is more: %v", nc.RemoteAddr())
	}
}

func TestNothingIsLeftWhenItIsClosed(t *testing.T) {
	l, faults := listen(t, "127.0.0.0/8", time.Minute)
	client := dial(t, l)
	go func() {
		for waitingOf(l) == 0 {
			runtime.Gosched()
		}
		l.Close()
	}()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
	l.Close() // waits for the readers
	if n, err := client.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Error("the connection is open still")
	}
	if len(faults) > 0 {
		t.Errorf("%v", <-faults)
	}
}
