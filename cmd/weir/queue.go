package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
)

// queueCommands are the verbs of "weir queue".
type queueCommands struct {
	List    queueListCommand    `cmd:"" help:"List what is in the queue, the oldest first."`
	Show    queueShowCommand    `cmd:"" help:"Show messages with their recipients, and why they wait."`
	Hold    queueHoldCommand    `cmd:"" help:"Keep messages from being delivered."`
	Release queueReleaseCommand `cmd:"" help:"Let held messages go again."`
	Retry   queueRetryCommand   `cmd:"" help:"Try messages now."`
	Remove  queueRemoveCommand  `cmd:"" help:"Take messages out of the queue, without telling their senders."`
}

// filterFlags choose messages.
type filterFlags struct {
	Sender    string       `help:"Messages from this address, from @domain, or from <>." placeholder:"ADDRESS"`
	Recipient string       `help:"Messages to this address, or to @domain." placeholder:"ADDRESS"`
	Domain    string       `help:"Messages to this domain; .example.org means all names below it." placeholder:"DOMAIN"`
	OlderThan api.Duration `help:"Messages that arrived longer ago, as in 90s, 4h or 2d." placeholder:"TIME"`
	Held      *bool        `help:"Messages that are held, or with --no-held those that are not." negatable:""`
	State     string       `help:"Messages with a recipient in this state: waiting, relayed, delivered, failed, expired, removed." placeholder:"STATE"`
}

func (f *filterFlags) filter() (api.Filter, error) {
	filter := api.Filter{
		Sender: f.Sender, Recipient: f.Recipient, Domain: f.Domain,
		OlderThan: f.OlderThan, Held: f.Held, State: f.State,
	}
	if err := filter.Check(); err != nil {
		return filter, &exitError{exitUsage, err}
	}
	return filter, nil
}

// queueListCommand lists messages.
type queueListCommand struct {
	socketFlags
	filterFlags
	Limit int  `help:"Stop after so many messages; 0 lists all." default:"0" placeholder:"N"`
	JSON  bool `help:"Print one JSON object a line."`
}

// Run lists the messages as they come, so that a million need no memory.
func (c *queueListCommand) Run(ctx context.Context, w *world) error {
	filter, err := c.filter()
	if err != nil {
		return err
	}
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	list := newMessageList(w.stdout, c.JSON, time.Now())
	for m, err := range client.Messages(ctx, filter) {
		if err != nil {
			return apiError(err)
		}
		if c.Limit > 0 && list.messages == c.Limit {
			list.more = true
			break
		}
		if err := list.add(&m); err != nil {
			return err
		}
	}
	return list.end(filter.IsZero())
}

// queueShowCommand shows messages.
type queueShowCommand struct {
	socketFlags
	IDs  []string `arg:"" name:"id" help:"The ids of the messages."`
	JSON bool     `help:"Print one JSON object a line."`
}

// Run shows the messages.
func (c *queueShowCommand) Run(ctx context.Context, w *world) error {
	ids, err := parseIDs(c.IDs)
	if err != nil {
		return err
	}
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	for n, id := range ids {
		m, err := client.Get(ctx, id)
		if err != nil {
			return apiError(err)
		}
		if c.JSON {
			err = writeJSON(w.stdout, m)
		} else {
			if n > 0 {
				fmt.Fprintln(w.stdout)
			}
			err = writeMessage(w.stdout, &m, time.Now())
			if err == nil {
				err = writeLanesOf(ctx, w, client, &m)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func parseIDs(texts []string) ([]mail.ID, error) {
	ids := make([]mail.ID, len(texts))
	var wrong []error
	for n, text := range texts {
		var err error
		if ids[n], err = mail.ParseID(text); err != nil {
			wrong = append(wrong, err)
		}
	}
	if len(wrong) > 0 {
		return nil, &exitError{exitUsage, errors.Join(wrong...)}
	}
	return ids, nil
}

func writeJSON(w interface{ Write([]byte) (int, error) }, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
