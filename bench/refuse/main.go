// Command refuse measures what it costs to say 421 at the door, beside a program
// that does nothing but accept, write and close, in one run: both get the same
// load from a process of its own, one after the other and again and again.
//
//	go run ./bench/refuse                          half a minute
//	go run ./bench/refuse -rounds 1 -time 500ms    whether it works
//
// A refusal is unheard where the client could not read it to its end. Everything
// runs on loopback.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"time"

	"github.com/weirmail/weir/bench/process"
)

func main() {
	os.Exit(process.Main(modes(), func(ctx context.Context) error {
		p, err := parse(os.Args[1:], os.Stderr)
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		if err != nil {
			return err
		}
		return run(ctx, p, os.Stdout)
	}))
}

// modes are the parts that run in processes of their own.
func modes() process.Modes {
	return process.Modes{bareMode: serveBare, doorMode: serveDoor, loadMode: load}
}

// plan is what is to be measured.
type plan struct {
	rounds, clients int
	time            time.Duration
	early           bool
}

func parse(args []string, out io.Writer) (*plan, error) {
	var p plan
	flags := flag.NewFlagSet("refuse", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.IntVar(&p.rounds, "rounds", 5, "how often each is measured")
	flags.IntVar(&p.clients, "clients", 20, "how many clients connect at a time")
	flags.DurationVar(&p.time, "time", 3*time.Second, "how long each is measured in a round")
	flags.BoolVar(&p.early, "early", false, "the clients say EHLO before they are greeted")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if p.rounds < 1 || p.clients < 1 || p.time <= 0 {
		return nil, errors.New("there has to be a round, a client and some time")
	}
	return &p, nil
}
