package main

import (
	"io"
	"testing"
	"time"
)

func TestAllOfItIsMeasuredUnlessLess(t *testing.T) {
	for _, test := range []struct {
		args              []string
		scenarios, rounds int
		duration          time.Duration
	}{
		{nil, 24, 3, 4 * time.Second},
		{[]string{"-modes", "accept", "-clients", "20", "-connections", "one"}, 2, 3, 4 * time.Second},
		{[]string{"-rounds", "5", "-duration", "1s"}, 24, 5, time.Second},
		{[]string{"-quick"}, 4, 1, 500 * time.Millisecond},
		{[]string{"-quick", "-rounds", "2", "-clients", "1,2"}, 8, 2, 500 * time.Millisecond},
	} {
		p, err := parsePlan(test.args, io.Discard)
		if err != nil {
			t.Errorf("%q: %v", test.args, err)
			continue
		}
		if len(p.scenarios) != test.scenarios || p.rounds != test.rounds || p.duration != test.duration {
			t.Errorf("%q: %d scenarios, %d rounds of %v", test.args, len(p.scenarios), p.rounds, p.duration)
		}
	}
}

func TestABadPlanIsRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-modes", "relay,fly"},
		{"-clients", "0"},
		{"-clients", ""},
		{"-sizes", "many"},
		{"-connections", "two"},
		{"-servers", "other"},
		{"-rounds", "0"},
		{"more"},
		{"-unknown"},
	} {
		if _, err := parsePlan(args, io.Discard); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
