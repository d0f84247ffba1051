package outbound

import (
	"testing"
	"testing/synctest"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

// TestRefusedParametersCostNoTime: those whose parameter is refused go out at once in
// another transaction, without it, and the relay tells what the next hop will not.
func TestRefusedParametersCostNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		const from = "C: MAIL FROM:<alice@example.org>\nS: 250 ok\n"
		w.peer("example.net", "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 DSN\n"+
			from+"C: RCPT TO:<bob@example.net> NOTIFY=SUCCESS\nS: 504 5.5.4 no\nC: RCPT TO:<carol@example.net>\nS: 250 ok\nC: DATA\nS: 354 go\nC: <data>\nS: 250 taken\n"+
			from+"C: RCPT TO:<bob@example.net>\nS: 250 ok\nC: DATA\nS: 354 go\nC: <data>\nS: 250 taken\nC: QUIT\nS: 221 bye\n")
		w.peer("example.org", hello+takes("", "alice@example.org")+bye)
		e := w.envelope("alice@example.org", "bob@example.net", "carol@example.net")
		e.Recipients[0].Notify = smtp.NotifySuccess
		w.start()
		id := w.putEnvelope(e)
		synctest.Wait()
		for n := range 2 {
			if p := w.progress(id, n); p.State != mail.Relayed || p.Attempts != 1 {
				t.Errorf("recipient %d: %+v", n, p)
			}
		}
		if told := w.notices(); len(told) != 1 || told[0].Kind != "success" {
			t.Errorf("told %+v", told)
		}
	})
}
