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
	"os"

	"github.com/weirmail/weir/bench/process"
	"github.com/weirmail/weir/bench/target"
	"github.com/weirmail/weir/bench/traffic"
)

func main() {
	os.Exit(process.Planned(traffic.Modes(), parsePlan, run))
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
			binary, err := target.WeirBinary(ctx, p.weir, dir)
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
			all = append(all, contestant{name, func() target.Server { return &target.Postfix{Settings: p.postfix} }})
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no server is left to measure")
	}
	return all, nil
}
