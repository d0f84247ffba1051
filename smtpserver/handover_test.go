package smtpserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// handover is a server on a socket of which the test holds a second descriptor,
// as a successor would.
type handover struct {
	t       *testing.T
	server  *Server
	address string
	second  net.Listener
	served  chan error
	begun   chan struct{} // closed when Serve has returned
	done    chan error    // the result of HandOver
}

func startHandover(t *testing.T) *handover {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	second, err := net.FileListener(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { second.Close() })
	h := &handover{
		t: t, address: l.Addr().String(), second: second, served: make(chan error, 1),
		begun: make(chan struct{}), done: make(chan error, 1),
		server: &Server{Hostname: "mx.test", NewSession: func(context.Context, *Conn) (Session, error) { return &recorder{}, nil }},
	}
	go func() {
		h.served <- h.server.Serve(l)
		close(h.begun)
	}()
	return h
}

// begin hands the server over, and returns once it accepts nobody any more.
func (h *handover) begin() {
	h.t.Helper()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		h.done <- h.server.HandOver(ctx)
	}()
	<-h.begun
	if err := <-h.served; !errors.Is(err, ErrServerClosed) {
		h.t.Fatal(err)
	}
}

// end waits for the end of HandOver.
func (h *handover) end() {
	h.t.Helper()
	if err := <-h.done; err != nil {
		h.t.Fatal(err)
	}
}

// dial connects a client.
func (h *handover) dial() *lineClient {
	h.t.Helper()
	nc, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return &lineClient{h.t, nc, bufio.NewReader(nc)}
}

// lineClient says lines and hears replies.
type lineClient struct {
	t  *testing.T
	nc net.Conn
	in *bufio.Reader
}

// ask sends lines, where there are any, and wants replies that begin so.
func (c *lineClient) ask(lines string, want ...string) {
	c.t.Helper()
	if _, err := fmt.Fprint(c.nc, lines); err != nil {
		c.t.Fatal(err)
	}
	for _, w := range want {
		line, err := c.in.ReadString('\n')
		for err == nil && len(line) > 3 && line[3] == '-' {
			line, err = c.in.ReadString('\n')
		}
		if err != nil || !strings.HasPrefix(line, w) {
			c.t.Fatalf("heard %q, %v; want %q", line, err, w)
		}
	}
}

func TestHandOverLeavesTheQueueToTheSuccessor(t *testing.T) {
	h := startHandover(t)
	h.dial().ask("QUIT\r\n", "220 ", "221 ")
	h.begin()
	c := h.dial()
	h.end()
	successor := &Server{Hostname: "next.test", NewSession: h.server.NewSession}
	go successor.Serve(h.second)
	defer successor.Close()
	c.ask("QUIT\r\n", "220 next.test ", "221 ")
}

func TestHandOverLetsSessionsThatBeganSendTheirMessage(t *testing.T) {
	h := startHandover(t)
	fresh, busy := h.dial(), h.dial()
	fresh.ask("", "220 ")
	busy.ask("EHLO client.test\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n", "220 ", "250 ", "250 ", "250 ", "354 ")
	h.begin()
	fresh.ask("EHLO client.test\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n", "250 ", "250 ", "250 ", "354 ")
	busy.ask("x\r\n.\r\nQUIT\r\n", "250 ", "221 ")
	fresh.ask("x\r\n.\r\nQUIT\r\n", "250 ", "221 ")
	h.end()
}

func TestHandOverSendsIdleSessionsAway(t *testing.T) {
	h := startHandover(t)
	idle := h.dial()
	idle.ask("EHLO client.test\r\n", "220 ", "250 ")
	h.begin()
	idle.ask("", "421 4.3.2 mx.test ")
	h.end()
}

func TestAServerThatHandedOverServesNobody(t *testing.T) {
	h := startHandover(t)
	h.dial().ask("QUIT\r\n", "220 ", "221 ")
	h.begin()
	h.end()
	if err := h.server.Serve(h.second); !errors.Is(err, ErrServerClosed) {
		t.Fatal(err)
	}
}
