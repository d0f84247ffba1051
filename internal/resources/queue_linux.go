package resources

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tcpListen is the state of a socket that listens (TCP_LISTEN in the kernel's
// include/net/tcp_states.h).
const tcpListen = 10

// ListenQueue returns how many connections wait in the system's queue of a
// listening socket to be accepted, and how many may. One more than the limit
// fits; beyond that the kernel drops the last step of the handshake, and the
// client tries again after a second or more. It takes about two microseconds and
// is safe for concurrent use.
func ListenQueue(l syscall.Conn) (depth, limit int, err error) {
	info, err := tcpInfo(l)
	if err != nil {
		return 0, 0, err
	}
	if info.State != tcpListen {
		return 0, 0, ErrNotListening
	}
	// For a listening socket the kernel puts the queue in these two
	// (tcp_get_info in net/ipv4/tcp.c).
	return int(info.Unacked), int(info.Sacked), nil
}

// QueueAge returns for how long a connection that was just accepted had waited
// in the system's queue: the time since the client's last sign of life, which
// is the end of the handshake unless it spoke before the greeting; then it
// waited longer than this. The kernel counts in ticks of 1 to 10 ms. Safe for
// concurrent use.
func QueueAge(conn syscall.Conn) (time.Duration, error) {
	info, err := tcpInfo(conn)
	if err != nil {
		return 0, err
	}
	return time.Duration(info.Last_ack_recv) * time.Millisecond, nil
}

// SetBacklog gives a listening socket another limit for its queue, at most the
// system's (net.core.somaxconn). Connections that wait stay. Safe for
// concurrent use.
func SetBacklog(l syscall.Conn, n int) error {
	err := control(l, func(fd int) error { return unix.Listen(fd, n) })
	if err != nil {
		return fmt.Errorf("setting a backlog of %d: %w", n, err)
	}
	return nil
}

func tcpInfo(c syscall.Conn) (*unix.TCPInfo, error) {
	var info *unix.TCPInfo
	err := control(c, func(fd int) (err error) {
		info, err = unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("asking for TCP_INFO: %w", err)
	}
	return info, nil
}

// control runs do with the descriptor, which stays open meanwhile.
func control(c syscall.Conn, do func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var wrong error
	if err := raw.Control(func(fd uintptr) { wrong = do(int(fd)) }); err != nil {
		return err
	}
	return wrong
}
