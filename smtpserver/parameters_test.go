package smtpserver

import (
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/smtp"
)

// until writes a moment from now on.
func until(d time.Duration) string { return smtp.FormatHoldUntil(time.Now().Add(d)) }

func TestParametersOfMAIL(t *testing.T) {
	offers := Offers{DeliverBy: true, DeliverByMin: time.Minute, FutureRelease: time.Hour, Priority: true}
	for _, tc := range []struct{ rule, parameters, want string }{
		{"RFC 2852 4 return", "BY=120;R", "250"},
		{"RFC 2852 4 notify", "BY=120;NT", "250"},
		{"RFC 2852 4 notify, and the time is over", "BY=-1;N", "250"},
		{"RFC 2852 4 return, and the time is over", "BY=0;R", "501"},
		{"RFC 2852 3 less than the least time", "BY=59;R", "501"},
		{"RFC 2852 3 less than the least time to notify", "BY=59;N", "250"},
		{"RFC 2852 4 another mode", "BY=120;X", "501"},
		{"RFC 4865 5 an interval", "HOLDFOR=3600", "250"},
		{"RFC 4865 5 beyond what is offered", "HOLDFOR=3601", "501"},
		{"RFC 4865 5 a time", "HOLDUNTIL=" + until(time.Minute), "250"},
		{"RFC 4865 5 a time beyond what is offered", "HOLDUNTIL=" + until(2*time.Hour), "501"},
		{"RFC 4865 5 a time that has passed", "HOLDUNTIL=" + until(-time.Minute), "501"},
		{"RFC 4865 5 both", "HOLDFOR=60 HOLDUNTIL=" + until(time.Minute), "501"},
		{"RFC 4865 5 both, the other way round", "HOLDUNTIL=" + until(time.Minute) + " HOLDFOR=60", "501"},
		{"RFC 6710 4 a priority", "MT-PRIORITY=-9", "250"},
		{"RFC 6710 4 no priority", "MT-PRIORITY=10", "501"},
		{"RFC 8689 2 in plain text", "REQUIRETLS", "504"},
		{"a value that is not offered", "BODY=HOLOGRAM", "504"},
		{"a value that is missing", "BODY", "501"},
		{"a value too many", "SMTPUTF8=1", "501"},
		{"twice", "SIZE=1 SIZE=2", "501"},
		{"one known, one not", "SIZE=1 MAGIC=1", "504"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			r := &recorder{}
			// Whatever became of it, the session goes on as if it had not been said.
			out := play(t, &Server{Offers: offers}, r, ehlo+"MAIL FROM:<a@x.test> "+tc.parameters+"\r\nRSET\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nQUIT\r\n")
			if got, want := codes(out), "220 250 "+tc.want+" 250 250 250 221"; got != want {
				t.Errorf("got %s, want %s\n%s", got, want, out)
			}
			if n := len(r.mail); n != 1 && tc.want != "250" {
				t.Errorf("the session was asked %d times", n)
			}
		})
	}
}

// TestARefusedParameterLeavesTheTransactionAsItWas: of RCPT too.
func TestARefusedParameterLeavesTheTransactionAsItWas(t *testing.T) {
	r := &recorder{}
	out := play(t, &Server{}, r, envelope+"RCPT TO:<c@y.test> MAGIC=1\r\nRCPT TO:<c@y.test> NOTIFY=SOMETIMES\r\nRCPT TO:<c@y.test>\r\nBDAT 3 LAST\r\nx\r\nQUIT\r\n")
	if got := codes(out); got != "220 250 250 250 504 501 250 250 221" || len(r.content) != 1 {
		t.Errorf("%s\n%s", got, out)
	}
}

func TestHELOHasNoParametersAndSaysSo(t *testing.T) {
	out := play(t, &Server{}, &recorder{}, "HELO c.test\r\nMAIL FROM:<a@x.test> SIZE=1\r\nMAIL FROM:<a@x.test>\r\nQUIT\r\n")
	if codes(out) != "220 250 504 250 221" || !strings.Contains(out, "a session begun with HELO has no parameters, use EHLO") {
		t.Error(out)
	}
}

func TestThe504ForAParameterBehindTLSSaysSo(t *testing.T) {
	out := play(t, &Server{TLS: testTLS(t), Offers: Offers{RequireTLS: true}}, &recorder{}, ehlo+"MAIL FROM:<a@x.test> REQUIRETLS\r\nQUIT\r\n")
	if codes(out) != "220 250 504 221" || !strings.Contains(out, "it needs TLS, use STARTTLS first") {
		t.Error(out)
	}
}

func TestWhatExtensionsSayOfThemselves(t *testing.T) {
	s := &Server{
		Limits: Limits{MessageSize: 1000, Recipients: 50, Transactions: 7},
		Offers: Offers{DeliverBy: true, DeliverByMin: 90 * time.Second, FutureRelease: time.Hour, Priority: true},
	}
	out := play(t, s, &recorder{}, ehlo+"QUIT\r\n")
	for _, want := range []string{"-SIZE 1000\r\n", "-DELIVERBY 90\r\n", "-MT-PRIORITY\r\n", " LIMITS RCPTMAX=50 MAILMAX=7\r\n", "-FUTURERELEASE 3600 20"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}
