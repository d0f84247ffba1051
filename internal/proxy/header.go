package proxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	proxyproto "github.com/pires/go-proxyproto"
)

// The bounds of a header: a line of version 1, and what stands behind the length
// in version 2, where certificates of clients may be.
const (
	longestLine  = 107
	fixedPart    = 16
	longestBlock = 4096
	longest      = fixedPart + longestBlock
)

// The beginnings of the versions.
const (
	lineStart  = "PROXY "
	blockStart = "\r\n\r\n\x00\r\nQUIT\n"
)

// The reasons for which a header is refused before its addresses are looked at.
var (
	errNoHeader = errors.New("the connection does not begin with a PROXY header")
	errTooLong  = errors.New("the PROXY header is too long")
)

// extent tells how many octets the header has that p begins with. It is 0 where
// more of it has to arrive before that can be told, or before all of it is there.
func extent(p []byte) (int, error) {
	switch {
	case isPrefix(p, lineStart):
		return lineExtent(p)
	case isPrefix(p, blockStart):
		return blockExtent(p)
	}
	return 0, errNoHeader
}

// isPrefix says whether p begins with start, as far as p goes.
func isPrefix(p []byte, start string) bool {
	n := min(len(p), len(start))
	return string(p[:n]) == start[:n]
}

// lineExtent is the extent of version 1, which ends with its line.
func lineExtent(p []byte) (int, error) {
	if i := bytes.IndexByte(p[:min(len(p), longestLine)], '\n'); i >= 0 {
		return i + 1, nil
	}
	if len(p) >= longestLine {
		return 0, errTooLong
	}
	return 0, nil
}

// blockExtent is the extent of version 2, which says how long it is.
func blockExtent(p []byte) (int, error) {
	if len(p) < fixedPart {
		return 0, nil
	}
	block := int(binary.BigEndian.Uint16(p[fixedPart-2:]))
	switch {
	case block > longestBlock:
		return 0, errTooLong
	case len(p) < fixedPart+block:
		return 0, nil
	}
	return fixedPart + block, nil
}

// ends are the addresses of a connection; nil where those of the socket hold.
type ends struct {
	remote, local *net.TCPAddr
}

// parse reads a whole header. A proxy that speaks for itself, or does not know for
// whom, gives no addresses. Those of Unix sockets are not used either: they say
// nothing of who it is, and to the relay a Unix socket is somebody it trusts.
func parse(header []byte) (ends, error) {
	h, err := proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(header), max(len(header), fixedPart)))
	if err != nil {
		return ends{}, fmt.Errorf("reading the PROXY header: %w", err)
	}
	if h.Command.IsLocal() || h.TransportProtocol.IsUnix() || h.TransportProtocol.IsUnspec() {
		return ends{}, nil
	}
	remote, local, ok := h.TCPAddrs()
	if !ok {
		return ends{}, errors.New("reading the PROXY header: it speaks of something other than TCP")
	}
	return ends{remote, local}, nil
}
