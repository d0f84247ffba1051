package main

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"os"
	"time"

	"github.com/weirmail/weir/bench/process"
)

// phase is a stretch of a load: connections a second for some time.
type phase struct {
	For  time.Duration
	Rate float64
}

// load is what the generator is told to do: phase after phase on a clock of
// its own, or, with Clients, so many connections that each begin anew when
// they have ended.
type load struct {
	Address  string
	Epoch    time.Time // when the clock starts
	Phases   []phase
	Clients  int
	For      time.Duration // of a load with Clients
	Patience time.Duration // for a whole transaction, from the moment due
	Size     int           // of the text of a message
	Nets     int           // how many networks the clients come from
	Run      string        // part of each Message-ID
}

// dues are the moments at which connections have to start.
func (l *load) dues() []time.Duration {
	var all []time.Duration
	begin := time.Duration(0)
	carried := 0.0 // of a connection, from phase to phase
	for _, p := range l.Phases {
		total := p.Rate*p.For.Seconds() + carried
		for n := 1.0; n <= total; n++ {
			at := (n - carried) / p.Rate
			all = append(all, begin+time.Duration(at*float64(time.Second)))
		}
		carried = total - float64(int(total))
		begin += p.For
	}
	return all
}

// messageID is that of the message of a connection, by its number.
func messageID(run string, n int) string { return fmt.Sprintf("<%s.%09d@bench.example>", run, n) }

// generateMode is the mode of the generator.
const generateMode = "overload"

// generate is that mode: it reads a load and writes its records.
func generate(ctx context.Context, _ []string) error {
	var l load
	if err := gob.NewDecoder(os.Stdin).Decode(&l); err != nil {
		return fmt.Errorf("reading the load: %w", err)
	}
	e, err := newEngine(&l)
	if err != nil {
		return err
	}
	defer e.close()
	if err := e.run(ctx); err != nil {
		return err
	}
	return gob.NewEncoder(os.Stdout).Encode(e.records)
}

// offer runs a load in a process of its own and returns what became of each
// connection.
func offer(ctx context.Context, g *process.Group, l load) ([]record, error) {
	var in, out bytes.Buffer
	if err := gob.NewEncoder(&in).Encode(l); err != nil {
		return nil, fmt.Errorf("writing the load: %w", err)
	}
	command, err := process.Mode(generateMode)
	if err != nil {
		return nil, err
	}
	p, err := process.Start(g, process.Spec{
		Command: command, Stdin: &in, Stdout: &out, Stderr: os.Stderr,
		Env: []string{"GOMAXPROCS=1", "GOGC=400"},
	})
	if err != nil {
		return nil, err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		_ = p.Stop(time.Second)
		return nil, ctx.Err()
	}
	if err := p.Wait(); err != nil {
		return nil, err
	}
	var records []record
	if err := gob.NewDecoder(&out).Decode(&records); err != nil {
		return nil, fmt.Errorf("reading the records: %w", err)
	}
	return records, nil
}
