package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirmail/weir/internal/admin"
	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/relay"
)

// routeCommand tells where mail would go.
type routeCommand struct {
	socketFlags
	Alone bool   `help:"Do not ask the running relay: use the configuration file as it is now, and nothing that the relay has learned."`
	From  string `help:"Who the mail would be from, an address; without it, nobody, as notices are." placeholder:"ADDRESS"`
	To    string `arg:"" name:"address|domain" help:"Whom the mail would be for."`
	JSON  bool   `help:"Print it as JSON."`
}

// routePatience bounds the search: the DNS and a policy by HTTPS may have to be
// waited for.
const routePatience = 2 * time.Minute

// Run asks the running relay, or finds out by itself where none runs.
func (c *routeCommand) Run(ctx context.Context, w *world) error {
	ctx, cancel := context.WithTimeout(ctx, routePatience)
	defer cancel()
	route, alone, err := c.find(ctx, w)
	switch {
	case err != nil:
		return err
	case c.JSON:
		err = writeJSON(w.stdout, route)
	default:
		err = writeRoute(newPaper(w), &route, alone, time.Now())
	}
	if err == nil && route.Problem != nil {
		err = &exitError{code: exitUnavailable}
	}
	return err
}

// find returns the route, and whether it was found without a relay.
func (c *routeCommand) find(ctx context.Context, w *world) (route api.Route, alone bool, err error) {
	if !c.Alone {
		client, err := c.client(w)
		if err != nil {
			return api.Route{}, false, err
		}
		defer client.Close()
		route, err := client.Route(ctx, c.From, c.To)
		var absent *api.ConnectError
		if !errors.As(err, &absent) || c.Socket != "" {
			return route, false, apiError(err)
		}
	}
	from := configFlags{Config: c.Config}
	cfg, _, err := from.load(w, nil)
	if err != nil {
		return api.Route{}, true, &exitError{exitConfig, err}
	}
	route, err = relay.Plan(ctx, cfg, c.From, c.To)
	switch {
	case errors.Is(err, admin.ErrNoAddress):
		err = &exitError{exitUsage, err}
	case err != nil:
		err = &exitError{exitTryAgain, fmt.Errorf("finding the way for %s: %w", c.To, err)}
	}
	return route, true, err
}
