package smtpclient

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtp"
)

// BenchmarkSend hands 10 KiB messages over on one connection to a server that
// does as little as possible. The allocations are the client's: the server makes
// none.
func BenchmarkSend(b *testing.B) {
	for name, offer := range map[string]string{
		"CHUNKING": "250-mx\r\n250-PIPELINING\r\n250-SIZE\r\n250 CHUNKING\r\n",
		"DATA":     "250-mx\r\n250-PIPELINING\r\n250 SIZE\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			c := benchClient(b, offer)
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			message := bytes.Repeat([]byte("A line of a message, as long as they are.\r\n"), 240)
			t := &Transaction{
				ReversePath: smtp.Path{Local: "sender", Domain: "example.org"},
				Recipients:  []Recipient{{Path: smtp.Path{Local: "recipient", Domain: "example.net"}}},
				Content:     Content{Header: []byte("Return-Path: <sender@example.org>\r\n"), Bytes: message},
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(message)))
			for b.Loop() {
				r, err := c.Send(ctx, t)
				if err != nil || !r.Recipients[0].Delivered() {
					b.Fatal(r, err)
				}
			}
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	c := benchClient(b, "250 mx\r\n")
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Check(); err != nil {
			b.Fatal(err)
		}
	}
}

func benchClient(b *testing.B, offer string) *Client {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		serveBench(conn, offer)
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	c, err := New(b.Context(), conn, Options{LocalName: "bench.example.org"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		c.Close()
		listener.Close()
		<-done
	})
	return c
}

// serveBench accepts everything and answers when it has read all that came.
func serveBench(conn net.Conn, offer string) {
	r := bufio.NewReaderSize(conn, 128<<10)
	out := []byte("220 mx\r\n")
	for {
		if r.Buffered() == 0 {
			if _, err := conn.Write(out); err != nil {
				return
			}
			out = out[:0]
		}
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		switch string(line[:4]) {
		case "EHLO":
			out = append(out, offer...)
		case "DATA":
			out = append(out, "354 go\r\n"...)
			if _, err := conn.Write(out); err != nil {
				return
			}
			for string(line) != ".\r\n" {
				if line, err = r.ReadSlice('\n'); err != nil {
					return
				}
			}
			out = append(out[:0], "250 2.0.0 Ok: queued as 4F2B\r\n"...)
		case "BDAT":
			size, _ := strconv.Atoi(strings.Fields(string(line))[1])
			if _, err := io.CopyN(io.Discard, r, int64(size)); err != nil {
				return
			}
			out = append(out, "250 2.0.0 Ok: queued as 4F2B\r\n"...)
		default:
			out = append(out, "250 2.1.0 Ok\r\n"...)
		}
	}
}
