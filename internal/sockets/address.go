package sockets

import (
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// split gives the network and the address of [net.Listen].
func split(address string) (network, rest string) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return "unix", path
	}
	return "tcp", address
}

// isBound says whether a socket is bound to a configured address.
func isBound(socket *os.File, address string) bool {
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	var bound unix.Sockaddr
	if err := raw.Control(func(fd uintptr) { bound, err = unix.Getsockname(int(fd)) }); err != nil {
		return false
	}
	network, rest := split(address)
	switch b := bound.(type) {
	case *unix.SockaddrUnix:
		return network == "unix" && b.Name == rest
	case *unix.SockaddrInet4:
		return network == "tcp" && isSame(netip.AddrFrom4(b.Addr), b.Port, rest)
	case *unix.SockaddrInet6:
		return network == "tcp" && isSame(netip.AddrFrom16(b.Addr), b.Port, rest)
	}
	return false
}

// isSame says whether an address is the configured one. Without a host that is
// every address of the machine.
func isSame(ip netip.Addr, port int, address string) bool {
	i := strings.LastIndexByte(address, ':')
	if i < 0 || address[i+1:] != strconv.Itoa(port) {
		return false
	}
	switch host := strings.Trim(address[:i], "[]"); host {
	case "":
		return ip.IsUnspecified()
	case "localhost":
		return ip.IsLoopback()
	default:
		want, err := netip.ParseAddr(host)
		return err == nil && want.Unmap().WithZone("") == ip.Unmap()
	}
}
