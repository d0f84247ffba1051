package resources

import (
	"runtime"
	"strings"
	"testing"
)

func TestQuotas(t *testing.T) {
	for text, want := range map[string]float64{
		"50000 100000":  0.5,
		"150000 100000": 1.5,
		"max 100000":    0,
		"-1 100000":     0,
		"5000":          0,
		"":              0,
		"x y":           0,
		"1000 0":        0,
	} {
		got, ok := parseQuota(strings.Fields(text))
		if got != want || ok != (want > 0) {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
}

func TestProcessorsOfThisMachine(t *testing.T) {
	if n := Processors(Options{}); n <= 0 || n > float64(runtime.GOMAXPROCS(0)) {
		t.Errorf("%v processors", n)
	}
	if n := Processors(Options{Proc: t.TempDir(), Cgroup: t.TempDir()}); n != float64(runtime.GOMAXPROCS(0)) {
		t.Errorf("%v processors without control groups", n)
	}
}
