package sockets

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// given returns a socket on an address as it would be given, and its address.
func given(t *testing.T, name, address string) (Given, net.Addr) {
	t.Helper()
	l, err := Open(address)
	if err != nil {
		t.Fatal(err)
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	defer l.Close()
	f, err := fileOf(l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return Given{Name: name, File: f}, l.Addr()
}

// Only a socket that nobody listens on makes way.
func TestAStaleSocketIsReplacedAndNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first, err := Open("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := Open("unix:" + path); err == nil {
		l.Close()
		t.Error("a socket in use was replaced")
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false)
	first.Close() // as if it was killed
	second, err := Open("unix:" + path)
	if err != nil {
		t.Fatalf("a stale socket: %v", err)
	}
	second.Close()
	if err := os.WriteFile(path, []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := Open("unix:" + path); err == nil {
		l.Close()
		t.Error("a file was replaced")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "somebody's" {
		t.Errorf("the file is %q, %v", b, err)
	}
}

func TestASocketThatFitsIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	named, namedAddress := given(t, "public", "127.0.0.1:0")
	handed, handedAddress := given(t, "127.0.0.1:0", "127.0.0.1:0")
	nameless, namelessAddress := given(t, "weir.socket", "127.0.0.1:0")
	local, _ := given(t, "", "unix:"+path)
	s := New([]Given{named, handed, nameless, local})
	for _, test := range []struct {
		name, address string
		want          string // the address; empty for a new one
	}{
		{"public", "127.0.0.1:1", namedAddress.String()},
		{"", "127.0.0.1:0", handedAddress.String()},
		{"x", namelessAddress.String(), namelessAddress.String()},
		{"admin.socket", "unix:" + path, path},
		{"public", "127.0.0.1:0", ""}, // all were taken
	} {
		l, err := s.Listen(test.name, test.address)
		if err != nil {
			t.Fatalf("%s %s: %v", test.name, test.address, err)
		}
		defer l.Close()
		if got := l.Addr().String(); l.Given != (test.want != "") || l.Given && got != test.want {
			t.Errorf("%s %s: %s, taken: %v; want %s", test.name, test.address, got, l.Given, test.want)
		}
	}
	if rest := s.Rest(); len(rest) != 0 {
		t.Errorf("left: %q", rest)
	}
}

func TestSocketsThatFitNowhereAreClosed(t *testing.T) {
	g, address := given(t, "other", "127.0.0.1:0")
	s := New([]Given{g})
	l, err := s.Listen("public", "127.0.0.1:0")
	if err != nil || l.Given {
		t.Fatal(l.Given, err)
	}
	defer l.Close()
	if rest := s.Rest(); len(rest) != 1 || rest[0] != "other" {
		t.Errorf("left: %q", rest)
	}
	if nc, err := net.Dial("tcp", address.String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("it was not closed: %v %v", nc, err)
	}
}

// The copies of a socket are handed to a child; its listener must not notice.
func TestCopiesLeaveTheListenerAsItIs(t *testing.T) {
	s := New(nil)
	l, err := s.Listen("", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	copies, err := s.Copies()
	if err != nil {
		t.Fatal(err)
	}
	defer Close(copies)
	copies[0].File.Fd() // what starting a process asks for
	accepted := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	if err := l.Listener.(*net.TCPListener).SetDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-accepted:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("Accept cannot be interrupted")
	}
	flags, err := unix.FcntlInt(copies[0].File.Fd(), unix.F_GETFL, 0)
	if err != nil || flags&syscall.O_NONBLOCK == 0 {
		t.Errorf("the socket blocks: flags %#x, %v", flags, err)
	}
}

func TestACopyOutlivesItsListener(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s := New(nil)
	l, err := s.Listen("", "unix:"+path)
	if err != nil {
		t.Fatal(err)
	}
	copies, err := s.Copies()
	if err != nil {
		t.Fatal(err)
	}
	s.Leave()
	l.Close()
	client, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	next, err := New(copies).Listen("", "unix:"+path)
	if err != nil || !next.Given {
		t.Fatal(next.Given, err)
	}
	defer next.Close()
	nc, err := next.Accept()
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
}

func TestASocketOfTheDeadIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	g, _ := given(t, "", "unix:"+path)
	if _, err := Open("unix:" + path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("one that is listened on: %v", err)
	}
	g.File.Close()
	l, err := Open("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

func TestNoSetOpensASocket(t *testing.T) {
	l, err := (*Set)(nil).Listen("", "127.0.0.1:0")
	if err != nil || l.Given {
		t.Fatal(l.Given, err)
	}
	l.Close()
	if rest := (*Set)(nil).Rest(); rest != nil {
		t.Error(rest)
	}
}

func TestAddressesAreTheSame(t *testing.T) {
	for _, good := range [][2]string{
		{"0.0.0.0:25", ":25"},
		{"[::]:25", ":25"},
		{"[::]:25", "[::]:25"},
		{"[::ffff:127.0.0.1]:25", "127.0.0.1:25"},
		{"127.0.0.1:25", "localhost:25"},
		{"[::1]:25", "[::1]:25"},
		{"[fe80::1]:25", "[fe80::1%eth0]:25"},
	} {
		if bound := netip.MustParseAddrPort(good[0]); !isSame(bound.Addr(), int(bound.Port()), good[1]) {
			t.Errorf("%s is not %s", good[0], good[1])
		}
	}
	for _, bad := range [][2]string{
		{"127.0.0.1:25", ":25"},
		{"127.0.0.1:25", "127.0.0.1:2525"},
		{"127.0.0.1:25", "127.0.0.2:25"},
		{"0.0.0.0:25", "[::]:25"},
		{"192.0.2.1:25", "localhost:25"},
		{"127.0.0.1:25", "25"},
		{"127.0.0.1:25", "name:25"},
	} {
		if bound := netip.MustParseAddrPort(bad[0]); isSame(bound.Addr(), int(bound.Port()), bad[1]) {
			t.Errorf("%s is %s", bad[0], bad[1])
		}
	}
}
