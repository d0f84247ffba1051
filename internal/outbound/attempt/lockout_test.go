package attempt

import (
	"context"
	"errors"
	"net"
	"strings"
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
