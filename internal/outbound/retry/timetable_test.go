package retry

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// usual is a timetable such as a relay has.
var usual = Timetable{First: 5 * time.Minute, Max: 4 * time.Hour, Expire: 5 * 24 * time.Hour, DelayNotice: 4 * time.Hour}

// almostOne is the greatest random number.
var almostOne = math.Nextafter(1, 0)

func TestWaitsDoubleUpToMax(t *testing.T) {
	for attempts, want := range map[int]time.Duration{
		0: 5 * time.Minute, 1: 5 * time.Minute, 2: 10 * time.Minute, 3: 20 * time.Minute, 4: 40 * time.Minute, 5: 80 * time.Minute,
		6: 160 * time.Minute, 7: 160 * time.Minute, 60: 160 * time.Minute, math.MaxInt: 160 * time.Minute, -1: 5 * time.Minute,
	} {
		if got := usual.Next(Wait{Attempts: attempts}, 0.5); got != want {
			t.Errorf("after %d attempts in the middle %v, want %v", attempts, got, want)
		}
		if got := usual.Next(Wait{Attempts: attempts}, 0); got != want/2 {
			t.Errorf("after %d attempts at least %v, want %v", attempts, got, want/2)
		}
		if got, limit := usual.Next(Wait{Attempts: attempts}, almostOne), want+want/2; got > limit || limit-got > time.Microsecond {
			t.Errorf("after %d attempts at most %v, want %v", attempts, got, limit)
		}
	}
}

// The waits fill the whole range evenly: ten bins of it get a tenth each. A
// wait that is cut off at the longest would put half of them into one bin.
func TestWaitsAreSpreadEvenly(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, attempts := range []int{1, 2, 5, 6, 7, 20} {
		low, high := usual.Next(Wait{Attempts: attempts}, 0), usual.Next(Wait{Attempts: attempts}, almostOne)
		const draws = 10_000
		var bins [10]int
		for range draws {
			wait := usual.Next(Wait{Attempts: attempts}, random.Float64())
			bins[min(int(10*float64(wait-low)/float64(high-low)), 9)]++
		}
		for i, n := range bins {
			if n < draws/10*8/10 || n > draws/10*12/10 {
				t.Errorf("after %d attempts: %d of %d waits in tenth %d of %v to %v", attempts, n, draws, i+1, low, high)
			}
		}
	}
}

func TestNoWaitLeavesItsBounds(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 10_000 {
		table := Timetable{First: time.Duration(1 + random.Int64N(int64(time.Hour))), Max: time.Duration(1 + random.Int64N(int64(24*time.Hour)))}
		attempts := 1 + random.IntN(100)
		wait := table.Next(Wait{Attempts: attempts}, random.Float64())
		if wait < 0 || wait > table.Max {
			t.Fatalf("%+v after %d attempts: %v", table, attempts, wait)
		}
		if least := min(table.First/2, table.Max/3) - 1; wait < least {
			t.Fatalf("%+v after %d attempts: %v, less than %v", table, attempts, wait, least)
		}
	}
}

func TestAHintIsObeyed(t *testing.T) {
	for _, hint := range []time.Duration{15 * time.Second, 5 * time.Minute, 24 * time.Hour} {
		for _, attempts := range []int{1, 7, 50} {
			if got := usual.Next(Wait{Attempts: attempts, Named: hint}, 0); got != hint {
				t.Errorf("told to wait %v: at least %v", hint, got)
			}
			if got, limit := usual.Next(Wait{Attempts: attempts, Named: hint}, almostOne), hint+hint/10; got > limit || limit-got > time.Microsecond {
				t.Errorf("told to wait %v: at most %v, want %v", hint, got, limit)
			}
		}
	}
}

// RFC 5321 section 4.5.4.1: two attempts in the first hour, then one every two
// or three hours. Weir makes more at the beginning and not fewer later.
func TestDaysOfAttempts(t *testing.T) {
	for _, test := range []struct {
		random           float64
		firstHour, total [2]int // at least, at most
	}{
		{0, [2]int{4, 6}, [2]int{90, 100}},
		{0.5, [2]int{3, 4}, [2]int{45, 52}},
		{almostOne, [2]int{4, 4}, [2]int{30, 36}},
	} {
		hour, total := 0, 0
		for now, attempts := time.Duration(0), 0; now < usual.Expire; total++ {
			if now < time.Hour {
				hour++
			}
			attempts++
			now += usual.Next(Wait{Attempts: attempts}, test.random)
		}
		got := fmt.Sprintf("random %.1f: %d attempts in the first hour, %d in all", test.random, hour, total)
		if hour < test.firstHour[0] || hour > test.firstHour[1] || total < test.total[0] || total > test.total[1] {
			t.Errorf("%s; want %v and %v", got, test.firstHour, test.total)
		}
	}
}

func TestExpiryAndNoticeAreDueAtTheirTimeAndAfter(t *testing.T) {
	arrived := time.Date(2026, 3, 5, 14, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		after           time.Duration
		expired, notice bool
	}{
		{-time.Hour, false, false}, // the clock was set back
		{0, false, false},
		{4*time.Hour - 1, false, false},
		{4 * time.Hour, false, true},
		{5*24*time.Hour - 1, false, true},
		{5 * 24 * time.Hour, true, true},
		{100 * 24 * time.Hour, true, true},
	} {
		now := arrived.Add(test.after)
		if got := usual.Expired(arrived, now); got != test.expired {
			t.Errorf("after %v: expired %v", test.after, got)
		}
		if got := usual.NoticeDue(arrived, now); got != test.notice {
			t.Errorf("after %v: notice %v", test.after, got)
		}
	}
	silent := usual
	silent.DelayNotice = 0
	if silent.NoticeDue(arrived, arrived.Add(100*24*time.Hour)) {
		t.Error("a notice of the delay, where none is wanted")
	}
}

// Greylisters are met after 5, 10, 20 and 40 minutes, and those who limit likewise,
// spread over more.
func TestWaitsForACauseDouble(t *testing.T) {
	for _, test := range []struct {
		first, before time.Duration
		spread        float64
		want, most    time.Duration
	}{
		{5 * time.Minute, 0, 0.1, 5 * time.Minute, 330 * time.Second},
		{5 * time.Minute, 5 * time.Minute, 0.1, 10 * time.Minute, 11 * time.Minute},
		{5 * time.Minute, 330 * time.Second, 0.1, 10 * time.Minute, 11 * time.Minute},
		{5 * time.Minute, 11 * time.Minute, 0.1, 20 * time.Minute, 22 * time.Minute},
		{5 * time.Minute, 22 * time.Minute, 0.1, 40 * time.Minute, 44 * time.Minute},
		{5 * time.Minute, 44 * time.Minute, 0.5, 80 * time.Minute, 120 * time.Minute},
		{30 * time.Minute, 0, 1, 30 * time.Minute, 60 * time.Minute},
		{30 * time.Minute, 59 * time.Minute, 1, 60 * time.Minute, 120 * time.Minute},
		{30 * time.Minute, 90 * time.Hour, 1, 2 * time.Hour, 4 * time.Hour}, // Max
		{5 * time.Minute, -time.Hour, 0.1, 5 * time.Minute, 330 * time.Second},
		{5 * time.Minute, math.MaxInt64, 0.5, 160 * time.Minute, 4 * time.Hour},
	} {
		w := Wait{Attempts: 9, First: test.first, Spread: test.spread, Before: test.before}
		if got := usual.Next(w, 0); got != test.want {
			t.Errorf("%+v: at least %v, want %v", w, got, test.want)
		}
		if got := usual.Next(w, almostOne); got > test.most || test.most-got > time.Microsecond {
			t.Errorf("%+v: at most %v, want %v", w, got, test.most)
		}
	}
	if got := (Timetable{First: time.Minute, Max: 2 * time.Minute}).Next(Wait{First: 30 * time.Minute, Spread: 1}, almostOne); got > 2*time.Minute {
		t.Errorf("%v, where no wait is to be longer than 2 minutes", got)
	}
}
