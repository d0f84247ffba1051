package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirmail/weir/bench/traffic"
)

// The names of the servers, and of what they do.
const (
	weirName    = "weir"
	postfixName = "postfix"

	relayMode  = "relay"
	acceptMode = "accept"
)

// plan is what is to be measured.
type plan struct {
	scenarios []scenario
	servers   []string
	rounds    int
	duration  time.Duration // of the load for the rate
	timing    time.Duration // of the load for the times
	warmUp    warmUp
	dir, weir string
	postfix   []string // lines of main.cf
	json      bool
}

// warmUp is how many messages go through before anything is measured. Weir
// has to have filled its table in memory more than twice, since from then on
// it writes into files that it has used before; Postfix has to have started
// its processes.
type warmUp struct{ weir, postfix int }

// scenario is one row of the report.
type scenario struct {
	// Mode is "relay", from the client to the sink, or "accept", from the
	// client to the queue.
	Mode string `json:"mode"`
	traffic.Shape
}

func (s scenario) String() string { return s.Mode + ", " + s.Shape.String() }

// parsePlan reads the command line.
func parsePlan(args []string, usage io.Writer) (*plan, error) {
	p := &plan{warmUp: warmUp{weir: 9000, postfix: 600}}
	f := flag.NewFlagSet("relay", flag.ContinueOnError)
	f.SetOutput(usage)
	modes := f.String("modes", "relay,accept", "relay: from the client to the sink; accept: into the queue alone")
	clients := f.String("clients", "1,20,100", "how many clients at once")
	sizes := f.String("sizes", "1024,10240", "lengths of a message's text in bytes")
	connections := f.String("connections", "one,many", "messages a connection")
	servers := f.String("servers", weirName+","+postfixName, "what is measured, in this order")
	f.IntVar(&p.rounds, "rounds", 3, "how often everything is measured")
	f.DurationVar(&p.duration, "duration", 4*time.Second, "length of the load that the rate is taken from")
	f.DurationVar(&p.timing, "timing", 2*time.Second, "length of the load that the times are taken from")
	f.StringVar(&p.dir, "dir", "", "folder on the disk that is used (default: bin, or the one for temporary files)")
	f.StringVar(&p.weir, "weir", "", "program to measure (default: built from the source)")
	f.Func("postfix", "a further `line` of Postfix's main.cf; may be given again", func(line string) error {
		p.postfix = append(p.postfix, line)
		return nil
	})
	f.BoolVar(&p.json, "json", false, "print JSON")
	quick := f.Bool("quick", false, "see whether the benchmark works; the figures mean little")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("there are no arguments without a flag, such as %q", f.Arg(0))
	}
	if p.rounds < 1 || p.duration <= 0 || p.timing <= 0 {
		return nil, errors.New("-rounds, -duration and -timing have to be above 0")
	}
	if *quick {
		given := map[string]bool{}
		f.Visit(func(f *flag.Flag) { given[f.Name] = true })
		p.makeQuick(given, clients, sizes)
	}
	var err error
	if p.servers, err = oneOf("servers", *servers, weirName, postfixName); err != nil {
		return nil, err
	}
	p.scenarios, err = scenarios(*modes, *clients, *sizes, *connections)
	return p, err
}

// makeQuick shortens all that was not set by a flag.
func (p *plan) makeQuick(given map[string]bool, clients, sizes *string) {
	p.warmUp = warmUp{weir: 500, postfix: 50}
	if !given["clients"] {
		*clients = "20"
	}
	if !given["sizes"] {
		*sizes = "10240"
	}
	if !given["rounds"] {
		p.rounds = 1
	}
	if !given["duration"] {
		p.duration = 500 * time.Millisecond
	}
	if !given["timing"] {
		p.timing = 300 * time.Millisecond
	}
}

// scenarios are all combinations of the lists.
func scenarios(modes, clients, sizes, connections string) ([]scenario, error) {
	modeList, err := oneOf("modes", modes, relayMode, acceptMode)
	if err != nil {
		return nil, err
	}
	connectionList, err := oneOf("connections", connections, "one", "many")
	if err != nil {
		return nil, err
	}
	clientList, err := numbers("clients", clients)
	if err != nil {
		return nil, err
	}
	sizeList, err := numbers("sizes", sizes)
	if err != nil {
		return nil, err
	}
	var all []scenario
	for _, m := range modeList {
		for _, c := range clientList {
			for _, s := range sizeList {
				for _, how := range connectionList {
					all = append(all, scenario{m, traffic.Shape{Clients: c, Size: s, Many: how == "many"}})
				}
			}
		}
	}
	return all, nil
}

// oneOf splits a list whose words are known.
func oneOf(name, list string, known ...string) ([]string, error) {
	words := strings.Split(list, ",")
	for _, word := range words {
		if !slices.Contains(known, word) {
			return nil, fmt.Errorf("-%s: %q is none of %s", name, word, strings.Join(known, ", "))
		}
	}
	return words, nil
}

// numbers splits a list of positive numbers.
func numbers(name, list string) ([]int, error) {
	var all []int
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-%s: %q is no number above 0", name, word)
		}
		all = append(all, n)
	}
	return all, nil
}
