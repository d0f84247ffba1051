package test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// startSink starts Postfix's smtp-sink, which writes each message into a file of
// the folder, and returns its address.
func startSink(t testing.TB, dumps string) string {
	t.Helper()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t)))
	startSinkAt(t, address, "-d", filepath.Join(dumps, "m."))
	return address
}

// startSinkAt starts smtp-sink at an address, and returns what ends it.
func startSinkAt(t testing.TB, address string, args ...string) (stop func()) {
	t.Helper()
	program := need(t, "smtp-sink")
	if os.Getuid() == 0 {
		args = append(args, "-u", "root")
	}
	cmd := exec.Command(program, append(args, address, "64")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(stop)
	until(t, "smtp-sink to listen", func() bool {
		nc, err := net.Dial("tcp", address)
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
	return stop
}

// readDumps returns what smtp-sink has written, with its line ends as they are on
// the wire.
func readDumps(t testing.TB, dir string) [][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "m.*"))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")))
	}
	return all
}

func TestSMTPSinkAsTheNextHop(t *testing.T) {
	dumps := folder(t)
	sink := startSink(t, dumps)
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n", sink))
	samples := ordinaries()
	for i := range samples {
		sendByClient(t, d.address(), &samples[i], "")
	}
	until(t, "smtp-sink to have every message", func() bool {
		all := readDumps(t, dumps)
		for i := range samples {
			content := samples[i].content
			if !anyContains(all, content) {
				return false
			}
		}
		return len(all) == len(samples)
	})
}

func anyContains(all [][]byte, content []byte) bool {
	for _, b := range all {
		if bytes.Contains(b, content) {
			return true
		}
	}
	return false
}
