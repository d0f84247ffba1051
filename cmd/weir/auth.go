package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/oauth"
	"github.com/weirmail/weir/internal/relay"
)

// authCommands are the verbs of "weir auth".
type authCommands struct {
	Login  authLoginCommand  `cmd:"" help:"Log in at a provider, so that the relay may sign in there by tokens (OAuth 2.0)."`
	Logout authLogoutCommand `cmd:"" help:"Forget a login."`
	Status authStatusCommand `cmd:"" help:"Tell how the logins of the running relay are."`
}

// loginFlags say which login is meant.
type loginFlags struct {
	configFlags
	Name string `arg:"" optional:"" help:"Whom the relay signs in as, as username has it. It may be left out where there is one alone."`
}

// chosenLogin is the login that is meant.
type chosenLogin struct {
	client *oauth.Client
	store  *oauth.Store
	server config.NamedServer
}

// choose finds the login that is meant among those of the configuration.
func (f *loginFlags) choose(w *world) (*chosenLogin, error) {
	cfg, _, err := f.load(w, nil)
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		return nil, configError(w, wrong)
	}
	if err != nil {
		return nil, err
	}
	var found []*chosenLogin
	var names []string
	for _, s := range cfg.Servers() {
		if s.OAuth == "" {
			continue
		}
		name := s.SignsInAs()
		if slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
		if f.Name != "" && !strings.EqualFold(f.Name, name) {
			continue
		}
		client, _, err := relay.TokenClient(cfg, s)
		if err != nil {
			return nil, &exitError{exitConfig, err}
		}
		found = append(found, &chosenLogin{client, relay.LoginStore(cfg, value(w.environ, "CREDENTIALS_DIRECTORY")), s})
	}
	switch {
	case len(names) == 0:
		return nil, &exitError{exitConfig, errors.New("nothing in the configuration signs in by tokens: write oauth beside smarthost or next_hop, and an [[oauth_app]]; docs/smarthosts.md has examples")}
	case len(found) == 0:
		return nil, &exitError{exitNoInput, fmt.Errorf("nobody signs in as %s by tokens; there is %s", f.Name, strings.Join(names, ", "))}
	case len(found) > 1:
		return nil, &exitError{exitUsage, fmt.Errorf("say which one: %s", strings.Join(names, ", "))}
	}
	return found[0], nil
}

// authLoginCommand logs in.
type authLoginCommand struct {
	loginFlags
}

// Run logs in, and keeps what comes of it.
func (c *authLoginCommand) Run(ctx context.Context, w *world) error {
	chosen, err := c.choose(w)
	if err != nil {
		return err
	}
	ctx, stop := untilInterrupted(ctx, w)
	defer stop()
	var login oauth.Login
	switch chosen.client.Grant {
	case oauth.GrantClient:
		return &exitError{exitUsage, fmt.Errorf("the application signs in as itself (grant = \"client\"), so nobody has to log in as %s", chosen.client.Login)}
	case oauth.GrantDevice:
		login, err = chosen.client.LoginByDevice(ctx, func(p oauth.Prompt) error { return showCode(w.stdout, chosen.client.Login, p, time.Now()) })
	default:
		login, err = chosen.client.LoginByCode(ctx, func(p oauth.Prompt) (string, error) { return askCode(w, chosen.client.Login, p) })
	}
	if err != nil {
		return loginError(err)
	}
	if err := chosen.store.Save(chosen.client, login); err != nil {
		return &exitError{exitDenied, fmt.Errorf("%w: run this command as the user that weir runs as", err)}
	}
	_, err = fmt.Fprintf(w.stdout, "\n%s is logged in. A running relay uses it from now on.\n", chosen.client.Login)
	return err
}

// untilInterrupted returns a context that a signal ends.
func untilInterrupted(ctx context.Context, w *world) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-w.signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); <-done }
}

// loginError gives an error of a login its exit code.
func loginError(err error) error {
	if errors.Is(err, context.Canceled) {
		return &exitError{exitTryAgain, errors.New("nobody has logged in")}
	}
	return &exitError{exitTryAgain, err}
}

// showCode tells a person where to enter which code.
func showCode(out io.Writer, login string, p oauth.Prompt, now time.Time) error {
	_, err := fmt.Fprintf(out, "Open this page, on any machine, and log in as %s:\n\n    %s\n\nand enter this code there:\n\n    %s\n\nWaiting for that, for %s at most …\n",
		printable(login), printable(p.URL), printable(p.Code), age(p.Until.Sub(now)))
	return err
}

// maxPasted bounds what is read of a paste.
const maxPasted = 16 << 10

// askCode tells a person which page to open, and reads what they paste.
func askCode(w *world, login string, p oauth.Prompt) (string, error) {
	_, err := fmt.Fprintf(w.stdout, "Open this page, on any machine, and log in as %s:\n\n%s\n\nAt the end the browser goes to a page that it cannot show, at localhost. Copy the\naddress of that page out of the browser, and paste it here:\n\n", printable(login), p.URL)
	if err != nil {
		return "", err
	}
	line, err := bufio.NewReader(io.LimitReader(w.stdin, maxPasted)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading what was pasted: %w", err)
	}
	return line, nil
}

// authLogoutCommand forgets a login.
type authLogoutCommand struct {
	loginFlags
}

// Run forgets the login. What the provider knows of it stays.
func (c *authLogoutCommand) Run(w *world) error {
	chosen, err := c.choose(w)
	if err != nil {
		return err
	}
	if _, err := chosen.store.Load(chosen.client); errors.Is(err, oauth.ErrNoLogin) {
		return &exitError{exitNoInput, fmt.Errorf("there is no login of %s", chosen.client.Login)}
	}
	if err := chosen.store.Remove(chosen.client); err != nil {
		return &exitError{exitDenied, err}
	}
	_, err = fmt.Fprintf(w.stdout, "The login of %s is forgotten. The provider still has it: its account page revokes it.\nA token that a running relay holds is good for up to an hour.\n", chosen.client.Login)
	return err
}
