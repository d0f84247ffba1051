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

// BenchmarkTransaction takes messages of 10 KiB for one recipient, many on one
// connection. The client makes no allocation, so that all are the server's.
func BenchmarkTransaction(b *testing.B) {
	body := strings.Repeat("A line of a message, as long as they are.\r\n", 240)
	const envelope = "MAIL FROM:<sender@example.org> SIZE=10320\r\nRCPT TO:<recipient@example.net>\r\n"
	for name, turns := range map[string][]string{
		"DATA": {envelope + "DATA\r\n", body + ".\r\n"},
		"BDAT": {envelope + "BDAT " + strconv.Itoa(len(body)) + " LAST\r\n" + body},
	} {
		b.Run(name, func(b *testing.B) {
			s := &Server{Hostname: "mx.example.net"}
			s.NewSession = func(context.Context, *Conn) (Session, error) { return &discard{}, nil }
			conn := dialTCP(b, s)
			buf := make([]byte, 4096)
			hear(b, conn, buf, "220 ")
			say(b, conn, []byte("EHLO client.example.org\r\n"))
			hear(b, conn, buf, "250 ")
			var commands [][]byte
			for _, turn := range turns {
				commands = append(commands, []byte(turn))
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				for i, command := range commands {
					say(b, conn, command)
					want := "250 2.0.0 "
					if i < len(commands)-1 {
						want = "354 "
					}
					hear(b, conn, buf, want)
				}
			}
			say(b, conn, []byte("QUIT\r\n"))
			hear(b, conn, buf, "221 ")
		})
	}
}

func dialTCP(b *testing.B, s *Server) net.Conn {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go s.Serve(l)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		conn.Close()
		s.Close()
	})
	return conn
}

func say(b *testing.B, conn net.Conn, command []byte) {
	if _, err := conn.Write(command); err != nil {
		b.Fatal(err)
	}
}

// hear reads replies until the last line that is there begins as wanted.
func hear(b *testing.B, conn net.Conn, buf []byte, want string) {
	b.Helper()
	n := 0
	for {
		read, err := conn.Read(buf[n:])
		if err != nil {
			b.Fatal(err)
		}
		n += read
		if said := buf[:n]; bytes.HasSuffix(said, crlf) {
			line := said[bytes.LastIndexByte(said[:n-2], '\n')+1:]
			if string(line[:min(len(line), len(want))]) == want {
				return
			}
		}
	}
}
