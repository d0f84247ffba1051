package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// writes counts how often something was written.
type writes struct {
	mu    sync.Mutex
	text  bytes.Buffer
	count int
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
	return w.text.Write(p)
}

// so returns what was written so far, and in how many pieces.
func (w *writes) so() (text string, count int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String(), w.count
}

func TestLinesOfABurstAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w writes
		o := newLogOutput(&w)
		fmt.Fprintln(o, "alone")
		if got, _ := w.so(); got != "alone\n" {
			t.Errorf("a line that comes alone waits: %q", got)
		}
		for range 100 {
			fmt.Fprintln(o, "burst")
		}
		if _, n := w.so(); n != 1 {
			t.Errorf("%d writes for a burst", n)
		}
		time.Sleep(logDelay)
		synctest.Wait()
		if got, n := w.so(); strings.Count(got, "burst\n") != 100 || n != 2 {
			t.Errorf("%d lines in %d writes", strings.Count(got, "burst\n"), n)
		}
		for range 2 * logBuffer / 100 {
			fmt.Fprintln(o, strings.Repeat("x", 99))
		}
		if _, n := w.so(); n < 3 {
			t.Error("a long burst is kept in memory")
		}
		o.Close()
		if got, _ := w.so(); strings.Count(got, "x\n") != 2*logBuffer/100 {
			t.Errorf("%d lines after the end", strings.Count(got, "x\n"))
		}
	})
}

func TestWarningsDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w writes
		o := newLogOutput(&w)
		defer o.Close()
		log := slog.New(promptly{slog.NewTextHandler(o, nil), o}).With("a", 1).WithGroup("g")
		log.Info("one")
		log.Info("two")
		log.Warn("three")
		if got, _ := w.so(); strings.Count(got, "\n") != 3 || strings.Index(got, "two") > strings.Index(got, "three") {
			t.Errorf("written: %q", got)
		}
	})
}
