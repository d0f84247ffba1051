package test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpserver"
	"github.com/weirmail/weir/smtptest"
)

// withNotices is a configuration in which notices to example.org go to one server,
// and all other mail to another.
func withNotices(notices *nextHop, nextHop string) string {
	return fmt.Sprintf("next_hop = \"smtp://%s\"\n[[route]]\nto = \"example.org\"\nnext_hop = \"smtp://%s\"\n", nextHop, notices.address)
}

// notice waits for the one notice and returns it.
func (h *nextHop) notice(t testing.TB, has ...string) string {
	t.Helper()
	text := string(h.await(t, 1)[0].content)
	for _, want := range has {
		if !strings.Contains(text, want) {
			t.Errorf("the notice has no %q:\n%s", want, text)
		}
	}
	return text
}

// RFC 2852: what could not be delivered in time comes back, and says so.
func TestAMessageThatCouldNotBeDeliveredInTimeComesBack(t *testing.T) {
	t.Parallel()
	notices := startNextHop(t, nil)
	// Nobody listens at the next hop, and the first retry would be after a minute.
	d := startDaemon(t, folder(t), withNotices(notices, fmt.Sprintf("127.0.0.1:%d", freePort(t))))
	c := dial(t, d.address())
	c.greet()
	began := time.Now()
	c.deliverWith("BY=3;R", "quick")
	notices.notice(t, "Action: failed\r\n", "Status: 5.4.7\r\n", "Deliver-By-Date: ", "connection refused",
		"The message was not delivered in the time that was set for it", "Subject: quick")
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("it came back after %v, and had 3 s", took)
	}
	until(t, "an empty queue", func() bool { return len(d.queued()) == 0 })
}

func TestALateMessageIsTriedOnWhereItsSenderWantsThat(t *testing.T) {
	t.Parallel()
	notices := startNextHop(t, nil)
	d := startDaemon(t, folder(t), withNotices(notices, fmt.Sprintf("127.0.0.1:%d", freePort(t))))
	c := dial(t, d.address())
	c.greet()
	c.deliverWith("BY=1;N", "whenever")
	notices.notice(t, "Action: delayed\r\n", "Deliver-By-Date: ", "Will-Retry-Until: ", "You wanted your message delivered by")
	if m := d.queued(); len(m) != 1 || m[0].DeliverBy == nil || m[0].ReturnIfLate {
		t.Errorf("the queue has %+v", m)
	}
	if show := d.weir("queue", "show", d.queued()[0].ID.String()); !strings.Contains(show, "its sender is told if it is late") {
		t.Errorf("the queue says:\n%s", show)
	}
}

func TestTheTimeThatIsLeftIsHandedOn(t *testing.T) {
	t.Parallel()
	hop := startNextHop(t, func(s *smtpserver.Server) { s.Offers = smtpserver.Offers{DeliverBy: true, Priority: true} })
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n", hop.address))
	c := dial(t, d.address())
	c.greet()
	c.deliverWith("BY=3600;R MT-PRIORITY=-3", "soon")
	m := hop.await(t, 1)[0].mail
	if by := m.DeliverBy; by.Mode != smtp.DeliverByReturn || by.Seconds > 3600 || by.Seconds < 3600-int64(patience.Seconds()) {
		t.Errorf("handed on with BY=%v", by)
	}
	if !m.HasPriority || m.Priority != -3 {
		t.Errorf("handed on with priority %v, %v", m.Priority, m.HasPriority)
	}
}

// RFC 2852 section 4.1.4.
func TestAServerThatKnowsNoDeadlinesDoesNotGetWhatIsToComeBack(t *testing.T) {
	t.Parallel()
	notices := startNextHop(t, nil)
	peer := smtptest.NewServer(t, `
S: 220 mx.test ESMTP
C: EHLO *
S: 250-mx.test
S: 250 PIPELINING
C: MAIL FROM:<ada@example.org>
C: RCPT TO:<bob@example.net>
C: DATA
S: 250 ok
S: 250 ok
S: 354 go on
C: <data>
S: 250 2.0.0 taken
C: QUIT
S: 221 bye
`)
	d := startDaemon(t, folder(t), withNotices(notices, peer.Addr())+"[delivery]\nconnections = 1\nidle = \"1s\"\n")
	c := dial(t, d.address())
	c.greet()
	c.deliverWith("BY=3600;R", "only in time")
	notices.notice(t, "Status: 5.3.3\r\n", "does not offer DELIVERBY")
	// In the other mode it is handed on, and the sender hears of that.
	c.deliverWith("BY=3600;N", "in time if it may be")
	peer.Wait()
	if text := string(notices.await(t, 2)[1].content); !strings.Contains(text, "Action: relayed\r\n") || !strings.Contains(text, "Subject: Your message was passed on") {
		t.Errorf("the notice is:\n%s", text)
	}
}
