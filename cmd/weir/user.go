package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/inbound/auth"
)

// userCommands are the verbs of "weir user".
type userCommands struct {
	Add    userAddCommand    `cmd:"" help:"Add an account, with a password from the terminal or the standard input."`
	Passwd userPasswdCommand `cmd:"" help:"Change the password of an account."`
	Set    userSetCommand    `cmd:"" help:"Change what an account may do: its senders, or whether it is disabled."`
	List   userListCommand   `cmd:"" help:"List the accounts."`
	Remove userRemoveCommand `cmd:"" help:"Remove an account."`
}

// usersFlags say which file the accounts are in.
type usersFlags struct {
	configFlags
	Users string `help:"The file of the accounts. Without it, the one that the configuration names (users under [auth])." placeholder:"FILE"`
}

// path returns the file of the accounts.
func (f *usersFlags) path(w *world) (string, error) {
	if f.Users != "" {
		return f.Users, nil
	}
	cfg, err := f.loadLeniently(w)
	if err != nil {
		return "", err
	}
	if cfg.Auth.Users == "" {
		return "", &exitError{exitConfig, errors.New("the configuration names no file of accounts: set users under [auth], or name one by --users")}
	}
	return cfg.Auth.Users, nil
}

// loadLeniently loads a configuration that may name a file of accounts which is not
// there yet: this is the command that makes it.
func (f *usersFlags) loadLeniently(w *world) (*config.Config, error) {
	src := f.source(w, nil)
	src.Stat = func(name string) (fs.FileInfo, error) {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return absent{}, nil
		}
		return info, err
	}
	cfg, _, err := config.Load(src)
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		return nil, configError(w, wrong)
	}
	return cfg, err
}

// absent stands for a file that nobody could read.
type absent struct{ fs.FileInfo }

// Mode returns that of a file for its owner alone.
func (absent) Mode() fs.FileMode { return 0o600 }

// edit changes the accounts.
func (f *usersFlags) edit(w *world, change func(*auth.Users) error) error {
	path, err := f.path(w)
	if err != nil {
		return err
	}
	return userError(auth.EditUsers(path, change))
}

// userError gives an error its exit code.
func userError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, auth.ErrNoUser), errors.Is(err, fs.ErrNotExist):
		return &exitError{exitNoInput, err}
	case errors.Is(err, auth.ErrUserExists):
		return &exitError{exitUsage, fmt.Errorf("%w; \"weir user passwd\" changes its password", err)}
	case errors.Is(err, fs.ErrPermission):
		return &exitError{exitDenied, err}
	}
	return &exitError{exitConfig, err}
}

// senderFlags say which reverse-paths an account may use.
type senderFlags struct {
	Senders *string `help:"The senders that the account may use, with commas between them: addresses, @domain, @.domain, self, <> or *. Without it, those of [auth]." placeholder:"LIST"`
}

// apply sets the senders where they are given; "default" leaves them to the
// configuration.
func (f *senderFlags) apply(u *auth.User) (err error) {
	if f.Senders == nil {
		return nil
	}
	if *f.Senders == "default" {
		u.Senders = nil
		return nil
	}
	if u.Senders, err = auth.ParseSenders(strings.Split(*f.Senders, ",")); err != nil {
		return &exitError{exitUsage, err}
	}
	return nil
}

// passwordFlags say how a password is kept.
type passwordFlags struct {
	NoScram bool `help:"Keep nothing of the password for SCRAM: argon2id alone takes longer to guess from a stolen file, and serves PLAIN and LOGIN." name:"no-scram"`
}

// userAddCommand adds an account.
type userAddCommand struct {
	usersFlags
	senderFlags
	passwordFlags
	Name string `arg:"" help:"What the account is called, mostly an address."`
}

// Run adds the account. The password is asked for when everything else is right.
func (c *userAddCommand) Run(w *world) error {
	u := &auth.User{}
	var err error
	if u.Name, err = accountName(c.Name); err != nil {
		return err
	}
	if err := c.apply(u); err != nil {
		return err
	}
	switch there, err := c.has(w, u.Name); {
	case err != nil:
		return err
	case there:
		return userError(auth.ErrUserExists)
	}
	password, err := askPassword(w)
	if err != nil {
		return err
	}
	if err := u.SetPassword(password, !c.NoScram); err != nil {
		return &exitError{exitUsage, err}
	}
	if err := c.edit(w, func(us *auth.Users) error { return us.Add(u) }); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.stdout, "%s is added.\n", u.Name)
	return err
}

// has looks whether there is an account, before anybody types a password.
func (f *usersFlags) has(w *world, name string) (bool, error) {
	path, err := f.path(w)
	if err != nil {
		return false, err
	}
	us, err := auth.ReadUsers(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && us.Get(name) != nil, userError(err)
}

// accountName prepares the name of a command line.
func accountName(name string) (string, error) {
	prepared, err := auth.PrepareName(name)
	if err != nil {
		return "", &exitError{exitUsage, err}
	}
	if strings.HasPrefix(prepared, "#") {
		return "", &exitError{exitUsage, errors.New("a name does not begin with #")}
	}
	return prepared, nil
}

// change changes one account that is there.
func (f *usersFlags) change(w *world, name string, change func(*auth.User) error) error {
	prepared, err := accountName(name)
	if err != nil {
		return err
	}
	return f.edit(w, func(us *auth.Users) error {
		u := us.Get(prepared)
		if u == nil {
			return fmt.Errorf("%w: %s", auth.ErrNoUser, prepared)
		}
		return change(u)
	})
}

// userPasswdCommand changes a password.
type userPasswdCommand struct {
	usersFlags
	passwordFlags
	Name string `arg:"" help:"The account."`
}

// Run changes the password.
func (c *userPasswdCommand) Run(w *world) error {
	name, err := accountName(c.Name)
	if err != nil {
		return err
	}
	switch there, err := c.has(w, name); {
	case err != nil:
		return err
	case !there:
		return userError(fmt.Errorf("%w: %s", auth.ErrNoUser, name))
	}
	password, err := askPassword(w)
	if err != nil {
		return err
	}
	err = c.change(w, c.Name, func(u *auth.User) error {
		if err := u.SetPassword(password, !c.NoScram); err != nil {
			return &exitError{exitUsage, err}
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w.stdout, "The password is changed.")
	return err
}

// userSetCommand changes what an account may do.
type userSetCommand struct {
	usersFlags
	senderFlags
	Disabled *bool  `help:"Keep the account and let nobody use it, or with --no-disabled let it be used again." negatable:""`
	Name     string `arg:"" help:"The account."`
}

// Run changes the account.
func (c *userSetCommand) Run(w *world) error {
	if c.Senders == nil && c.Disabled == nil {
		return &exitError{exitUsage, errors.New("nothing to set: name --senders, --disabled or --no-disabled")}
	}
	return c.change(w, c.Name, func(u *auth.User) error {
		if c.Disabled != nil {
			u.Disabled = *c.Disabled
		}
		return c.apply(u)
	})
}

// userRemoveCommand removes an account.
type userRemoveCommand struct {
	usersFlags
	Name string `arg:"" help:"The account."`
}

// Run removes the account.
func (c *userRemoveCommand) Run(w *world) error {
	name, err := accountName(c.Name)
	if err != nil {
		return err
	}
	return c.edit(w, func(us *auth.Users) error { return us.Remove(name) })
}

// userListCommand lists accounts.
type userListCommand struct {
	usersFlags
	JSON bool `help:"Print one JSON object a line."`
}

// listedUser is an account for machines.
type listedUser struct {
	Name     string       `json:"name"`
	Disabled bool         `json:"disabled"`
	Senders  auth.Senders `json:"senders,omitempty"`
	Schemes  []string     `json:"schemes"`
}

// Run lists the accounts, and nothing of their passwords.
func (c *userListCommand) Run(w *world) error {
	path, err := c.path(w)
	if err != nil {
		return err
	}
	us, err := auth.ReadUsers(path)
	if err != nil {
		return userError(err)
	}
	if c.JSON {
		return listUsersJSON(w.stdout, us)
	}
	return listUsers(w.stdout, us)
}

func listUsersJSON(out io.Writer, us *auth.Users) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, u := range us.All() {
		listed := listedUser{Name: u.Name, Disabled: u.Disabled, Senders: u.Senders, Schemes: append([]string{}, u.Schemes()...)}
		if err := encoder.Encode(listed); err != nil {
			return err
		}
	}
	return nil
}

func listUsers(out io.Writer, us *auth.Users) error {
	all := us.All()
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "There are no accounts.")
		return err
	}
	b := bufio.NewWriter(out)
	width := len("ACCOUNT")
	for _, u := range all {
		width = max(width, len(u.Name))
	}
	fmt.Fprintf(b, "%-*s  %-22s  %s\n", width, "ACCOUNT", "PASSWORD", "SENDERS")
	for _, u := range all {
		kept, senders := strings.Join(u.Schemes(), " "), "as [auth] says"
		if u.Senders != nil {
			senders = strings.Join(u.Senders, " ")
		}
		if u.Disabled {
			kept = "disabled"
		}
		if kept == "" {
			kept = "none"
		}
		fmt.Fprintf(b, "%-*s  %-22s  %s\n", width, u.Name, kept, senders)
	}
	return b.Flush()
}
