package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
)

// changeFlags choose messages that are to be changed: by their ids, or by what
// they have in common.
type changeFlags struct {
	socketFlags
	filterFlags
	IDs    []string `arg:"" optional:"" name:"id" help:"The ids of the messages."`
	All    bool     `help:"All messages of the queue."`
	DryRun bool     `help:"Show what would be changed, and change nothing." short:"n"`
	JSON   bool     `help:"Print the result as JSON."`
}

// The verbs that change messages.
type (
	queueHoldCommand    struct{ changeFlags }
	queueReleaseCommand struct{ changeFlags }
	queueRetryCommand   struct{ changeFlags }
	queueRemoveCommand  struct {
		changeFlags
		Yes bool `help:"Remove without --dry-run what a filter chooses." short:"y"`
	}
)

// Run holds messages.
func (c *queueHoldCommand) Run(ctx context.Context, w *world) error {
	return c.change(ctx, w, api.ActionHold, "held")
}

// Run releases messages.
func (c *queueReleaseCommand) Run(ctx context.Context, w *world) error {
	return c.change(ctx, w, api.ActionRelease, "released")
}

// Run makes messages due now.
func (c *queueRetryCommand) Run(ctx context.Context, w *world) error {
	return c.change(ctx, w, api.ActionRetry, "due now")
}

// Run removes messages.
func (c *queueRemoveCommand) Run(ctx context.Context, w *world) error {
	if len(c.IDs) == 0 && !c.DryRun && !c.Yes {
		return &exitError{exitUsage, errors.New("this removes every message that the filter chooses, for good: look at them with --dry-run, then say --yes")}
	}
	return c.change(ctx, w, api.ActionRemove, "removed")
}

func (c *changeFlags) change(ctx context.Context, w *world, action api.Action, done string) error {
	filter, err := c.filter()
	if err != nil {
		return err
	}
	switch chosen := !filter.IsZero() || c.All; {
	case len(c.IDs) > 0 && chosen:
		return &exitError{exitUsage, errors.New("give either ids or a filter, not both")}
	case len(c.IDs) == 0 && !chosen:
		return &exitError{exitUsage, errors.New("say which messages: by their ids, by a filter such as --domain, or --all")}
	}
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	if len(c.IDs) > 0 {
		return c.changeEach(ctx, w, client, action, done)
	}
	result, err := client.Bulk(ctx, action, api.Bulk{Filter: filter, All: c.All, DryRun: c.DryRun})
	if err != nil {
		return apiError(err)
	}
	return c.tellBulk(w, &result, done)
}

// changed is what came of one message, for machines.
type changed struct {
	ID    mail.ID `json:"id"`
	Done  bool    `json:"done"`
	Error string  `json:"error,omitempty"`
}

// changeEach changes messages one by one. One that is not there does not keep
// the others from being changed.
func (c *changeFlags) changeEach(ctx context.Context, w *world, client *api.Client, action api.Action, done string) error {
	ids, err := parseIDs(c.IDs)
	if err != nil {
		return err
	}
	var failures []error
	for _, id := range ids {
		err := c.changeOne(ctx, client, action, id)
		if connect := (*api.ConnectError)(nil); errors.As(err, &connect) {
			return apiError(err)
		}
		result := changed{ID: id, Done: err == nil && !c.DryRun}
		if err != nil {
			failures = append(failures, fmt.Errorf("%v: %w", id, err))
			result.Error = err.Error()
		}
		switch {
		case c.JSON:
			err = writeJSON(w.stdout, result)
		case err != nil:
			err = nil // it is told at the end
		case c.DryRun:
			_, err = fmt.Fprintf(w.stdout, "%v would be %s\n", id, done)
		default:
			_, err = fmt.Fprintf(w.stdout, "%v is %s\n", id, done)
		}
		if err != nil {
			return err
		}
	}
	return apiError(errors.Join(failures...))
}

func (c *changeFlags) changeOne(ctx context.Context, client *api.Client, action api.Action, id mail.ID) error {
	var err error
	switch {
	case c.DryRun:
		_, err = client.Get(ctx, id)
	case action == api.ActionHold:
		_, err = client.Hold(ctx, id)
	case action == api.ActionRelease:
		_, err = client.Release(ctx, id)
	case action == api.ActionRetry:
		_, err = client.Retry(ctx, id)
	case action == api.ActionRemove:
		err = client.Remove(ctx, id)
	}
	return err
}

// tellBulk prints what became of many messages.
func (c *changeFlags) tellBulk(w *world, r *api.BulkResult, done string) error {
	if c.JSON {
		if err := writeJSON(w.stdout, r); err != nil {
			return err
		}
	} else if err := c.printBulk(w, r, done); err != nil {
		return err
	}
	if r.Failed > 0 {
		return &exitError{exitTryAgain, fmt.Errorf("%s could not be changed: %s", count(r.Failed, "message"), r.Problem)}
	}
	return nil
}

func (c *changeFlags) printBulk(w *world, r *api.BulkResult, done string) error {
	if len(r.Sample) > 0 {
		list := newMessageList(w.stdout, false, time.Now())
		for i := range r.Sample {
			if err := list.add(&r.Sample[i]); err != nil {
				return err
			}
		}
		if err := list.flush(); err != nil {
			return err
		}
		if rest := r.Changed - int64(len(r.Sample)); rest > 0 {
			fmt.Fprintf(w.stdout, "… and %d more\n", rest)
		}
		fmt.Fprintln(w.stdout)
	}
	verb := done
	if r.DryRun {
		verb = "would be " + done
	}
	_, err := fmt.Fprintf(w.stdout, "%s of %d %s (%s).\n", count(r.Changed, "message"), r.Matched, verb, size(r.Bytes))
	return err
}
