package attempt

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
	"github.com/weirmail/weir/smtptest"
)

// TestTheSamePasswordIsNotShownAgainSoon, since that locks accounts; another one is at
// once, and what is right ends it.
func TestTheSamePasswordIsNotShownAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const greet = "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 AUTH PLAIN LOGIN\nC: AUTH PLAIN *\n"
		wrong, right := greet+"S: 535 5.7.8 wrong\n"+bye, greet+"S: 235 in\n"+bye
		server := smtptest.NewPipeServer(t, strings.Join([]string{wrong, wrong, wrong, right, wrong}, "--- connection\n"))
		dials := 0
		o := options(func(context.Context, string, string) (net.Conn, error) { dials++; return server.Dial(), nil })
		o.Lockout = &Lockout{}
		password, broken := "first", error(nil)
		target := mx
		target.Login = &smtpclient.Login{Username: "bob", AllowPlainText: true, Password: func(context.Context) (string, error) { return password, broken }}
		try := func(wantDials int, wantIn bool) {
			t.Helper()
			c, failure := Connect(t.Context(), target, o)
			if dials != wantDials || (failure == nil) != wantIn {
				t.Fatalf("%d connections, want %d; %v", dials, wantDials, failure)
			}
			if failure == nil {
				c.Close(t.Context())
				return
			}
			if failure.Stage != smtp.StageAUTH || failure.Reply.Code != 535 || strings.Contains(failure.Err.Error(), password) {
				t.Errorf("%v", failure)
			}
		}
		try(1, false)
		try(1, false) // the next address of the same server
		time.Sleep(minLockout)
		try(2, false)
		time.Sleep(minLockout)
		try(2, false) // it takes twice as long now
		password = "second"
		try(3, false)
		try(3, false)
		password = "right"
		try(4, true)
		password = "second"
		try(5, false) // a login that was accepted begins anew
		broken = errors.New("no such file")
		if f := o.Lockout.bars(t.Context(), target.Login, time.Now()); f != nil {
			t.Errorf("a password that cannot be had is not the one refused: %v", f)
		}
		server.Wait()
	})
}

// TestWhatIsNoRefusalOfAPasswordBarsNothing.
func TestWhatIsNoRefusalOfAPasswordBarsNothing(t *testing.T) {
	const greet = "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH PLAIN *\n"
	for _, answer := range []string{"454 4.7.0 later", "504 5.5.4 no", "421 4.3.2 bye"} {
		script := greet + "S: " + answer + "\ndrain\n"
		server := smtptest.NewPipeServer(t, script+"--- connection\n"+script)
		dials := 0
		o := options(func(context.Context, string, string) (net.Conn, error) { dials++; return server.Dial(), nil })
		o.Lockout, o.Timeouts.QUIT = &Lockout{}, time.Millisecond
		target := mx
		target.Login = &smtpclient.Login{AllowPlainText: true, Password: func(context.Context) (string, error) { return "x", nil }}
		for range 2 {
			if _, failure := Connect(t.Context(), target, o); failure == nil {
				t.Error("signed in")
			}
		}
		if dials != 2 {
			t.Errorf("%s: %d connections", answer, dials)
		}
	}
}

// TestOneConnectionTriesAPassword: of many that are opened at once one shows it, and
// only once it is known to be right the others do.
func TestOneConnectionTriesAPassword(t *testing.T) {
	for answer, shown := range map[string]int{"535 5.7.8 wrong": 1, "235 in": 5} {
		t.Run(answer, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				tries := 0
				dial := func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := smtptest.Pipe()
					go func() {
						defer theirs.Close()
						theirs.Write([]byte("220 mx\r\n"))
						for lines := bufio.NewScanner(theirs); lines.Scan(); {
							switch verb, _, _ := strings.Cut(lines.Text(), " "); verb {
							case "EHLO":
								theirs.Write([]byte("250-mx\r\n250 AUTH PLAIN\r\n"))
							case "AUTH":
								mu.Lock()
								tries++
								mu.Unlock()
								time.Sleep(time.Second)
								theirs.Write([]byte(answer + "\r\n"))
							default:
								theirs.Write([]byte("221 bye\r\n"))
								return
							}
						}
					}()
					return ours, nil
				}
				o := options(dial)
				o.Lockout = &Lockout{}
				target := mx
				target.Login = &smtpclient.Login{Username: "bob", AllowPlainText: true, Password: func(context.Context) (string, error) { return "x", nil }}
				var group sync.WaitGroup
				for range 5 {
					group.Go(func() {
						c, failure := Connect(t.Context(), target, o)
						if failure == nil {
							c.Close(t.Context())
							return
						}
						if failure.Stage != smtp.StageAUTH || failure.Reply.Code != 535 {
							t.Errorf("%v", failure)
						}
					})
				}
				group.Wait()
				synctest.Wait()
				if tries != shown {
					t.Errorf("shown %d times, want %d", tries, shown)
				}
			})
		})
	}
}
