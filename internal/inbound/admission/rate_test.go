package admission

import (
	"net/netip"
	"testing"
	"time"
)

func TestRatesReadAndWrite(t *testing.T) {
	for text, want := range map[string]Rate{
		"0":         {},
		"":          {},
		"100/1m":    {Count: 100, Per: time.Minute},
		"100/m":     {Count: 100, Per: time.Minute},
		"5/1h30m":   {Count: 5, Per: 90 * time.Minute},
		"100/1m+20": {Count: 100, Per: time.Minute, Burst: 20},
	} {
		got, err := ParseRate(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if again, err := ParseRate(got.String()); err != nil || again != got {
			t.Errorf("%q written as %q: %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"x", "1", "/m", "0/m", "-1/m", "5/", "5/0s", "5/-1m", "5/x", "5/1m+", "5/1m+0", "5/1m+x", "1.5/m"} {
		if r, err := ParseRate(text); err == nil {
			t.Errorf("%q is %+v", text, r)
		}
	}
}

func FuzzParseRate(f *testing.F) {
	f.Add("100/1m+20")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRate(text)
		if err != nil {
			return
		}
		if again, err := ParseRate(r.String()); err != nil || again != r {
			t.Errorf("%q: %+v, written %q, read %+v, %v", text, r, r.String(), again, err)
		}
	})
}

func TestARateLetsABurstThroughAndThenItsPace(t *testing.T) {
	r := Rate{Count: 60, Per: time.Minute, Burst: 3}
	now := epoch.UnixNano()
	arrival := int64(0)
	for i := range 3 {
		next, wait := r.take(arrival, 1, now)
		if wait != 0 {
			t.Fatalf("%d of the burst waits %v", i, wait)
		}
		arrival = next
	}
	if _, wait := r.take(arrival, 1, now); wait != time.Second {
		t.Errorf("one more waits %v", wait)
	}
	if _, wait := r.take(arrival, 1, now+int64(time.Second)); wait != 0 {
		t.Errorf("a second later it waits %v", wait)
	}
}

func TestMoreThanABurstAtOncePassesWhereNothingElseDid(t *testing.T) {
	r := Rate{Count: 1000, Per: time.Second}
	next, wait := r.take(0, 1_000_000, epoch.UnixNano())
	if wait != 0 {
		t.Fatalf("a large message never passes: wait %v", wait)
	}
	if _, wait = r.take(next, 1, epoch.UnixNano()); wait <= 0 {
		t.Error("and costs nothing")
	}
}

func TestFastRatesAreExact(t *testing.T) {
	r := Rate{Count: 700_000_000, Per: time.Second}
	if got := r.worth(7_000_000); got != 10*time.Millisecond {
		t.Errorf("a hundredth of a second's worth is %v", got)
	}
}

var (
	one     = netip.MustParseAddr("192.0.2.1")
	another = netip.MustParseAddr("192.0.2.2")
	distant = netip.MustParseAddr("198.51.100.1")
)

func TestOpenConnectionsAreCountedByClientAndNetwork(t *testing.T) {
	r := newRates(ClientLimits{Client: Limits{Connections: 2}, Network: Limits{Connections: 3}}, false)
	for _, a := range []netip.Addr{one, one, another} {
		if over := r.connect(a, epoch); over != nil {
			t.Fatalf("%v: %+v", a, over)
		}
	}
	over := r.connect(one, epoch)
	if len(over) != 1 || over[0].reason != ReasonClientConnections || over[0].value != 2 || over[0].limit != 2 {
		t.Errorf("the client: %+v", over)
	}
	if over = r.connect(another, epoch); len(over) != 1 || over[0].limit != 3 {
		t.Errorf("the network: %+v", over)
	}
	if over = r.connect(distant, epoch); over != nil {
		t.Errorf("somebody else: %+v", over)
	}
	r.disconnect(one)
	if over = r.connect(another, epoch); over != nil {
		t.Errorf("after one has gone: %+v", over)
	}
	for _, a := range []netip.Addr{one, another, another, distant} {
		r.disconnect(a)
	}
	if len(r.open) != 0 {
		t.Errorf("%d keys are left", len(r.open))
	}
}

func TestARefusedConnectionIsNotCounted(t *testing.T) {
	r := newRates(ClientLimits{Client: Limits{Connections: 9, ConnectionRate: Rate{Count: 1, Per: time.Hour}}}, false)
	r.connect(one, epoch)
	if over := r.connect(one, epoch); len(over) != 1 || over[0].reason != ReasonClientRate || over[0].retry != time.Hour {
		t.Errorf("%+v", over)
	}
	if n := r.open[keysOf(one)[0]]; n != 1 {
		t.Errorf("%d are open", n)
	}
}

func TestALimitOfTheNetworkChargesTheClientNothing(t *testing.T) {
	r := newRates(ClientLimits{
		Client:  Limits{Messages: Rate{Count: 10, Per: time.Hour}},
		Network: Limits{Messages: Rate{Count: 1, Per: time.Hour}},
	}, false)
	keys := keysOf(one)
	r.take(kindMessage, keys[:], 1, epoch)
	for range 20 {
		if over := r.take(kindMessage, keys[:], 1, epoch); len(over) != 1 || over[0].limit != 1 {
			t.Fatalf("%+v", over)
		}
	}
	r.tables[scopeClient][kindMessage].look(keys[0], func(arrival *int64) {
		if used := r.limits[scopeClient].Messages.used(*arrival, epoch.UnixNano()); used > 1.01 {
			t.Errorf("the client was charged %v", used)
		}
	})
}

func TestWhatIsGivenBackIsNotCharged(t *testing.T) {
	r := newRates(ClientLimits{Client: Limits{Recipients: Rate{Count: 1, Per: time.Hour}}}, false)
	keys := keysOf(one)
	for range 5 {
		if over := r.take(kindRecipient, keys[:], 1, epoch); over != nil {
			t.Fatalf("%+v", over)
		}
		r.give(kindRecipient, scopeClient, keys[0], 1)
	}
}

func TestATableIsBoundedAndKeepsWhatIsUsed(t *testing.T) {
	table := newTable[int]()
	favourite := keysOf(one)[0]
	table.with(favourite, func(v *int) { *v = 7 })
	for i := range 3 * tableSize {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		table.with(keysOf(a)[0], func(v *int) { *v++ })
		if i%100 == 0 {
			table.look(favourite, func(*int) {})
		}
	}
	if n := table.len(); n > tableSize {
		t.Errorf("%d keys", n)
	}
	kept := 0
	table.look(favourite, func(v *int) { kept = *v })
	if kept != 7 {
		t.Error("what was used all the time is gone")
	}
}

func TestWhoComesAsToldIsReturning(t *testing.T) {
	r := newReturns()
	due := epoch.Add(time.Minute)
	r.told(one, due, epoch)
	for after, want := range map[time.Duration]bool{
		0: false, 59 * time.Second: false, time.Minute: true, time.Hour: true, 5 * time.Hour: false,
	} {
		if got := r.kept(another, epoch.Add(after)); got != want { // of the same network
			t.Errorf("after %v: %v", after, got)
		}
	}
	r.told(one, epoch.Add(time.Hour), epoch.Add(30*time.Second)) // came too early
	if !r.kept(one, due) {
		t.Error("whoever came too early has lost the appointment")
	}
	if r.kept(distant, due) {
		t.Error("somebody who was never told is returning")
	}
}

func BenchmarkTake(b *testing.B) {
	r := newRates(ClientLimits{Client: Limits{Messages: Rate{Count: 1 << 30, Per: time.Hour}}, Network: Limits{Messages: Rate{Count: 1 << 30, Per: time.Hour}}}, false)
	keys := keysOf(one)
	b.ReportAllocs()
	for b.Loop() {
		r.take(kindMessage, keys[:], 1, epoch)
	}
}
