package test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// nonsense is a server that answers every connection with the same octets,
// and then closes or is silent.
func nonsense(t testing.TB, talk func(nc net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				nc.SetDeadline(time.Now().Add(patience))
				talk(nc)
			}()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

func TestANextHopThatTalksNonsenseLosesNothing(t *testing.T) {
	once := func(text string) func(net.Conn) {
		return func(nc net.Conn) { io.WriteString(nc, text); io.Copy(io.Discard, nc) }
	}
	for name, talk := range map[string]func(net.Conn){
		"closes at once":      func(net.Conn) {},
		"HTTP":                once("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
		"TLS":                 func(nc net.Conn) { io.WriteString(nc, "\x15\x03\x01\x00\x02\x02\x28") },
		"zeros":               once(strings.Repeat("\x00", 4096)),
		"line without an end": once(strings.Repeat("2", 1<<20)),
		"reply without an end": func(nc net.Conn) {
			line := []byte("220-" + strings.Repeat("x", 500) + "\r\n")
			for {
				if _, err := nc.Write(bytes.Repeat(line, 100)); err != nil {
					return
				}
			}
		},
		"code 999":           once("999 what\r\n"),
		"354 as a greeting":  once("354 go on\r\n"),
		"554 as a greeting":  once("421 4.3.2 not now\r\n"),
		"greeting, then bye": func(nc net.Conn) { io.WriteString(nc, "220 x ESMTP\r\n250 x\r\n"); nc.Read(make([]byte, 100)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := nonsense(t, talk)
			dir := folder(t)
			d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n", bad))
			s := sample{name: "kept", content: []byte(header("kept", "") + "x\r\n")}
			sendByClient(t, d.address(), &s, "")
			until(t, "the attempt in the queue", func() bool {
				return strings.Contains(d.weir("queue", "list", "--json"), `"last":{`)
			})
			if out := d.weir("queue", "list"); !strings.Contains(out, "1 message") {
				t.Errorf("the queue does not hold the message: %s", out)
			}
			if code := d.stop(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			hop := startNextHop(t, nil)
			d = startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address))
			d.weir("queue", "retry", "--all")
			hop.await(t, 1)
		})
	}
}
