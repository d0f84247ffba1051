package outbound

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtpclient"
)

// nonsense is what a next hop says that is no SMTP server, or no longer.
var nonsense = map[string]func(net.Conn){
	"random octets":       func(c net.Conn) { io.CopyN(c, rand.NewChaCha8([32]byte{7}), 1<<16) },
	"an endless line":     func(c net.Conn) { endless(c, bytes.Repeat([]byte("220-aaaa"), 1000)) },
	"an endless greeting": func(c net.Conn) { endless(c, bytes.Repeat([]byte("220-hello\r\n"), 1000)) },
	"an endless EHLO":     afterGreeting(func(c net.Conn) { endless(c, bytes.Repeat([]byte("250-X\r\n"), 1000)) }),
	"zeros":               func(c net.Conn) { endless(c, make([]byte, 4096)) },
	"three digits":        says("999 what\r\n"),
	"no digits":           says("hello\r\n"),
	"two digits":          says("22\r\n"),
	"mixed codes":         says("220-a\r\n221 b\r\n"),
	"a bare newline":      says("220 a\n"),
	"a 3yz greeting":      says("354 go on\r\n"),
	"HTTP":                says("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
	"a TLS alert":         says("\x15\x03\x01\x00\x02\x02\x28"),
	"nothing":             func(c net.Conn) { io.Copy(io.Discard, c) },
	"a closed door":       func(net.Conn) {},
	"half a greeting":     says("220 mx"),
	"silence after EHLO":  afterGreeting(func(c net.Conn) { io.Copy(io.Discard, c) }),
	"354 to everything":   answering("354 go on\r\n"),
	"220 to everything":   answering("220 ready\r\n"),
	"empty lines":         answering("\r\n"),
	"its own commands":    answering("MAIL FROM:<a@b>\r\n"),
	"many replies":        answering("250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n"),
	"450 to everything":   answering("450 no\r\n"),
}

func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, text)
		io.Copy(io.Discard, c)
	}
}

func afterGreeting(then func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, "220 mx ESMTP\r\n")
		then(c)
	}
}

// answering greets and then answers so to whatever comes.
func answering(text string) func(net.Conn) {
	return afterGreeting(func(c net.Conn) {
		b := make([]byte, 4096)
		for {
			if _, err := c.Read(b); err != nil {
				return
			}
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	})
}

func endless(c net.Conn, part []byte) {
	for {
		if _, err := c.Write(part); err != nil {
			return
		}
	}
}

// Whatever a next hop says, the mail stays, and says why.
func TestANextHopThatTalksNonsense(t *testing.T) {
	for name, speak := range nonsense {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const short = 300 * time.Millisecond
			settled := make(chan mail.Progress, 1)
			w := newWorld(t, func(o *Options) {
				o.Attempt.DialTimeout = 10 * time.Second
				o.Attempt.Timeouts = smtpclient.Timeouts{
					Greeting: short, EHLO: short, STARTTLS: short, MAIL: short, RCPT: short,
					DATAInit: short, DATABlock: short, Content: short, RSET: short, QUIT: short,
				}
			})
			address := listen(t, speak)
			w.host("example.net", func() (net.Conn, error) { return net.Dial("tcp", address) })
			w.heard = func(p mail.Progress) { settled <- p }
			w.start()
			w.put("bob@example.net")
			select {
			case p := <-settled:
				charged := 1
				if p.Last.Reply.Code.Transient() {
					charged = 0 // it only asks for patience
				}
				if p.State != mail.Waiting || p.Attempts != charged || p.Due.IsZero() {
					t.Errorf("%+v", p)
				}
				if p.Last.Problem == "" && p.Last.Reply.IsZero() || len(p.Last.Problem) > 1000 || strings.ContainsAny(p.Last.Problem, "\r\n\x00") {
					t.Errorf("the problem is %q, the reply %q", p.Last.Problem, p.Last.Reply)
				}
			case <-time.After(30 * time.Second):
				t.Error("it still tries")
			}
			w.stopped()
		})
	}
}

// listen lets a function speak on each connection.
func listen(t *testing.T, speak func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.SetDeadline(time.Now().Add(20 * time.Second))
			speak(c)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return l.Addr().String()
}
