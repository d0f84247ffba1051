//go:build unix

package smtpclient

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// TestCheckOverTCP checks that an idle session on a real socket is looked at
// without waiting, in plain text and under TLS.
func TestCheckOverTCP(t *testing.T) {
	const hello = "S: 220 mx\nC: EHLO *\nS: 250 mx\n"
	for name, c := range map[string]struct {
		dialogue string
		tls      TLSMode
		want     func(*Error) bool
	}{
		"plain, nothing":  {hello + quit, TLSNone, nil},
		"plain, 421":      {hello + "S: 421 4.4.2 idle\nclose\n", TLSNone, is421},
		"plain, closed":   {hello + "close\n", TLSNone, isClosed},
		"plain, unasked":  {hello + "S: 250 hello again\nclose\n", TLSNone, isUnasked},
		"TLS, nothing":    {"starttls\n" + hello + quit, TLSImplicit, nil},
		"TLS, 421":        {"starttls\n" + hello + "S: 421 4.4.2 idle\nclose\n", TLSImplicit, is421},
		"TLS, closed":     {"starttls\n" + hello + "close\n", TLSImplicit, isClosed},
		"TLS, unasked":    {"starttls\n" + hello + "S: 250 hello again\nclose\n", TLSImplicit, isUnasked},
		"plain, half 421": {hello + "S: 421 4.4\\c\nclose\n", TLSNone, isUnasked},
	} {
		t.Run(name, func(t *testing.T) {
			server := smtptest.NewServer(t, c.dialogue)
			client, err := New(t.Context(), server.Dial(), Options{TLS: c.tls})
			if err != nil {
				t.Fatal(err)
			}
			if c.want == nil {
				for range 3 {
					if err := client.Check(); err != nil {
						t.Errorf("a session that lives: %v", err)
					}
				}
				if err := client.Quit(t.Context()); err != nil {
					t.Error(err)
				}
				return
			}
			e := checkUntilError(t, client)
			if e.Stage != smtp.StageIdle || !e.Closed || !c.want(e) {
				t.Errorf("got %#v", e)
			}
		})
	}
}

func is421(e *Error) bool     { return e.Reply.Code == reply.ServiceNotAvailable }
func isUnasked(e *Error) bool { return e.Reply.IsZero() && errors.Is(e, ErrUnasked) }

// isClosed takes a reset too: that is what a close becomes where the server has
// not read all.
func isClosed(e *Error) bool { return e.Reply.IsZero() && isLost(e.Err) }

// checkUntilError asks until what the server has sent is there. Waiting for that
// without reading is what only the kernel can do, so the socket is asked.
func checkUntilError(t *testing.T, c *Client) *Error {
	t.Helper()
	for {
		waitReadable(t, c)
		err := c.Check()
		if err == nil {
			continue // a record without text, such as a session ticket
		}
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Fatalf("an error of another type: %v", err)
		}
		return e
	}
}

// waitReadable returns when the socket has something to read, or its end. It has
// to look before it waits: the runtime tells only of what comes after.
func waitReadable(t *testing.T, c *Client) {
	t.Helper()
	conn := c.guard.conn.(*net.TCPConn)
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var octet [1]byte
	if err := raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), octet[:], syscall.MSG_PEEK)
		return err != syscall.EAGAIN && err != syscall.EINTR
	}); err != nil {
		t.Fatal("nothing came: ", err)
	}
}
