package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/dkim"
	"github.com/weirmail/weir/internal/dns"
)

// dkimCheckCommand compares keys with the DNS.
type dkimCheckCommand struct {
	configFlags
	Domain string `arg:"" optional:"" help:"The domain whose keys are compared; without it, all keys."`
	JSON   bool   `help:"Print it as JSON."`
}

// exitKeyWrong is the exit code where a key and its record do not fit.
const exitKeyWrong = 1

// checkPatience bounds the questions to the DNS.
const checkPatience = time.Minute

// keyReport is what was found of one key.
type keyReport struct {
	Domain   string `json:"domain"`
	Selector string `json:"selector"`
	Key      string `json:"key"`
	Name     string `json:"name"`
	// State is "ok", "wrong" or "unknown", which is where the DNS did not answer.
	State string `json:"state"`
	// Problems say what is wrong, in sentences.
	Problems []string `json:"problems"`
	// Record is what the DNS should have.
	Record string `json:"record"`
}

// textLookup returns the texts that the DNS has at a name.
type textLookup func(ctx context.Context, name string) ([]string, error)

// Run compares the keys of the configuration.
func (c *dkimCheckCommand) Run(ctx context.Context, w *world) error {
	cfg, _, err := c.load(w, nil)
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		return configError(w, wrong)
	}
	if err != nil {
		return err
	}
	keys, err := keysOf(cfg, c.Domain)
	if err != nil {
		return err
	}
	resolver, err := dns.New(dns.Options{Servers: cfg.DNS.Servers})
	if err != nil {
		return &exitError{exitConfig, fmt.Errorf("preparing to ask the DNS (key servers of [dns] sets whom): %w", err)}
	}
	defer resolver.Close()
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	return c.report(ctx, w, keys, resolver.LookupTXT)
}

// keysOf returns the keys of a domain, or of all.
func keysOf(cfg *config.Config, domain string) ([]config.DKIM, error) {
	if len(cfg.DKIM) == 0 {
		return nil, &exitError{exitConfig, errors.New("the configuration has no keys: \"weir dkim generate DOMAIN\" makes one and says what to add")}
	}
	if domain == "" {
		return cfg.DKIM, nil
	}
	want, err := dns.ToASCII(domain)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	var keys []config.DKIM
	for i := range cfg.DKIM {
		if own, err := dns.ToASCII(cfg.DKIM[i].Domain); err == nil && own == want {
			keys = append(keys, cfg.DKIM[i])
		}
	}
	if len(keys) == 0 {
		return nil, &exitError{exitConfig, fmt.Errorf("no [[dkim]] is for %s: mail of it is not signed", domain)}
	}
	return keys, nil
}

// report looks at each key, and prints what it found.
func (c *dkimCheckCommand) report(ctx context.Context, w *world, keys []config.DKIM, lookup textLookup) error {
	reports := make([]keyReport, 0, len(keys))
	code := exitOK
	for i := range keys {
		r, err := checkKey(ctx, &keys[i], lookup)
		if err != nil {
			return err
		}
		switch {
		case r.State == "wrong":
			code = exitKeyWrong
		case r.State == "unknown" && code == exitOK:
			code = exitTryAgain
		}
		reports = append(reports, *r)
	}
	var err error
	if c.JSON {
		err = writeJSON(w.stdout, reports)
	} else {
		err = printKeys(newPaper(w), reports)
	}
	if err == nil && code != exitOK {
		err = &exitError{code: code}
	}
	return err
}

func checkKey(ctx context.Context, k *config.DKIM, lookup textLookup) (*keyReport, error) {
	text, err := os.ReadFile(k.KeyFile)
	if err != nil {
		return nil, &exitError{exitConfig, fmt.Errorf("reading the key of %s: %w", k.Domain, err)}
	}
	key, err := dkim.ParseKey(text)
	if err != nil {
		return nil, &exitError{exitConfig, fmt.Errorf("%s cannot be used: %w", k.KeyFile, err)}
	}
	domain, err := dns.ToASCII(k.Domain)
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	r := &keyReport{Domain: domain, Selector: strings.ToLower(k.Selector), Key: key.String(), State: "ok", Problems: []string{}}
	r.Name = dkim.Name(r.Selector, domain)
	if r.Record, err = key.Record(); err != nil {
		return nil, err
	}
	texts, err := lookup(ctx, r.Name)
	if err != nil && !errors.Is(err, dns.ErrNotFound) && !errors.Is(err, dns.ErrNoData) {
		r.State, r.Problems = "unknown", []string{"The DNS did not answer: " + err.Error() + "."}
		return r, nil
	}
	if problems := dkim.Compare(key, texts); len(problems) > 0 {
		r.State, r.Problems = "wrong", problems
	}
	return r, nil
}

// printKeys writes what was found for people.
func printKeys(p *paper, reports []keyReport) error {
	for i := range reports {
		r := &reports[i]
		if i > 0 {
			p.line("")
		}
		p.line(p.marked(bold, r.Name) + "   " + r.Key)
		if r.State == "ok" {
			p.block("", 2, "All is well: the record is there, and fits the key.")
			continue
		}
		for _, text := range r.Problems {
			p.block("", 2, text)
		}
		if r.State == "wrong" {
			p.block("", 2, "It should be this record:")
			p.line("")
			for line := range strings.SplitSeq(dkim.Zone(r.Name, r.Record), "\n") {
				p.line(line)
			}
		}
	}
	return p.err
}
