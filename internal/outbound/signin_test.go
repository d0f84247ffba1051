package outbound

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// TestMailWaitsUntilSigningInSucceeds: what is wrong with a password is no fault of
// the mail, the operator is told of it, and once it is right the mail goes out.
func TestMailWaitsUntilSigningInSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		const greet = "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 AUTH PLAIN\n"
		w.peer("smarthost.test", greet+"C: AUTH PLAIN *\nS: 535 5.7.8 wrong\nC: QUIT\nS: 221 bye\n--- connection\n"+
			greet+"C: AUTH PLAIN *\nS: 235 in\nC: MAIL *\nS: 250 ok\nC: RCPT *\nS: 250 ok\nC: DATA\nS: 354 go\nC: <data>\nS: 250 ok\nC: QUIT\nS: 221 bye\n")
		w.routes["smarthost.test"].Groups[0][0].Login = &smtpclient.Login{
			Username: "bob", AllowPlainText: true,
			Password: func(context.Context) (string, error) { return "hunter2", nil },
		}
		w.start()
		id := w.put("b@smarthost.test")
		synctest.Wait()
		p := w.progress(id, 0)
		if p.State != mail.Waiting || p.Last.Stage != smtp.StageAUTH || p.Last.Reason != "auth-failed" || p.Last.Reply.Code != 535 {
			t.Errorf("%+v", p)
		}
		told := errors.Join(w.takeFaults()...)
		if told == nil || !strings.Contains(told.Error(), "signing in to smarthost.test") || !strings.Contains(told.Error(), "535 5.7.8 wrong") ||
			strings.Contains(told.Error(), "hunter2") {
			t.Errorf("the operator was told: %v", told)
		}
		if p := w.after(10*time.Minute, id, 0); p.State != mail.Relayed {
			t.Errorf("%+v", p)
		}
	})
}
