package admission

import "testing"

func TestMessagesAreKeptForLaterWhileThereIsPlentyOfRoom(t *testing.T) {
	for _, tc := range []struct {
		rule     string
		signal   SignalID
		pressure float64
		refused  bool
	}{
		{"an idle relay", SignalQueue, 0.1, false},
		{"a queue that grows", SignalQueue, 0.79, false},
		{"a long queue", SignalQueue, 0.8, true},
		{"little room on the disk", SignalDisk, 0.9, true},
		{"few files left", SignalFiles, 0.9, true},
		{"late processors take no room", SignalLoad, 0.9, false},
	} {
		c := controller(func(o *Options) { o.Slots = 10 })
		v, _ := knock(c, one)
		press(c, tc.signal, tc.pressure)
		d := c.Hold(v, epoch)
		if d.Refused() != tc.refused || d.Closes || d.Refused() && (d.Reason != ReasonHoldBusy || d.Retry == 0) {
			t.Errorf("%s: %+v", tc.rule, d)
		}
		if m := c.Mail(v, 0, epoch); m.Refused() {
			t.Errorf("%s: the message itself: %+v", tc.rule, m)
		}
	}
}
