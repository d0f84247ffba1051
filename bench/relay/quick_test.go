package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirmail/weir/bench/target"
)

// The whole benchmark, at its smallest: what it measures is there, nothing is
// lost, and nothing is left behind.
func TestTheBenchmarkWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and starts servers")
	}
	servers := []string{weirName}
	if _, err := target.PostfixVersion(); err == nil {
		servers = append(servers, postfixName)
	} else {
		t.Logf("without Postfix: %v", err)
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // Postfix's own user has to get in
		t.Fatal(err)
	}
	p, err := parsePlan([]string{
		"-quick", "-json", "-dir", dir, "-servers", strings.Join(servers, ","),
		"-clients", "4", "-connections", "one", "-duration", "100ms", "-timing", "100ms",
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
	if len(r.Rows) != 2 {
		t.Fatalf("%d scenarios, want relay and accept", len(r.Rows))
	}
	for _, row := range r.Rows {
		for _, name := range servers {
			for _, m := range row.rounds(name) {
				if m.Lost != 0 || m.Rate <= 0 || m.CPU <= 0 || m.Memory <= 0 || m.P99 <= 0 {
					t.Errorf("%s, %s: %s", row.Scenario, name, m)
				}
			}
			if len(row.rounds(name)) != 1 {
				t.Errorf("%s, %s: %d rounds, want 1", row.Scenario, name, len(row.rounds(name)))
			}
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
