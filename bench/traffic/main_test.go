package traffic

import (
	"os"
	"testing"
)

// TestMain lets the test binary be the programs that the package starts.
func TestMain(m *testing.M) {
	if code, called := Modes().Called(); called {
		os.Exit(code)
	}
	os.Exit(m.Run())
}
