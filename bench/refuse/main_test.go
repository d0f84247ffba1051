package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain lets the benchmark start its parts, which are in this binary.
func TestMain(m *testing.M) {
	if code, called := modes().Called(); called {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// TestEverybodyHearsARefusal: also where clients speak before the greeting.
func TestEverybodyHearsARefusal(t *testing.T) {
	for _, early := range []bool{false, true} {
		p := &plan{clients: 4, time: 100 * time.Millisecond, early: early}
		f, _, err := measure(t.Context(), p, doorMode)
		if err != nil {
			t.Fatal(err)
		}
		if f.Heard == 0 || f.Unheard > 0 {
			t.Errorf("early %v: %d heard, %d did not", early, f.Heard, f.Unheard)
		}
	}
}

func TestTheTableIsReadable(t *testing.T) {
	var out strings.Builder
	sums := []figures{
		{tally{Heard: 1000, Seconds: 1}, time.Second / 10},
		{tally{Heard: 900, Seconds: 1, Unheard: 100, Reset: 7}, time.Second / 5},
	}
	if err := table(&out, sums, true); err != nil {
		t.Fatal(err)
	}
	const want = "" +
		"                     refusals/s  ratio  CPU s per 1000  ratio  unheard  reset\n" +
		"accept, write, close  1000        1.00   0.1000          1.00   0        0\n" +
		"smtpserver            900         0.90   0.2000          2.00   100      7\n"
	if got := out.String(); strings.TrimLeft(got, " ") != strings.TrimLeft(want, " ") {
		t.Errorf("got\n%s", got)
	}
}
