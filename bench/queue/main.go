// Command queue measures whether mail that waits slows down mail that flows:
// it fills a queue with a million messages that are due in days, and compares
// Weir on top of it with Weir on an empty queue, in one run, alternating.
//
//	go run ./bench/queue                     a million, some minutes
//	go run ./bench/queue -messages 20000     whether it works
//
// docs/benchmarks.md says what the figures mean.
package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"time"

	"github.com/weirmail/weir/bench/process"
	"github.com/weirmail/weir/bench/traffic"
)

func main() {
	os.Exit(process.Main(traffic.Modes(), func(ctx context.Context) error {
		var p plan
		err := p.parse(os.Args[1:])
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		if err != nil {
			return err
		}
		return run(ctx, &p, os.Stdout, os.Stderr)
	}))
}

// plan is what is to be measured.
type plan struct {
	messages, size int // that wait
	rounds         int
	clients        int
	flowing        int // messages that flow, in each round
	warmUp         int // messages that flow before those
	dir, weir      string
	json           bool
}

func (p *plan) parse(args []string) error {
	p.warmUp = 9000 // fills Weir's table in memory more than twice
	f := flag.NewFlagSet("queue", flag.ContinueOnError)
	f.IntVar(&p.messages, "messages", 1_000_000, "how many wait")
	f.IntVar(&p.size, "size", 2048, "length of those in bytes")
	f.IntVar(&p.rounds, "rounds", 3, "how often everything is measured")
	f.IntVar(&p.clients, "clients", 20, "how many clients send at once")
	f.IntVar(&p.flowing, "flowing", 20_000, "how many messages of 10 KiB flow in each round")
	f.StringVar(&p.dir, "dir", "", "folder on the disk that is used (default: bin, or the one for temporary files)")
	f.StringVar(&p.weir, "weir", "", "program to measure (default: built from the source)")
	f.BoolVar(&p.json, "json", false, "print JSON")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || min(p.messages, p.size, p.rounds, p.clients, p.flowing) < 1 {
		return errors.New("every number has to be above 0, and there are no arguments without a flag")
	}
	return nil
}

// waits is when the messages are due: so late that none of them becomes due
// during the run, and each at a time of its own, spread over days.
const (
	waits  = 24 * time.Hour
	spread = 72 * time.Hour
)
