package main

import (
	"os"
	"testing"

	"github.com/weirmail/weir/bench/traffic"
)

// TestMain lets the test binary be the programs that the benchmark starts.
func TestMain(m *testing.M) {
	if code, called := traffic.Modes().Called(); called {
		os.Exit(code)
	}
	os.Exit(m.Run())
}
