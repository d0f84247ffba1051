package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The benchmark at its smallest: each connection has an outcome, nothing that
// was acknowledged is lost, there is a plot, and nothing else is left behind.
func TestTheBenchmarkWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and starts a server")
	}
	dir, plots := t.TempDir(), t.TempDir()
	p, err := parsePlan([]string{
		"-quick", "-json", "-dir", dir, "-plots", plots, "-servers", weirName,
		"-experiments", "0.7x,3x", "-duration", "500ms", "-clients", "8", "-size", "1024",
	}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	var out, progress strings.Builder
	if err := run(t.Context(), p, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	var r report
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 2 {
		t.Fatalf("%d results, want 2", len(r.Results))
	}
	for _, s := range r.Results {
		if s.Lost != 0 || s.Acknowledged == 0 || s.Goodput <= 0 || s.Offered <= 0 || s.Outcomes[pending.String()] != 0 {
			t.Errorf("%s: %s", s.Experiment, s)
		}
		if _, err := os.Stat(filepath.Join(plots, weirName+"-"+s.Experiment+".svg")); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
