package main

import (
	"os"
	"testing"
)

// TestMain lets the test binary be the programs that the benchmark starts.
func TestMain(m *testing.M) {
	if code, called := modes().Called(); called {
		os.Exit(code)
	}
	os.Exit(m.Run())
}
