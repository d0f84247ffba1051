package metrics

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

func text(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	all, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func TestEventsAreCounted(t *testing.T) {
	m := New("1.2.3")
	l := m.Listener()
	l.Accepted(event.Accepted{Envelope: &mail.Envelope{Size: 100, Recipients: make([]mail.Recipient, 2)}, Listener: "public", Took: time.Millisecond, SinceConnect: 300 * time.Millisecond})
	l.Accepted(event.Accepted{Envelope: &mail.Envelope{Size: 50, Recipients: make([]mail.Recipient, 1)}, Listener: "public"})
	at := func(state mail.State, r reply.Reply, reason string) event.Attempted {
		return event.Attempted{Progress: mail.Progress{State: state, Last: mail.Attempt{Reply: r, Reason: reason, Stage: smtp.StageRCPT}}, Delay: 2 * time.Second}
	}
	l.Attempted(at(mail.Relayed, reply.New(250, reply.NewStatus(1, 5), "fine"), ""))
	l.Attempted(at(mail.Waiting, reply.New(421, reply.NewStatus(7, 0), "slow down"), "rate-limit"))
	l.Attempted(at(mail.Waiting, reply.New(451, reply.NewStatus(7, 500), "private"), "other"))
	l.Attempted(at(mail.Failed, reply.Reply{}, "dns-failure"))
	l.Noticed(event.Noticed{Kind: "failure"})
	l.Authenticated(event.Authenticated{Mechanism: "PLAIN", Failed: true})
	l.Authenticated(event.Authenticated{Mechanism: "PLAIN", Failed: true, Err: errors.New("no directory")})
	l.Fault(event.Fault{Where: "spool"})
	m.Add(Reading{Name: "weir_things", Help: "Things.", Labels: []string{"kind"}, Read: func() []Sample { return []Sample{{[]string{"a"}, 7}} }})

	all := text(t, m)
	for _, want := range []string{
		`weir_build_info{version="1.2.3"} 1`,
		`weir_messages_accepted_total{listener="public"} 2`,
		`weir_accepted_bytes_total 150`,
		`weir_accepted_recipients_total 3`,
		`weir_accept_seconds_bucket{le="0.25"} 0`,
		`weir_accept_seconds_bucket{le="0.5"} 1`,
		`weir_accept_seconds_count 1`,
		`weir_take_seconds_count 2`,
		`weir_attempts_total{outcome="delivered"} 1`,
		`weir_attempts_total{outcome="deferred"} 2`,
		`weir_attempts_total{outcome="bounced"} 1`,
		`weir_replies_received_total{code="421",enhanced="4.7.0",reason="rate-limit",stage="rcpt"} 1`,
		`weir_replies_received_total{code="451",enhanced="other",reason="other",stage="rcpt"} 1`,
		`weir_replies_received_total{code="none",enhanced="",reason="dns-failure",stage="rcpt"} 1`,
		`weir_delivery_seconds_count 1`,
		`weir_notices_total{kind="failure"} 1`,
		`weir_authentications_total{mechanism="PLAIN",outcome="failed"} 1`,
		`weir_authentications_total{mechanism="PLAIN",outcome="fault"} 1`,
		`weir_faults_total{where="spool"} 1`,
		`weir_things{kind="a"} 7`,
	} {
		if !strings.Contains(all, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	problems, err := promlint.New(strings.NewReader(all)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "weir_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestPeersCannotFillTheMemoryWithCodes(t *testing.T) {
	m := New("")
	l := m.Listener()
	for detail := range uint16(1000) {
		r := reply.New(451, reply.NewStatus(7, detail), "x")
		l.Attempted(event.Attempted{Progress: mail.Progress{State: mail.Waiting, Last: mail.Attempt{Reply: r, Reason: "other"}}})
	}
	if n := strings.Count(text(t, m), "\nweir_replies_received_total{"); n > mostOfDetail+2 {
		t.Errorf("%d figures of one code", n)
	}
}
