package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the golden parts of the scripts anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"weir": main})
}

// TestScripts runs the program as people do. Each script is one thing that
// somebody wants of it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			port, err := freePort()
			if err != nil {
				return err
			}
			env.Setenv("PORT", strconv.Itoa(port))
			// Sockets need short paths.
			dir, err := os.MkdirTemp("", "weir")
			if err != nil {
				return err
			}
			env.Defer(func() { os.RemoveAll(dir) })
			env.Setenv("SHORT", dir)
			env.Setenv("XDG_CACHE_HOME", dir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await": await,
			"smtp":  smtpDialogue,
			"code":  exitCode,
		},
	})
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// patience bounds the waits of the scripts.
const patience = time.Minute

// await waits until something exists: "await socket PATH".
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || args[0] != "socket" {
		ts.Fatalf("usage: await socket PATH")
	}
	deadline := time.Now().Add(patience)
	for {
		nc, err := net.Dial("unix", args[1])
		if err == nil {
			nc.Close()
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("nobody listens on %s: %v", args[1], err)
		}
		time.Sleep(5 * time.Millisecond) // there is nothing that tells of it
	}
}

// smtpDialogue sends a file to a port, line by line: "smtp PORT FILE".
func smtpDialogue(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: smtp PORT FILE")
	}
	nc, err := net.Dial("tcp", "127.0.0.1:"+args[0])
	ts.Check(err)
	defer nc.Close()
	ts.Check(nc.SetDeadline(time.Now().Add(patience)))
	ts.Check(converse(nc, ts.ReadFile(args[1])))
}

// exitCode runs a command and compares how it ends: "code 78 weir config …".
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND ...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var ended interface{ ExitCode() int }
	if err != nil {
		e, ok := err.(interface{ ExitCode() int })
		if !ok {
			ts.Fatalf("%v", err)
		}
		ended = e
		got = ended.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s (%s)", got, args[0], fmt.Sprint(err))
	}
}
