package conformance

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// connection is the client's end of one connection.
type connection struct {
	nc         net.Conn
	in         *bufio.Reader
	out        []byte
	deadline   time.Time
	transcript []string
	writeErr   error
}

// dial connects to a server, with TLS from the start where config is not nil.
func dial(ctx context.Context, address string, config *tls.Config) (*connection, error) {
	nc, err := (&net.Dialer{}).DialContext(ctx, network(address), address)
	if err != nil {
		return nil, err
	}
	c := &connection{nc: nc, in: bufio.NewReaderSize(nc, 64<<10)}
	c.deadline, _ = ctx.Deadline()
	if err := nc.SetDeadline(c.deadline); err != nil {
		nc.Close()
		return nil, err
	}
	if config != nil {
		if err := c.startTLS(ctx, config); err != nil {
			nc.Close()
			return nil, err
		}
	}
	return c, nil
}

// network tells the path of a Unix socket from an address.
func network(address string) string {
	if strings.HasPrefix(address, "/") {
		return "unix"
	}
	return "tcp"
}

func (c *connection) close() { c.nc.Close() }

// say keeps what the client says for the next write.
func (c *connection) say(line []byte) {
	c.out = append(c.out, line...)
	c.transcript = append(c.transcript, "C: "+clip(string(line)))
}

// clip shortens what a transcript shows, in a form that can be printed.
func clip(s string) string {
	const most = 200
	s = strings.TrimSuffix(s, "\r\n")
	omitted := ""
	if len(s) > most {
		omitted = fmt.Sprintf(" … (%d octets)", len(s))
		s = s[:most]
	}
	quoted := fmt.Sprintf("%q", s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`) + omitted
}

// flush writes what was said. A peer that has gone shows at the next read, where
// its last words may be.
func (c *connection) flush() error {
	if len(c.out) == 0 || c.writeErr != nil {
		return nil
	}
	_, err := c.nc.Write(c.out)
	c.out = c.out[:0]
	if err != nil && isTimeout(err) {
		return fmt.Errorf("the server does not read: %w", err)
	}
	c.writeErr = err
	return nil
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// errClosed is the end of the connection in place of a reply.
var errClosed = errors.New("the connection was closed")

// reply reads one reply.
func (c *connection) reply() (*response, error) {
	r := &response{}
	for {
		line, err := c.line()
		if err != nil {
			return nil, err
		}
		if len(line) < 3 || !isCode(line[:3]) || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
			return nil, fmt.Errorf("%q is no reply", clip(line))
		}
		if r.code != "" && r.code != line[:3] {
			return nil, fmt.Errorf("the code changes from %s to %s within a reply", r.code, line[:3])
		}
		r.code = line[:3]
		more := len(line) > 3 && line[3] == '-'
		r.lines = append(r.lines, line[min(4, len(line)):])
		if !more {
			return r, nil
		}
	}
}

// maxReply bounds a line of a reply, far above the 512 octets of RFC 5321.
const maxReply = 64 << 10

func (c *connection) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if len(line) > 0 {
		c.transcript = append(c.transcript, "S: "+clip(string(line)))
	}
	switch {
	case err == nil:
	case len(line) == 0 && isEnd(err):
		c.transcript = append(c.transcript, "S: closed")
		return "", errClosed
	case isTimeout(err):
		return "", errors.New("no reply in time")
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("a line of more than %d octets", maxReply)
	default:
		return "", fmt.Errorf("%w in the middle of a line", errClosed)
	}
	text, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok || strings.Contains(text, "\r") {
		return "", fmt.Errorf("the line %q has a CR or LF that stands alone", clip(string(line)))
	}
	return text, nil
}

// isEnd tells an end of the connection, in order or not.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// end expects that nothing comes any more.
func (c *connection) end() error {
	line, err := c.line()
	if errors.Is(err, errClosed) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the connection is still open: %w", err)
	}
	return fmt.Errorf("got %q, want the end of the connection", clip(line))
}

// shut closes the client's half.
func (c *connection) shut() error {
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok {
		return errors.New("the connection has no halves")
	}
	c.transcript = append(c.transcript, "C: closes its side")
	if err := half.CloseWrite(); err != nil && !isEnd(err) && !errors.Is(err, syscall.ENOTCONN) {
		return err
	}
	return nil
}

// startTLS shakes hands.
func (c *connection) startTLS(ctx context.Context, config *tls.Config) error {
	if n := c.in.Buffered(); n > 0 {
		return fmt.Errorf("%d octets in plain text came before the handshake", n)
	}
	secure := tls.Client(c.nc, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	c.transcript = append(c.transcript, "-- TLS")
	c.nc, c.in = secure, bufio.NewReaderSize(secure, 64<<10)
	return nil
}
