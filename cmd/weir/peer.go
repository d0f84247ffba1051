package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// peerCommands are the verbs of "weir peer".
type peerCommands struct {
	Show   peerShowCommand   `cmd:"" default:"withargs" help:"List the next hops that are known, or show all that is known of one."`
	Forget peerForgetCommand `cmd:"" help:"Forget what is known of next hops, so that they are met as strangers."`
}

// peerShowCommand lists next hops, or shows some.
type peerShowCommand struct {
	socketFlags
	Hosts []string `arg:"" optional:"" name:"host" help:"The name of a host: all of its ports, or one of them as in smtp.example.net:587."`
	JSON  bool     `help:"Print one JSON object a line."`
}

// Run asks the running relay.
func (c *peerShowCommand) Run(ctx context.Context, w *world) error {
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	now := time.Now()
	if len(c.Hosts) == 0 {
		return c.list(ctx, w, client, now)
	}
	for n, host := range c.Hosts {
		found, err := peersOf(ctx, client, strings.ToLower(host))
		if err != nil {
			return apiError(err)
		}
		if err := c.print(w, found, n > 0, now); err != nil {
			return err
		}
	}
	return nil
}

// print prints what is known of the ports of a host.
func (c *peerShowCommand) print(w *world, found []api.Peer, more bool, now time.Time) error {
	for i := range found {
		if c.JSON {
			if err := writeJSON(w.stdout, &found[i]); err != nil {
				return err
			}
			continue
		}
		page := newPaper(w)
		if i > 0 || more {
			page.line("")
		}
		if err := writePeer(page, &found[i], now); err != nil {
			return err
		}
	}
	return nil
}

func (c *peerShowCommand) list(ctx context.Context, w *world, client *api.Client, now time.Time) error {
	list := newPeerList(w.stdout, c.JSON, now)
	for p, err := range client.Peers(ctx, "") {
		if err != nil {
			return apiError(err)
		}
		if err := list.add(&p); err != nil {
			return err
		}
	}
	return list.end()
}

// peersOf returns the next hops that a name means: the one, and its other ports.
func peersOf(ctx context.Context, client *api.Client, host string) (found []api.Peer, err error) {
	p, err := client.Peer(ctx, host)
	var problem *api.Problem
	absent := errors.As(err, &problem) && problem.Status == http.StatusNotFound
	switch {
	case err == nil:
		found = append(found, p)
	case !absent:
		return nil, err
	}
	for p, err := range client.Peers(ctx, host+":") {
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(p.Name, host+":") {
			break
		}
		found = append(found, p)
	}
	if len(found) == 0 {
		return nil, err
	}
	return found, nil
}

// peerForgetCommand forgets next hops.
type peerForgetCommand struct {
	socketFlags
	Hosts []string `arg:"" name:"host" help:"Names of hosts: all of their ports, or one as in smtp.example.net:587."`
	JSON  bool     `help:"Print the names as JSON."`
}

// Run asks the running relay.
func (c *peerForgetCommand) Run(ctx context.Context, w *world) error {
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	for _, host := range c.Hosts {
		found, err := peersOf(ctx, client, strings.ToLower(host))
		if err != nil {
			return apiError(err)
		}
		for i := range found {
			if err := client.ForgetPeer(ctx, found[i].Name); err != nil {
				return apiError(err)
			}
			if err := c.tell(w, found[i].Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *peerForgetCommand) tell(w *world, name string) error {
	if c.JSON {
		return writeJSON(w.stdout, map[string]string{"forgotten": name})
	}
	_, err := fmt.Fprintf(w.stdout, "%s is forgotten.\n", printable(name))
	return err
}
