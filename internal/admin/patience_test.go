package admin

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/mail"
)

// slow is a queue that takes its time to be looked through.
type slow struct {
	*memory
	takes time.Duration
}

func (s *slow) Scan(ctx context.Context, after mail.ID, each func(*mail.Envelope) bool) error {
	time.Sleep(s.takes)
	return s.memory.Scan(ctx, after, each)
}

// oneConn is a listener with one connection.
type oneConn struct {
	conns chan net.Conn
	once  sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	nc, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return nc, nil
}

func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.conns) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "test", Net: "unix"} }

func TestLongWorkIsNotCutOffByTheServersTimeLimit(t *testing.T) {
	for _, request := range []string{
		"POST /v1/queue/hold HTTP/1.1\r\nHost: weir\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"all\":true}",
		"GET /v1/queue HTTP/1.1\r\nHost: weir\r\n\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			client, conn := net.Pipe()
			l := &oneConn{conns: make(chan net.Conn, 1)}
			l.conns <- conn
			server := &http.Server{
				Handler:     Handler(options(&slow{filled(5), time.Hour})),
				ReadTimeout: time.Minute, WriteTimeout: time.Minute,
			}
			done := make(chan error)
			go func() { done <- server.Serve(l) }()
			go client.Write([]byte(request))
			status, err := bufio.NewReader(client).ReadString('\n')
			if err != nil || !strings.Contains(status, "200 OK") {
				t.Errorf("%q, %v", status, err)
			}
			client.Close()
			server.Close()
			<-done
		})
	}
}
