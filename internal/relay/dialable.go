package relay

import (
	"net"
	"strconv"
)

// Dialable returns the address by which a client on this machine reaches a
// listener.
func Dialable(a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	if !ok || !t.IP.IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(t.Port))
}
