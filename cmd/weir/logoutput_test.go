package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// writes counts how often something was written.
type writes struct {
	bytes.Buffer
	count int
}

func (w *writes) Write(p []byte) (int, error) { w.count++; return w.Buffer.Write(p) }

func TestLinesOfABurstAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w writes
		o := newLogOutput(&w)
		fmt.Fprintln(o, "alone")
		if w.String() != "alone\n" {
			t.Errorf("a line that comes alone waits: %q", w.String())
		}
		for range 100 {
			fmt.Fprintln(o, "burst")
		}
		if w.count != 1 {
			t.Errorf("%d writes for a burst", w.count)
		}
		time.Sleep(logDelay)
		synctest.Wait()
		if got := strings.Count(w.String(), "burst\n"); got != 100 || w.count != 2 {
			t.Errorf("%d lines in %d writes", got, w.count)
		}
		for range 2 * logBuffer / 100 {
			fmt.Fprintln(o, strings.Repeat("x", 99))
		}
		if w.count < 3 {
			t.Error("a long burst is kept in memory")
		}
		o.Close()
		if got := strings.Count(w.String(), "x\n"); got != 2*logBuffer/100 {
			t.Errorf("%d lines after the end", got)
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
		if got := w.String(); strings.Count(got, "\n") != 3 || strings.Index(got, "two") > strings.Index(got, "three") {
			t.Errorf("written: %q", got)
		}
	})
}
