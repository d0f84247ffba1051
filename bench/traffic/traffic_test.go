package traffic

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/bench/process"
)

// newGroup makes a group for one test.
func newGroup(t *testing.T, name string) *process.Group {
	t.Helper()
	g := process.NewGroup(fmt.Sprintf("weir-test-%s-%d", name, time.Now().UnixNano()))
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func startSink(t *testing.T) (*Sink, *process.Group) {
	t.Helper()
	g := newGroup(t, "load")
	s, err := StartSink(g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s, g
}

// The load and the sink against each other: what is sent has arrived, once.
func TestWhatClientsSendIsCountedOnce(t *testing.T) {
	sink, g := startSink(t)
	for _, shape := range []Shape{
		{Clients: 1, Size: 100},
		{Clients: 3, Size: 10 << 10, Many: true},
		{Clients: 5, Size: 200 << 10},
	} {
		if err := sink.Reset(); err != nil {
			t.Fatal(err)
		}
		const messages = 40
		timing, err := Messages(t.Context(), g, sink.Address(), shape, messages)
		if err != nil {
			t.Fatal(err)
		}
		if timing.Sent != messages || timing.Failed != 0 {
			t.Errorf("%s: %+v, want %d sent", shape, timing, messages)
		}
		if timing.P50 <= 0 || timing.P50 > timing.P99 || timing.P99 > timing.Max {
			t.Errorf("%s: p50 %v, p99 %v, max %v are not in order", shape, timing.P50, timing.P99, timing.Max)
		}
		count, err := sink.Wait(messages, 0)
		if err != nil {
			t.Fatal(err)
		}
		if count.Messages != messages || count.Unique != messages || count.Bytes < int64(messages*shape.Size) {
			t.Errorf("%s: the sink counted %+v", shape, count)
		}
	}
}

func TestClientsStopWhenTheirTimeIsOver(t *testing.T) {
	sink, g := startSink(t)
	timing, err := For(t.Context(), g, sink.Address(), Shape{Clients: 2, Size: 100, Many: true}, 50*time.Millisecond)
	if err != nil || timing.Failed != 0 {
		t.Fatalf("%+v, %v", timing, err)
	}
	if count, err := sink.Wait(0, 0); err != nil || count.Unique != timing.Sent || timing.Sent == 0 {
		t.Errorf("%d sent, %d arrived, %v", timing.Sent, count.Unique, err)
	}
}

// A server that says no is not measured as if it had said yes.
func TestRefusalsAreFailures(t *testing.T) {
	_, g := startSink(t)
	timing, err := Messages(t.Context(), g, "127.0.0.1:1", Shape{Clients: 2, Size: 100}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if timing.Sent != 0 || timing.Failed != 2 || timing.Problem == "" {
		t.Errorf("got %+v, want 2 failures with a problem", timing)
	}
}

func TestAMessageHasItsSize(t *testing.T) {
	for _, size := range []int{2, 10, 68, 69, 1024, 10 << 10} {
		_, text, _ := strings.Cut(string(message("id", size)), "\r\n\r\n")
		text, whole := strings.CutSuffix(text, ".\r\n")
		if !whole || len(text) < size || len(text) > size+1 {
			t.Errorf("%d bytes of text, want %d and then a dot", len(text), size)
		}
		for line := range strings.Lines(text) {
			if !strings.HasSuffix(line, "\r\n") || strings.HasPrefix(line, ".") {
				t.Errorf("size %d has the line %q", size, line)
			}
		}
	}
}

func TestQuantilesAreValuesThatWereSeen(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, test := range []struct {
		values []time.Duration
		part   float64
		want   time.Duration
	}{
		{hundred, 0.50, 50},
		{hundred, 0.99, 99},
		{hundred, 1, 100},
		{hundred[:1], 0.5, 1},
		{hundred[:2], 0.5, 1},
		{hundred[:2], 0.99, 2},
		{nil, 0.5, 0},
	} {
		if got := quantile(test.values, test.part); got != test.want {
			t.Errorf("the %v quantile of %d values is %d, want %d", test.part, len(test.values), got, test.want)
		}
	}
}
