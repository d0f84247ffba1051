package sockets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Set is the listening sockets of a relay. It is safe for concurrent use. The nil
// Set opens everything and remembers nothing.
type Set struct {
	mu    sync.Mutex
	given []Given
	open  []opened
}

// opened is a socket that Listen has returned.
type opened struct {
	address  string // as it is configured
	listener net.Listener
	kept     bool
}

// Socket is a socket of a set.
type Socket struct {
	net.Listener
	// Given says that it was not opened by the set, and Kept that it stays
	// when the relay is gone.
	Given, Kept bool
}

// New returns a set that takes the given sockets where they fit. It owns the
// files.
func New(given []Given) *Set { return &Set{given: given} }

// Listen returns the given socket that is called name or has the address, or opens
// one. The address is that of a host and port, or "unix:" and a path. A Unix socket
// whose relay was killed is replaced; one that somebody listens on is not. One that
// was given is not removed from the file system when it is closed: it may not be
// ours.
func (s *Set) Listen(name, address string) (Socket, error) {
	if s == nil {
		l, err := Open(address)
		return Socket{Listener: l}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	socket, err := s.listen(name, address)
	if err == nil {
		s.open = append(s.open, opened{address, socket.Listener, socket.Kept})
	}
	return socket, err
}

// listen is Listen; mu is held.
func (s *Set) listen(name, address string) (Socket, error) {
	i := s.find(name, address)
	if i < 0 {
		l, err := Open(address)
		return Socket{Listener: l}, err
	}
	g := s.given[i]
	s.given = append(s.given[:i], s.given[i+1:]...)
	defer g.File.Close()
	// The connections of such a listener have the keep-alive that ours do
	// without: nothing says otherwise to a socket that exists.
	l, err := net.FileListener(g.File)
	if err != nil {
		return Socket{}, fmt.Errorf("taking the socket %q that was given: %w", g.Name, err)
	}
	return Socket{l, true, g.Kept}, nil
}

// find returns the index of the given socket that fits; -1 where none does. A name
// that fits is worth more than an address.
func (s *Set) find(name, address string) int {
	for i, g := range s.given {
		if g.Name == address || g.Name == name && name != "" {
			return i
		}
	}
	for i, g := range s.given {
		if isBound(g.File, address) {
			return i
		}
	}
	return -1
}

// Rest returns the names of the given sockets that nobody has asked for, and
// closes them.
func (s *Set) Rest() []string {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, g := range s.given {
		names = append(names, g.Name)
		g.File.Close()
	}
	s.given = nil
	return names
}

// Copies returns second descriptors of all open sockets: with them a socket
// outlives its listener. Each is called by its configured address. The caller
// closes them.
func (s *Set) Copies() ([]Given, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var copies []Given
	for _, o := range s.open {
		f, err := fileOf(o.listener)
		if err != nil {
			Close(copies)
			return nil, fmt.Errorf("copying the descriptor of %s: %w", o.address, err)
		}
		copies = append(copies, Given{o.address, f, o.kept})
	}
	return copies, nil
}

// Leave lets the Unix sockets stay in the file system when they are closed: a
// successor goes on with them.
func (s *Set) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.open {
		if u, ok := o.listener.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false)
		}
	}
}

// Close closes descriptors.
func Close(given []Given) {
	for _, g := range given {
		g.File.Close()
	}
}

// fileOf returns a second descriptor of a socket. The File method of the listener
// will not do: its files make the socket a blocking one when their number is asked
// for, also for the listener, whose Accept could not be interrupted any more.
func fileOf(l net.Listener) (*os.File, error) {
	c, ok := l.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("a %T has none", l)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	var second int
	var wrong error
	err = raw.Control(func(fd uintptr) { second, wrong = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err = errors.Join(err, wrong); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(second), l.Addr().String()), nil
}

// Open opens a socket that no successor is to go on with.
func Open(address string) (net.Listener, error) {
	network, address := split(address)
	// A client that has gone is noticed by the time-outs of the protocol: what
	// the kernel would ask of it costs five system calls a connection.
	config := net.ListenConfig{KeepAlive: -1}
	l, err := config.Listen(context.Background(), network, address)
	if network != "unix" || !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	if !isStale(address) {
		return nil, err
	}
	if err := os.Remove(address); err != nil {
		return nil, fmt.Errorf("removing a socket that nobody listens on: %w", err)
	}
	return net.Listen(network, address)
}

// isStale tells of a Unix socket whose process has ended without removing it. What
// is no socket is somebody's file, and what cannot be asked may be in use.
func isStale(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != os.ModeSocket {
		return false
	}
	nc, err := net.Dial("unix", path)
	if err == nil {
		nc.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
