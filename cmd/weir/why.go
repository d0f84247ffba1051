package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/weirmail/weir/internal/admin/api"
)

// whyCommand explains refusals.
type whyCommand struct {
	socketFlags
	What string `arg:"" optional:"" name:"id|address" help:"The id in the reply, the reply itself, or the address or network of a client."`
	Last int    `help:"The latest so many; without, ${default}." default:"20" placeholder:"N"`
	JSON bool   `help:"Print one JSON object a line."`
}

// Run explains what the relay remembers, the latest at the end.
func (c *whyCommand) Run(ctx context.Context, w *world) error {
	query, err := c.query()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	found, err := client.Decisions(ctx, query)
	if err != nil {
		return apiError(err)
	}
	slices.Reverse(found) // the eye is at the end
	if c.JSON {
		for i := range found {
			if err := writeJSON(w.stdout, &found[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(found) == 0 {
		_, err = fmt.Fprintln(w.stdout, nothingRefused(query))
		return err
	}
	return writeDecisions(w.stdout, found, time.Now())
}

// query reads what is asked about.
func (c *whyCommand) query() (api.DecisionQuery, error) {
	q := api.DecisionQuery{Last: c.Last}
	if c.Last < 1 || c.Last > api.MaxDecisions {
		return q, fmt.Errorf("--last is %d, but has to be a number from 1 to %d", c.Last, api.MaxDecisions)
	}
	if c.What == "" {
		return q, nil
	}
	// An id has neither dots nor colons, so it is never an address.
	if network, err := api.ParseClient(c.What); err == nil {
		q.Network = network
		return q, nil
	}
	if _, err := q.Set("id", idIn(c.What)); err != nil {
		return q, fmt.Errorf("%q is neither the id of a refusal, which has 8 letters and digits, nor the address or network of a client", c.What)
	}
	return q, nil
}

// idIn finds the id in a reply that was pasted as a whole, with whatever a log or
// a notice has put around it.
func idIn(s string) string {
	i := strings.LastIndex(s, "id=")
	if i < 0 {
		return s
	}
	id := s[i+len("id="):]
	if end := strings.IndexFunc(id, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }); end >= 0 {
		id = id[:end]
	}
	return id
}

func nothingRefused(q api.DecisionQuery) string {
	if q.Network.IsValid() {
		return "No refusal of " + network(q.Network) + " is known. The relay remembers the latest ones, since its start."
	}
	return "No refusal is known since the relay was started."
}
