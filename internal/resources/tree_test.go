package resources

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// tree is a machine made of files.
type tree struct {
	t      *testing.T
	folder string
	clock  *clock
}

func newTree(t *testing.T, files map[string]string) *tree {
	tr := &tree{t: t, folder: t.TempDir(), clock: &clock{at: time.Unix(1, 0)}}
	for name, text := range files {
		tr.write(name, text)
	}
	return tr
}

func (tr *tree) write(name, text string) {
	tr.t.Helper()
	file := filepath.Join(tr.folder, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		tr.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr *tree) options() Options {
	return Options{
		Proc: filepath.Join(tr.folder, "proc"), Cgroup: filepath.Join(tr.folder, "cg"), Now: tr.clock.Now,
	}
}

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
