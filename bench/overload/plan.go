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
)

// The names of the servers.
const (
	weirName    = "weir"
	postfixName = "postfix"
)

// plan is what is to be done, and how.
type plan struct {
	experiments []experiment
	servers     []string
	clients     []int // of the loads that find the capacity
	times       times
	patience    time.Duration
	size        int
	nets        int
	quota       float64 // of a processor; 0 is no quota
	period      time.Duration
	memory      int64 // in the experiment with little memory
	volume      int64 // in the experiment with a full disk
	slower      float64
	settings    []string // of Postfix
	extra       string   // configuration of Weir
	dir, weir   string
	plots       string
	json        bool
}

// times are the lengths of the parts of each experiment.
type times struct {
	warm     time.Duration // a closed load before anything is measured
	capacity time.Duration // each load that finds the capacity
	lead     time.Duration // before what an experiment is about
	step     time.Duration // what it is about
	tail     time.Duration // after it
}

func parsePlan(args []string, usage io.Writer) (*plan, error) {
	p := &plan{times: times{warm: 4 * time.Second, capacity: 4 * time.Second, lead: 3 * time.Second, step: 10 * time.Second, tail: 6 * time.Second}}
	f := flag.NewFlagSet("overload", flag.ContinueOnError)
	f.SetOutput(usage)
	experiments := f.String("experiments", "all", "which of "+strings.Join(names(allExperiments(p)), ", "))
	servers := f.String("servers", weirName+","+postfixName, "what is measured; Postfix in the steps alone")
	clients := f.String("clients", "16,48", "clients of the closed loads that find the capacity; the best counts")
	f.DurationVar(&p.times.step, "duration", p.times.step, "length of what an experiment is about, such as a step")
	f.DurationVar(&p.times.warm, "warm", p.times.warm, "length of the load before anything is measured")
	f.DurationVar(&p.patience, "patience", 5*time.Second, "how long a client waits, for all of its transaction")
	f.IntVar(&p.size, "size", 10<<10, "length of a message's text in bytes")
	f.IntVar(&p.nets, "nets", 200, "how many networks (/24) the clients come from, of 127.0.0.0/8")
	f.Float64Var(&p.quota, "quota", 0.5, "share of a processor that the server gets; 0 is no limit")
	f.DurationVar(&p.period, "period", 10*time.Millisecond, "how often the share is dealt out")
	memory := f.Int64("memory", 128, "limit of the memory in that experiment, in MiB")
	volume := f.Int64("volume", 512, "size of the volume in the experiment with a full disk, in MiB")
	f.Float64Var(&p.slower, "slower", 20, "how many times slower the slow disk syncs")
	f.StringVar(&p.dir, "dir", "", "folder on the disk that is used (default: bin, or the one for temporary files)")
	f.StringVar(&p.weir, "weir", "", "program to measure (default: built from the source)")
	f.StringVar(&p.extra, "weir-config", "", "file with more of Weir's configuration")
	f.StringVar(&p.plots, "plots", "", "folder for a plot (SVG) of each experiment, such as docs/overload")
	f.Func("postfix", "a further `line` of Postfix's main.cf; may be given again", func(line string) error {
		p.settings = append(p.settings, line)
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
	if *quick {
		given := map[string]bool{}
		f.Visit(func(f *flag.Flag) { given[f.Name] = true })
		p.makeQuick(given)
	}
	if p.times.step <= 0 || p.patience <= 0 || p.size < 1 || p.nets < 1 || p.quota < 0 || p.slower < 1 {
		return nil, errors.New("-duration, -patience, -size and -nets have to be above 0, -quota not below, and -slower at least 1")
	}
	p.memory, p.volume = *memory<<20, *volume<<20
	return p, p.choose(*experiments, *servers, *clients)
}

// makeQuick shortens all that was not set by a flag.
func (p *plan) makeQuick(given map[string]bool) {
	step, warm := p.times.step, p.times.warm
	p.times = times{warm: 500 * time.Millisecond, capacity: time.Second, lead: time.Second, step: 2 * time.Second, tail: time.Second}
	if given["duration"] {
		p.times.step = step
	}
	if given["warm"] {
		p.times.warm = warm
	}
	if !given["patience"] {
		p.patience = 2 * time.Second
	}
}

// choose reads the lists.
func (p *plan) choose(experiments, servers, clients string) error {
	all := allExperiments(p)
	if experiments == "all" {
		p.experiments = all
	} else {
		for word := range strings.SplitSeq(experiments, ",") {
			i := slices.Index(names(all), word)
			if i < 0 {
				return fmt.Errorf("-experiments: %q is none of %s", word, strings.Join(names(all), ", "))
			}
			p.experiments = append(p.experiments, all[i])
		}
	}
	for word := range strings.SplitSeq(servers, ",") {
		if word != weirName && word != postfixName {
			return fmt.Errorf("-servers: %q is neither %s nor %s", word, weirName, postfixName)
		}
		p.servers = append(p.servers, word)
	}
	for word := range strings.SplitSeq(clients, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return fmt.Errorf("-clients: %q is no number above 0", word)
		}
		p.clients = append(p.clients, n)
	}
	return nil
}

func names(all []experiment) []string {
	var words []string
	for _, e := range all {
		words = append(words, e.Name)
	}
	return words
}
