package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// modes are the programs of the tests.
var modes = Modes{
	"work": func(context.Context, []string) error {
		for begin := time.Now(); time.Since(begin) < 30*time.Millisecond; {
		}
		return nil
	},
	"wait": func(ctx context.Context, _ []string) error {
		fmt.Println("here")
		<-ctx.Done()
		return nil
	},
	"fail": func(context.Context, []string) error { return errors.New("as it should") },
}

func TestMain(m *testing.M) {
	if code, called := modes.Called(); called {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// groups are one with a control group, where the machine has them, and one
// without.
func groups(t *testing.T) map[string]*Group {
	all := map[string]*Group{"proc": {}}
	if g := NewGroup(fmt.Sprintf("weir-test-%d", time.Now().UnixNano())); g.Exact() {
		all["cgroup"] = g
		t.Cleanup(func() {
			if err := g.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return all
}

func start(t *testing.T, g *Group, mode string, s Spec) *Process {
	t.Helper()
	command, err := Mode(mode)
	if err != nil {
		t.Fatal(err)
	}
	s.Command = command
	p, err := Start(g, s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheTimeOfAProcessStaysWhenItHasEnded(t *testing.T) {
	for name, g := range groups(t) {
		if err := start(t, g, "work", Spec{}).Wait(); err != nil {
			t.Fatal(err)
		}
		if used, err := g.CPU(); err != nil || used == 0 {
			t.Errorf("%s: %v, %v; want some time", name, used, err)
		}
		if pids, err := g.PIDs(); err != nil || len(pids) > 0 {
			t.Errorf("%s: processes %v, %v; want none", name, pids, err)
		}
	}
}

func TestARunningProcessIsSeenAndStopped(t *testing.T) {
	for name, g := range groups(t) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p := start(t, g, "wait", Spec{Stdout: w})
		w.Close()
		if _, err := r.Read(make([]byte, 1)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if pids, err := g.PIDs(); err != nil || !slices.Contains(pids, p.PID()) {
			t.Errorf("%s: processes %v, %v; want %d", name, pids, err, p.PID())
		}
		if bytes, _, err := g.Memory(); err != nil || bytes < 1<<20 {
			t.Errorf("%s: %d bytes, %v; want those of a program", name, bytes, err)
		}
		if err := p.Stop(time.Minute); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r.Close()
	}
}

func TestAFailureIsTold(t *testing.T) {
	var said bytes.Buffer
	g := &Group{}
	if err := start(t, g, "fail", Spec{Stderr: &said}).Wait(); err == nil || !strings.Contains(said.String(), "as it should") {
		t.Errorf("got %v and %q", err, said.String())
	}
	if err := start(t, g, "unknown", Spec{}).Wait(); err == nil {
		t.Error("a mode that does not exist succeeded")
	}
}
