package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/bench/traffic"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool/disk"
)

// TestMain lets the test binary be the programs that the benchmark starts.
func TestMain(m *testing.M) {
	if code, called := traffic.Modes().Called(); called {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// What waits must not become due while the rest is measured.
func TestWhatWaitsIsDueInDays(t *testing.T) {
	const messages, size = 3000, 500
	dir := filepath.Join(t.TempDir(), "spool")
	if err := fill(t.Context(), dir, &plan{messages: messages, size: size}); err != nil {
		t.Fatal(err)
	}
	store, err := disk.Open(t.Context(), dir, disk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now, seen, dues := time.Now(), 0, map[time.Time]bool{}
	err = store.Scan(t.Context(), mail.ID{}, func(e *mail.Envelope) bool {
		seen++
		due := e.Recipients[0].Progress.Due
		dues[due] = true
		if wait := due.Sub(now); wait < waits-time.Hour || wait > waits+spread {
			t.Errorf("a message is due in %v", wait)
		}
		if e.Size < size || e.Size > size+2 {
			t.Errorf("a message has %d bytes, want %d", e.Size, size)
		}
		return seen <= messages
	})
	if err != nil || seen != messages || len(dues) < messages/2 {
		t.Errorf("%d messages with %d times, %v; want %d", seen, len(dues), err, messages)
	}
}

func TestFillingStopsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := fill(ctx, filepath.Join(t.TempDir(), "spool"), &plan{messages: 1000, size: 100}); err == nil {
		t.Error("a cancelled fill succeeded")
	}
}

// The whole benchmark, at its smallest.
func TestTheBenchmarkWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and starts Weir")
	}
	dir := t.TempDir()
	p := &plan{messages: 300, size: 500, rounds: 1, clients: 4, flowing: 200, warmUp: 100, dir: dir, json: true}
	var out, progress strings.Builder
	if err := run(t.Context(), p, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	var r report
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
		t.Fatal(err)
	}
	for _, m := range append(r.Empty, r.Full...) {
		if m.Lost != 0 || m.Rate <= 0 || m.CPU <= 0 || m.Memory <= 0 || m.Start <= 0 {
			t.Error(m)
		}
	}
	if len(r.Empty) != 1 || len(r.Full) != 1 {
		t.Errorf("%d and %d rounds, want 1 each", len(r.Empty), len(r.Full))
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
