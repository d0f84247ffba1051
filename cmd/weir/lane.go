package main

import (
	"context"
	"fmt"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/config"
)

// laneCommands are the verbs of "weir lane".
type laneCommands struct {
	List    laneListCommand    `cmd:"" help:"List the lanes: the destinations of mail, what they bear, and why mail waits."`
	Show    laneShowCommand    `cmd:"" help:"Show one lane with all that is known of it."`
	Suspend laneSuspendCommand `cmd:"" help:"Send nothing over a lane, until it is resumed or the time is over."`
	Resume  laneResumeCommand  `cmd:"" help:"End the suspensions of a lane, also its own, and try at once."`
	Set     laneSetCommand     `cmd:"" help:"Set limits of a lane, in place of those of the configuration."`
}

// laneListCommand lists the lanes.
type laneListCommand struct {
	socketFlags
	Waiting bool `help:"Only those that do not go as fast as they could."`
	JSON    bool `help:"Print one JSON object a line."`
}

// Run lists the lanes.
func (c *laneListCommand) Run(ctx context.Context, w *world) error {
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	all, err := client.Lanes(ctx)
	if err != nil {
		return apiError(err)
	}
	var lanes []api.Lane
	for i := range all {
		if !c.Waiting || waits(&all[i]) {
			lanes = append(lanes, all[i])
		}
	}
	if c.JSON {
		for i := range lanes {
			if err := writeJSON(w.stdout, &lanes[i]); err != nil {
				return err
			}
		}
		return nil
	}
	return writeLanes(w.stdout, lanes, time.Now())
}

// laneShowCommand shows a lane.
type laneShowCommand struct {
	socketFlags
	Name string `arg:"" help:"The name, as \"weir lane list\" has it."`
	JSON bool   `help:"Print it as JSON."`
}

// Run shows the lane.
func (c *laneShowCommand) Run(ctx context.Context, w *world) error {
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	l, err := client.Lane(ctx, c.Name)
	return showLane(w, &l, c.JSON, err)
}

// showLane prints what a command has brought.
func showLane(w *world, l *api.Lane, json bool, err error) error {
	switch {
	case err != nil:
		return apiError(err)
	case json:
		return writeJSON(w.stdout, l)
	}
	return writeLane(w.stdout, l, time.Now())
}

// laneSuspendCommand suspends a lane.
type laneSuspendCommand struct {
	socketFlags
	Name string       `arg:"" help:"The name, as \"weir lane list\" has it."`
	For  api.Duration `help:"How long, as in 90m or 4h. Without it, until \"weir lane resume\"." placeholder:"DURATION"`
	Text string       `help:"What it is for; \"weir lane\" and \"weir queue show\" show it." placeholder:"WHY"`
	JSON bool         `help:"Print the lane as JSON."`
}

// Run suspends the lane.
func (c *laneSuspendCommand) Run(ctx context.Context, w *world) error {
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	l, err := client.SuspendLane(ctx, api.LaneRequest{Name: c.Name, For: c.For, Text: c.Text})
	return showLane(w, &l, c.JSON, err)
}

// laneResumeCommand resumes a lane.
type laneResumeCommand struct {
	socketFlags
	Name string `arg:"" help:"The name, as \"weir lane list\" has it."`
	JSON bool   `help:"Print the result as JSON."`
}

// Run resumes the lane.
func (c *laneResumeCommand) Run(ctx context.Context, w *world) error {
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	ended, err := client.ResumeLane(ctx, c.Name)
	switch {
	case err != nil:
		return apiError(err)
	case c.JSON:
		return writeJSON(w.stdout, api.Resumed{Ended: ended})
	case ended:
		_, err = fmt.Fprintf(w.stdout, "The lane %s goes on.\n", printable(c.Name))
	default:
		_, err = fmt.Fprintf(w.stdout, "The lane %s was not suspended.\n", printable(c.Name))
	}
	return err
}

// laneSetCommand sets limits of a lane.
type laneSetCommand struct {
	socketFlags
	Name        string       `arg:"" help:"The name, as \"weir lane list\" has it."`
	Connections int          `help:"How many connections at most; 0 for what the configuration says." placeholder:"N"`
	Pace        string       `help:"How many messages at most, as in 10/s or 100/1m; 0 for what the configuration says." placeholder:"N/TIME"`
	For         api.Duration `help:"How long, as in 90m or 4h. Without it, until it is set anew." placeholder:"DURATION"`
	JSON        bool         `help:"Print the lane as JSON."`
}

// Run sets the limits.
func (c *laneSetCommand) Run(ctx context.Context, w *world) error {
	request := api.LaneRequest{Name: c.Name, For: c.For, Connections: c.Connections}
	if c.Pace != "" {
		rate, err := config.ParseRate(c.Pace)
		if err != nil {
			return &exitError{exitUsage, fmt.Errorf("--pace: %w", err)}
		}
		if !rate.IsZero() {
			request.Pace = float64(rate.Count) / rate.Per.Seconds()
		}
	}
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	l, err := client.LimitLane(ctx, request)
	return showLane(w, &l, c.JSON, err)
}
