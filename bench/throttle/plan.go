package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// phase is what the receiver takes for a time.
type phase struct {
	connections int
	rate        float64 // messages a second; 0 is no limit
	length      time.Duration
}

func (p phase) String() string {
	return fmt.Sprintf("%d connections, %g/s", p.connections, p.rate)
}

// plan is what is to be measured.
type plan struct {
	phases  []phase
	servers []string
	dir     string
	weir    string // the program; built where it is empty
	svg     string // the folder for plots; none where it is empty
	queue   int    // messages that wait at least
	vague   bool
}

const (
	defaultPhases = "10:50:2m,10:100:3m,10:25:2m"
	quickPhases   = "4:20:10s,4:40:10s"
)

func parsePlan(args []string, errs io.Writer) (*plan, error) {
	p := &plan{}
	flags := flag.NewFlagSet("throttle", flag.ContinueOnError)
	flags.SetOutput(errs)
	phases := flags.String("phases", defaultPhases, "what the receiver takes, one after the other: connections:messages a second:time")
	servers := flags.String("servers", "weir,postfix", "who sends")
	quick := flags.Bool("quick", false, "only see whether it works")
	flags.StringVar(&p.dir, "dir", "", "the folder for what the run writes")
	flags.StringVar(&p.weir, "weir", "", "the program; without it, it is built")
	flags.StringVar(&p.svg, "svg", "", "the folder for plots")
	flags.IntVar(&p.queue, "queue", 3000, "how many messages wait at least")
	flags.BoolVar(&p.vague, "vague", false, "the receiver does not say what there is too much of")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *quick {
		*phases, p.queue = quickPhases, 300
	}
	p.servers = strings.Split(*servers, ",")
	for _, text := range strings.Split(*phases, ",") {
		ph, err := parsePhase(text)
		if err != nil {
			return nil, err
		}
		p.phases = append(p.phases, ph)
	}
	return p, nil
}

var errPhase = errors.New("a phase is connections:messages a second:time, as in 10:50:2m")

func parsePhase(text string) (p phase, err error) {
	fields := strings.Split(text, ":")
	if len(fields) != 3 {
		return p, fmt.Errorf("%q: %w", text, errPhase)
	}
	var errs [3]error
	p.connections, errs[0] = strconv.Atoi(fields[0])
	p.rate, errs[1] = strconv.ParseFloat(fields[1], 64)
	p.length, errs[2] = time.ParseDuration(fields[2])
	if err := errors.Join(errs[:]...); err != nil || p.connections < 1 || p.length <= 0 {
		return p, fmt.Errorf("%q: %w", text, errPhase)
	}
	return p, nil
}
