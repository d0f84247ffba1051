package smtpserver

import (
	"bytes"
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
)

// discard is a session that takes everything and keeps nothing.
type discard struct{ buf [4096]byte }

func (*discard) Mail(context.Context, *Mail) error { return nil }
func (*discard) Rcpt(context.Context, *Rcpt) error { return nil }
func (*discard) Reset()                            {}
func (*discard) Close()                            {}

func (d *discard) Data(_ context.Context, content *Content) (string, error) {
	for {
		if _, err := content.Read(d.buf[:]); err != nil {
			if err == io.EOF {
				return "01JZ3X8Q2M5T7V9WABCDEFGHJK", nil
			}
			return "", err
		}
	}
}

// What a client sends for a message of 10 KiB to one recipient, turn by turn.
const (
	benchBody     = 10320
	benchEnvelope = "MAIL FROM:<sender@example.org> SIZE=10320\r\nRCPT TO:<recipient@example.net>\r\n"
)

func benchTurns() map[string][]string {
	body := strings.Repeat("A line of a message, as long as they are.\r\n", benchBody/43)
	return map[string][]string{
		"DATA": {benchEnvelope + "DATA\r\n", body + ".\r\n"},
		"BDAT": {benchEnvelope + "BDAT " + strconv.Itoa(len(body)) + " LAST\r\n" + body},
	}
}

// BenchmarkTransaction takes many messages on one connection. The client makes no
// allocation, so that all are the server's.
func BenchmarkTransaction(b *testing.B) {
	for name, turns := range benchTurns() {
		b.Run(name, func(b *testing.B) {
			client := newBenchClient(b, turns)
			b.ReportAllocs()
			b.SetBytes(benchBody)
			for b.Loop() {
				client.transact()
			}
		})
	}
}

// TestAllocationsOfATransaction holds the benchmark's number. It leaves room for the
// buffers that the pools lose now and then, as under the race detector.
func TestAllocationsOfATransaction(t *testing.T) {
	for name, turns := range benchTurns() {
		client := newBenchClient(t, turns)
		if got := testing.AllocsPerRun(200, client.transact); got > 16 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

// benchClient is a client that waits for the replies to each of its turns.
type benchClient struct {
	tb    testing.TB
	conn  net.Conn
	turns [][]byte
	buf   []byte
}

func newBenchClient(tb testing.TB, turns []string) *benchClient {
	tb.Helper()
	s := &Server{Hostname: "mx.example.net"}
	s.NewSession = func(context.Context, *Conn) (Session, error) { return &discard{}, nil }
	c := &benchClient{tb: tb, conn: dialTCP(tb, s), buf: make([]byte, 4096)}
	for _, turn := range turns {
		c.turns = append(c.turns, []byte(turn))
	}
	c.hear("220 ")
	c.say([]byte("EHLO client.example.org\r\n"))
	c.hear("250 ")
	return c
}

func (c *benchClient) transact() {
	for i, turn := range c.turns {
		c.say(turn)
		want := "250 2.0.0 "
		if i < len(c.turns)-1 {
			want = "354 "
		}
		c.hear(want)
	}
}

func dialTCP(tb testing.TB, s *Server) net.Conn {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		conn.Close()
		s.Close()
		<-served
	})
	return conn
}

func (c *benchClient) say(turn []byte) {
	if _, err := c.conn.Write(turn); err != nil {
		c.tb.Fatal(err)
	}
}

// hear reads replies until the last line that is there begins as wanted.
func (c *benchClient) hear(want string) {
	for n := 0; ; {
		read, err := c.conn.Read(c.buf[n:])
		if err != nil {
			c.tb.Fatal(err)
		}
		n += read
		if said := c.buf[:n]; bytes.HasSuffix(said, crlf) {
			line := said[bytes.LastIndexByte(said[:n-2], '\n')+1:]
			if string(line[:min(len(line), len(want))]) == want {
				return
			}
		}
	}
}
