// Command relay measures Weir beside Debian's Postfix, in one run: both take
// the same mail from the same load, one after the other and again and again,
// on the same disk, and deliver it into the same counting sink.
//
//	go run ./bench/relay             all of it: about half an hour
//	go run ./bench/relay -quick      whether it works: under a minute
//	go run ./bench/relay -modes relay -clients 20 -sizes 10240
//
// docs/benchmarks.md says what the figures mean. Everything runs on loopback.
// Postfix has to be started by root; without it, Weir is measured alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weirmail/weir/bench/process"
	"github.com/weirmail/weir/bench/target"
	"github.com/weirmail/weir/bench/traffic"
)

func main() {
	os.Exit(process.Main(traffic.Modes(), func(ctx context.Context) error {
		p, err := parsePlan(os.Args[1:], os.Stderr)
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		if err != nil {
			return err
		}
		return run(ctx, p, os.Stdout, os.Stderr)
	}))
}

// contestant is a server by its name.
type contestant struct {
	name string
	make func() target.Server
}

// contestants prepares the servers that the plan names, and says on the way
// which of them cannot run.
func contestants(ctx context.Context, p *plan, dir string, progress *printer) ([]contestant, error) {
	var all []contestant
	for _, name := range p.servers {
		switch name {
		case weirName:
			binary, err := weirBinary(ctx, p, dir)
			if err != nil {
				return nil, err
			}
			all = append(all, contestant{name, func() target.Server { return &target.Weir{Binary: binary} }})
		case postfixName:
			version, err := target.PostfixVersion()
			if err != nil {
				progress.say("Postfix is left out: %v", err)
				continue
			}
			progress.say("Postfix %s", version)
			all = append(all, contestant{name, func() target.Server { return &target.Postfix{} }})
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no server is left to measure")
	}
	return all, nil
}

func weirBinary(ctx context.Context, p *plan, dir string) (string, error) {
	if p.weir != "" {
		return filepath.Abs(p.weir)
	}
	return target.BuildWeir(ctx, dir)
}

// workDir makes the folder of a run and returns what removes it.
func workDir(parent string) (dir string, remove func(), err error) {
	if parent == "" {
		parent = defaultDir()
	}
	if dir, err = os.MkdirTemp(parent, "weir-bench-"); err != nil {
		return "", nil, fmt.Errorf("making the folder of the run: %w", err)
	}
	remove = func() { _ = os.RemoveAll(dir) }
	if err := os.Chmod(dir, 0o755); err != nil { // Postfix's own user has to get in
		remove()
		return "", nil, err
	}
	dir, err = filepath.Abs(dir)
	return dir, remove, err
}

// defaultDir is the folder of built things, which is not in memory as the
// folder for temporary files may be.
func defaultDir() string {
	if _, err := os.Stat("go.mod"); err == nil && os.MkdirAll("bin", 0o755) == nil {
		return "bin"
	}
	return os.TempDir()
}
