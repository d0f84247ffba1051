package inbound

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/smtpserver"
)

// behindProxy lets the client of the room speak for others; the network that may send
// to anywhere is another.
func behindProxy(o *Options, l *Listener) {
	o.Policy = NewPolicy([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, nil)
	l.Offers = smtpserver.Offers{XCLIENT: func(net.Addr) bool { return true }}
}

func TestWhoAProxySpeaksForIsTheClient(t *testing.T) {
	r := enter(t, behindProxy)
	r.say("EHLO proxy.test", "250 ")
	r.say("MAIL FROM:<ada@example.org>", "250 ")
	r.say("RCPT TO:<bob@example.net>", "550 5.7.1 ") // the proxy itself may not
	r.say("RSET", "250 ")
	r.say("XCLIENT ADDR=192.0.2.7", "220 ")
	r.say("EHLO client.test", "250 ")
	r.send("x\r\n", "250 ")
	if e, _ := r.spool.only(t); e.Origin.Client != netip.MustParseAddr("192.0.2.7") {
		t.Errorf("the client is %v", e.Origin.Client)
	}
	for _, stranger := range []string{"198.51.100.7", "[UNAVAILABLE]"} {
		r.say("XCLIENT ADDR="+stranger, "220 ")
		r.say("EHLO client.test", "250 ")
		r.say("MAIL FROM:<ada@example.org>", "250 ")
		r.say("RCPT TO:<bob@example.net>", "550 5.7.1 ")
		r.say("RSET", "250 ")
	}
}

func TestWhoAProxySpeaksForIsAdmittedByItsOwnAddress(t *testing.T) {
	lifecycle := admission.NewLifecycle(nil)
	lifecycle.Set(admission.Serving)
	control := admission.New(admission.Options{
		Lifecycle: lifecycle, Journal: &admission.Journal{}, Compose: Compose("relay.test"),
		Random: func(b []byte) { clear(b) },
		Limits: admission.ClientLimits{Client: admission.Limits{ConnectionRate: admission.Rate{Count: 1, Per: time.Hour}}},
	}, time.Now())
	r := enter(t, func(o *Options, l *Listener) {
		behindProxy(o, l)
		o.Admission, o.Now, l.Class = control, time.Now, admission.ClassUnknown
	})
	r.say("EHLO proxy.test", "250 ")
	r.say("XCLIENT ADDR=192.0.2.7", "220 ")
	r.say("EHLO client.test", "250 ")
	if f := control.Figures(); f.Sessions != 1 {
		t.Errorf("%d sessions, want that of the client alone", f.Sessions)
	}
	r.say("XCLIENT ADDR=192.0.2.8", "220 ") // another client has a limit of its own
	r.say("EHLO client.test", "250 ")
	said := r.say("XCLIENT ADDR=192.0.2.7", "421 4.7.0 ")
	if _, err := r.in.ReadByte(); err == nil {
		t.Errorf("the session goes on after %q", said)
	}
	records := control.Decisions(1, func(*admission.Record) bool { return true })
	if len(records) != 1 || records[0].Client != netip.MustParseAddr("192.0.2.7") {
		t.Errorf("the record is of %+v", records)
	}
}

// TestNobodyIsInControlBecauseAProxyDoesNotKnowIt: under pressure an unknown address is
// the first that is sent away.
func TestNobodyIsInControlBecauseAProxyDoesNotKnowIt(t *testing.T) {
	lifecycle := admission.NewLifecycle(nil)
	lifecycle.Set(admission.Serving)
	control := admission.New(admission.Options{
		Lifecycle: lifecycle, Journal: &admission.Journal{}, Compose: Compose("relay.test"), Random: func(b []byte) { clear(b) },
	}, time.Now())
	r := enter(t, func(o *Options, l *Listener) {
		behindProxy(o, l)
		o.Admission, o.Now, l.Class = control, time.Now, admission.ClassUnknown
	})
	r.say("EHLO proxy.test", "250 ")
	var pressed admission.Readings
	pressed[admission.SignalMemory] = admission.Reading{Value: 2, Target: 1, Hard: 2}
	control.Tick(&pressed, admission.Budgets{}, time.Now())
	r.say("XCLIENT ADDR=[UNAVAILABLE]", "421 4.3.2 ")
}
