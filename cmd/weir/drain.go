package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// drainCommand begins a maintenance.
type drainCommand struct {
	socketFlags
	Until    string       `help:"When it ends by itself: 18:30 for the next time that the clock shows it, or 2026-11-25 03:00, or as RFC 3339 has it." placeholder:"TIME" xor:"end"`
	For      api.Duration `help:"How long it lasts, as in 90m or 4h. Without an end it lasts until \"weir resume\"." placeholder:"DURATION" xor:"end"`
	Listener string       `help:"Only the listener of this name; without, all of them." placeholder:"NAME"`
	Text     string       `help:"What it is for; \"weir status\" and \"weir why\" show it." placeholder:"TEXT"`
	JSON     bool         `help:"Print the maintenance as JSON."`
}

// Run begins the maintenance.
func (c *drainCommand) Run(ctx context.Context, w *world) error {
	now := time.Now()
	request := api.DrainRequest{For: c.For, Listener: c.Listener, Text: c.Text}
	if c.Until != "" {
		var err error
		if request.Until, err = parseMoment(c.Until, now); err != nil {
			return &exitError{exitUsage, err}
		}
	}
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	d, err := client.Drain(ctx, request)
	if err != nil {
		return apiError(err)
	}
	if c.JSON {
		return writeJSON(w.stdout, d)
	}
	return writeDrain(w.stdout, &d, now)
}

// writeDrain says what begins, and how it ends.
func writeDrain(w io.Writer, d *api.Drain, now time.Time) error {
	who, resume := "The relay", "weir resume"
	if d.Listener != "" {
		who = "The listener " + printable(d.Listener)
		resume += " --listener " + printable(d.Listener)
	}
	end := resume + " ends it."
	until := ""
	if !d.Until.IsZero() {
		until = " until " + moment(d.Until, now)
		end = "It ends by itself, or with " + resume + "."
	}
	_, err := fmt.Fprintf(w, "%s is in maintenance%s: new clients hear 421, those in a transaction may end it, delivery goes on.\n%s\n",
		who, until, end)
	return err
}

// resumeCommand ends a maintenance.
type resumeCommand struct {
	socketFlags
	Listener string `help:"Only that of the listener of this name; without, all maintenance." placeholder:"NAME"`
	JSON     bool   `help:"Print the result as JSON."`
}

// Run ends the maintenance.
func (c *resumeCommand) Run(ctx context.Context, w *world) error {
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	ended, err := client.Resume(ctx, c.Listener)
	switch {
	case err != nil:
		return apiError(err)
	case c.JSON:
		return writeJSON(w.stdout, api.Resumed{Ended: ended})
	case ended:
		_, err = fmt.Fprintln(w.stdout, "The maintenance is over: mail is taken again.")
	case c.Listener != "":
		_, err = fmt.Fprintf(w.stdout, "There was no maintenance of %s alone.\n", printable(c.Listener))
	default:
		_, err = fmt.Fprintln(w.stdout, "There was no maintenance.")
	}
	return err
}
