package proxy

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// socket is what a connection has to offer.
type socket interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// conn is a connection with the addresses that the proxy told. It is a socket as
// the one below it, so that the server may wait on the descriptor.
type conn struct {
	socket
	ends
}

// RemoteAddr returns the address of the client that the proxy speaks for.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// LocalAddr returns the address that the client connected to.
func (c *conn) LocalAddr() net.Addr { return c.local }

// readHeader takes the header off a connection, and returns the connection as it
// is to the server. The deadline is for all of it.
func readHeader(nc socket, deadline time.Time) (net.Conn, error) {
	if err := nc.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	header, err := takeHeader(nc)
	if err != nil {
		return nil, err
	}
	e, err := parse(header)
	if err != nil {
		return nil, err
	}
	if err := nc.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	if e.remote == nil {
		return nc, nil
	}
	return &conn{nc, e}, nil
}

// takeHeader reads a header and nothing behind it.
func takeHeader(nc socket) ([]byte, error) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return nil, err
	}
	var t taker
	if err := raw.Read(t.take); err != nil {
		return nil, t.late(err)
	}
	return t.header, t.err
}

// taker is a header on its way in.
type taker struct {
	header []byte // what was taken of it
	err    error
}

// take is called when there may be input, and reports whether that was the last of
// the header. It looks at what is there first and then takes what is the header's:
// all of it, or up to the header's end.
func (t *taker) take(fd uintptr) bool {
	var room [longest]byte
	for {
		begun := copy(room[:], t.header)
		n, err := look(int(fd), room[begun:])
		switch {
		case err == syscall.EAGAIN:
			return false
		case err != nil:
			t.err = os.NewSyscallError("recvfrom", err)
			return true
		case n == 0:
			t.err = endedAfter(begun)
			return true
		}
		size, err := extent(room[:begun+n])
		if err != nil {
			t.err = err
			return true
		}
		wanted := n
		if size > 0 {
			wanted = size - begun
		}
		if n, err = read(int(fd), room[begun:begun+wanted]); err != nil {
			t.err = os.NewSyscallError("read", err)
			return true
		}
		if t.header = append(t.header, room[begun:begun+n]...); size > 0 && len(t.header) == size {
			return true
		}
	}
}

// look peeks at the input.
func look(fd int, room []byte) (int, error) {
	for {
		n, _, err := syscall.Recvfrom(fd, room, syscall.MSG_PEEK)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// read takes input that is there.
func read(fd int, room []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, room)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// errSilent ends a connection that was closed before anything was said on it, as
// those of load balancers are that look whether somebody listens.
var errSilent = errors.New("the connection was closed before its PROXY header")

func endedAfter(n int) error {
	if n == 0 {
		return errSilent
	}
	return errors.New("the connection was closed within its PROXY header")
}

// late says what a deadline that has passed means.
func (t *taker) late(err error) error {
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case len(t.header) == 0:
		return errors.New("no PROXY header came in time: does the proxy send one?")
	}
	return errors.New("the PROXY header did not come in time")
}
