package admission

import (
	"net/netip"
	"testing"
	"time"
)

func TestHandshakesEndWhereTheMailBehindThemWouldNotBeTaken(t *testing.T) {
	for _, test := range []struct {
		base     Class
		pressure float64
		busy     bool
	}{
		{ClassUnknown, 1.49, false},
		{ClassUnknown, 1.5, true},
		{ClassReturning, 1.5, true},
		{ClassKnown, 1.5, false},
		{ClassKnown, 1.55, true},
		{ClassSubmission, 1.84, false},
		{ClassSubmission, 1.86, true},
		{ClassControl, 2, false},
	} {
		c := controller(nil)
		v := &Visit{}
		c.Knock(v, Peer{Addr: stranger, Base: test.base}, nil, epoch)
		press(c, SignalMemory, test.pressure)
		switch d := c.StartTLS(v, epoch); {
		case d.Refused() != test.busy:
			t.Errorf("%v at %v: %+v", test.base, test.pressure, d)
		case test.busy && (d.Closes || d.Reason != ReasonTLSBusy || d.Point != PointSTARTTLS || d.Retry < time.Minute || d.ID == 0):
			t.Errorf("%v at %v: %+v", test.base, test.pressure, d)
		}
	}
}

func TestAHandshakeIsChargedForItsMemory(t *testing.T) {
	c := controller(nil)
	c.Tick(&Readings{}, Budgets{Memory: tlsCharge * 130 / 100}, epoch) // strangers may fill 80 % of it
	v, _ := knock(c, stranger)
	other, _ := knock(c, distant)
	if d := c.StartTLS(v, epoch); d.Reason != ReasonTLSBusy || d.Closes {
		t.Errorf("there is no memory: %+v", d)
	}
	c.Leave(other, epoch)
	if d := c.StartTLS(v, epoch); d.Refused() || c.Figures().Memory.Charged != tlsCharge {
		t.Errorf("%+v, and %d are charged", d, c.Figures().Memory.Charged)
	}
	c.Leave(v, epoch)
	if n := c.Figures().Memory.Charged; n != 0 {
		t.Errorf("%d are left", n)
	}
}

func TestNoPasswordIsCheckedUnderHighPressure(t *testing.T) {
	c := controller(nil)
	v, _ := knock(c, stranger)
	for pressure, busy := range map[float64]bool{1.55: false, 1.6: true, 2: true} {
		press(c, SignalMemory, 0)
		c.board.Store(&Board{At: epoch})
		press(c, SignalMemory, pressure)
		if d := c.Auth(v, epoch); d.Refused() != busy || busy && (d.Closes || d.Reason != ReasonAuthBusy || d.Point != PointAUTH) {
			t.Errorf("at %v: %+v", pressure, d)
		}
	}
}

func TestWhoFailsTooOftenIsNotAskedAgain(t *testing.T) {
	c := controller(func(o *Options) { o.Limits.Client.FailedAuth = Rate{Count: 2, Per: time.Hour} })
	v, _ := knock(c, stranger)
	for range 2 {
		if d := c.Auth(v, epoch); d.Refused() {
			t.Fatalf("%+v", d)
		}
		if d := c.AuthFailed(v, epoch); d.Refused() {
			t.Fatalf("%+v", d)
		}
	}
	again, _ := knock(c, stranger) // over another connection
	d := c.Auth(again, epoch)
	if d.Reason != ReasonClientRate || !d.Closes || d.Point != PointAUTH || d.Retry != 30*time.Minute {
		t.Errorf("%+v", d)
	}
	if d := c.AuthFailed(v, epoch); !d.Refused() || !d.Closes {
		t.Errorf("two at once: %+v", d)
	}
	if d := c.Auth(again, epoch.Add(30*time.Minute)); d.Refused() {
		t.Errorf("half an hour later: %+v", d)
	}
	other, _ := knock(c, distant)
	if d := c.Auth(other, epoch); d.Refused() {
		t.Errorf("somebody else: %+v", d)
	}
}

func TestAnAccountIsChargedWhereverItComesFrom(t *testing.T) {
	c := controller(func(o *Options) {
		o.Slots = 100
		o.Limits.Account = Limits{
			Messages:   Rate{Count: 2, Per: time.Hour},
			Recipients: Rate{Count: 3, Per: time.Hour},
			Bytes:      Rate{Count: 1000, Per: time.Hour},
		}
		o.Exempt = func(a netip.Addr) bool { return a == one }
	})
	v, _ := knock(c, stranger)
	exempt, _ := knock(c, one) // which the limits of addresses do not hold for
	c.Account(v, "ada")
	c.Account(exempt, "ada")
	send := func(v *Visit, size int64) Decision {
		defer c.EndTransaction(v)
		d := c.Mail(v, size, epoch)
		if !d.Refused() {
			c.Taken(v, time.Millisecond, epoch)
		}
		return d
	}
	if d := send(v, 100); d.Refused() {
		t.Errorf("%+v", d)
	}
	if d := send(exempt, 950); d.Reason != ReasonClientRate || d.Closes {
		t.Errorf("more octets than there may be: %+v", d)
	}
	if d := send(exempt, 800); d.Refused() {
		t.Errorf("%+v", d)
	}
	if d := send(v, 1); d.Reason != ReasonClientRate {
		t.Errorf("a third message: %+v", d)
	}
	for range 3 {
		if d := c.Recipient(v, epoch); d.Refused() {
			t.Errorf("%+v", d)
		}
	}
	if d := c.Recipient(exempt, epoch); d.Reason != ReasonClientRate {
		t.Errorf("a fourth recipient: %+v", d)
	}
	records := c.Decisions(1, func(*Record) bool { return true })
	if len(records) != 1 || records[0].Name != "the account's recipients in a time" {
		t.Errorf("%+v", records)
	}
	c.Account(exempt, "bob")
	if d := send(exempt, 800); d.Refused() {
		t.Errorf("another account: %+v", d)
	}
	c.Account(exempt, "")
	for range 5 {
		if d := send(exempt, 800); d.Refused() {
			t.Errorf("nobody: %+v", d)
		}
	}
}

func TestWhoHasShownWhoItIsBelongsToSubmission(t *testing.T) {
	for base, want := range map[Class]Class{
		ClassUnknown: ClassSubmission, ClassKnown: ClassSubmission, ClassSubmission: ClassSubmission, ClassControl: ClassControl,
	} {
		c := controller(nil)
		v := &Visit{}
		c.Knock(v, Peer{Addr: stranger, Base: base}, nil, epoch)
		if c.Account(v, "ada"); v.Class() != want {
			t.Errorf("%v became %v", base, v.Class())
		}
		if c.Account(v, ""); v.Class() != base {
			t.Errorf("%v is %v when it is nobody again", base, v.Class())
		}
	}
}
