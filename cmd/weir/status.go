package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// statusCommand tells how the relay is.
type statusCommand struct {
	socketFlags
	JSON bool `help:"Print it as JSON."`
}

// statusPatience bounds the wait for an answer: a relay that does not give one
// in that time is not well, and whoever watches it wants to know.
const statusPatience = 10 * time.Second

// Run prints the status. The exit code says in short how the relay is, as the
// plug-ins of monitoring systems do.
func (c *statusCommand) Run(ctx context.Context, w *world) error {
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, statusPatience)
	defer cancel()
	status, err := client.Status(ctx)
	if err != nil {
		return &exitError{exitCritical, err}
	}
	if c.JSON {
		err = writeJSON(w.stdout, status)
	} else {
		err = writeStatus(w.stdout, &status, time.Now())
	}
	if code := healthOf(&status); err == nil && code != exitOK {
		err = &exitError{code: code}
	}
	return err
}

// healthOf returns the exit code for a status.
func healthOf(s *api.Status) int {
	switch {
	case s.State == api.StateStopping:
		return exitCritical
	case s.State != api.StateServing:
		return exitWarning // a relay in maintenance is not ready, and that is no fault
	case s.Problem != "":
		return exitCritical
	case s.Admission != nil && s.Admission.Pressure > 1, len(drained(s)) > 0:
		return exitWarning
	}
	return exitOK
}

// drained returns the names of the listeners that are in maintenance by
// themselves.
func drained(s *api.Status) []string {
	var names []string
	for _, l := range s.Listeners {
		if s.State == api.StateServing && l.State == api.StateMaintenance {
			names = append(names, l.Name)
		}
	}
	return names
}

// readyCommand asks whether the relay takes mail.
type readyCommand struct {
	socketFlags
	Wait api.Duration `help:"Go on asking for so long before saying no, as in 30s." default:"0s" placeholder:"TIME"`
}

// askAgain is the time between two questions.
const askAgain = 100 * time.Millisecond

// Run asks until the relay is ready, or the time is over.
func (c *readyCommand) Run(ctx context.Context, w *world) error {
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	deadline := time.Now().Add(time.Duration(c.Wait))
	for {
		err = askReady(ctx, client)
		if err == nil {
			_, err = fmt.Fprintln(w.stdout, "ready")
			return err
		}
		denied := errors.Is(err, fs.ErrPermission) // which does not pass by itself
		if denied || time.Until(deadline) < askAgain {
			return &exitError{exitWarning, fmt.Errorf("not ready: %w", err)}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(askAgain):
		}
	}
}

func askReady(ctx context.Context, client *api.Client) error {
	ctx, cancel := context.WithTimeout(ctx, statusPatience)
	defer cancel()
	return client.Ready(ctx)
}
