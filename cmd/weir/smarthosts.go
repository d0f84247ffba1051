package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/weirmail/weir/internal/smarthost"
)

// smarthostsCommand lists the providers that the configuration can name.
type smarthostsCommand struct {
	Name string `arg:"" optional:"" help:"Show all that is known of one, such as ses or mailgun:eu."`
	JSON bool   `help:"Print JSON."`
}

// Run lists them, or shows one.
func (c *smarthostsCommand) Run(w *world) error {
	if c.Name != "" {
		return c.show(w)
	}
	all, err := smarthost.Providers()
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(w.stdout, all)
	}
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tPROVIDER\tSERVER\tSIGNS IN WITH")
	for i := range all {
		p := &all[i]
		fmt.Fprintf(table, "%s\t%s\t%s:%d\t%s\n", p.ID, p.Name, p.Host, p.Ports()[0].Number, signsIn(p))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(w.stdout, "\nWrite smarthost = \"NAME\" and [login] in the configuration. \"weir smarthosts NAME\" shows the rest.")
	return err
}

// signsIn says in a few words how one signs in.
func signsIn(p *smarthost.Provider) string {
	var ways []string
	if p.OAuth != nil {
		ways = append(ways, "OAuth2")
	}
	for _, m := range p.Mechanisms {
		if m == "PLAIN" || m == "LOGIN" {
			ways = append(ways, "password")
			break
		}
	}
	if p.LoginOptional() {
		ways = append(ways, "its address")
	}
	return strings.Join(ways, ", ")
}

// show prints all that is known of one.
func (c *smarthostsCommand) show(w *world) error {
	choice, err := chooseForShow(c.Name)
	if err != nil {
		if e, ok := errors.AsType[*smarthost.Error](err); ok {
			err = fmt.Errorf("%w: %s", err, e.Suggestion)
		}
		return &exitError{exitNoInput, err}
	}
	if c.JSON {
		return writeJSON(w.stdout, choice.Provider)
	}
	_, err = io.WriteString(w.stdout, describe(choice, c.Name))
	return err
}

// chooseForShow finds a provider; a region need not be named to look at it.
func chooseForShow(name string) (smarthost.Choice, error) {
	all, err := smarthost.Providers()
	if err != nil {
		return smarthost.Choice{}, err
	}
	for i := range all {
		if p := &all[i]; p.ID == strings.ToLower(name) {
			return smarthost.Choice{Provider: p, Host: p.Host, Port: p.Ports()[0]}, nil
		}
	}
	return smarthost.Choose(name)
}

// describe writes what is known of a provider, and an example.
func describe(c smarthost.Choice, name string) string {
	var b strings.Builder
	p := c.Provider
	fmt.Fprintf(&b, "%s\n\n", p.Name)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-13s %s\n", name, value)
		}
	}
	line("server", c.Host)
	line("STARTTLS", numbers(p.STARTTLS))
	line("TLS", numbers(p.Implicit))
	line("regions", strings.Join(p.Regions, ", "))
	line("variants", strings.Join(p.VariantNames(), ", "))
	line("mechanisms", strings.Join(p.Mechanisms, ", "))
	line("user name", p.Username+p.UsernameHint)
	line("password", p.PasswordHint)
	line("limits", limits(p))
	for _, n := range p.Notes {
		line("note", n)
	}
	if p.OAuth != nil {
		line("OAuth2", p.OAuth.Notes)
	}
	line("source", p.Source+" ("+p.Dated+")")
	b.WriteString("\n" + example(p, name))
	return b.String()
}

// limits says what is known of the limits.
func limits(p *smarthost.Provider) string {
	var all []string
	add := func(n int, of string) {
		if n > 0 {
			all = append(all, fmt.Sprintf("%d %s", n, of))
		}
	}
	if p.Size != "" {
		all = append(all, p.Size+" a message")
	}
	add(p.Recipients, "recipients a message")
	add(p.Connections, "connections")
	add(p.PerConnection, "messages a connection")
	if p.Rate != "" {
		all = append(all, p.Rate+" messages")
	}
	return strings.Join(all, ", ")
}

// example is the configuration for a provider, as far as it can be written
// without knowing the user.
func example(p *smarthost.Provider, name string) string {
	if !strings.Contains(name, ":") {
		name = p.Example()
	}
	username := p.Username
	if username == "" {
		username = "…"
	}
	s := fmt.Sprintf("  smarthost = %q\n\n  [login]\n  username = %q\n", strings.ToLower(name), username)
	if p.OAuth != nil && p.OAuth.Device != "" {
		return s + "\n  [login.oauth]\n  client_id = \"…\"\n"
	}
	return s + fmt.Sprintf("  password_file = \"/etc/weir/%s.password\"\n", p.ID)
}

func numbers(ports []uint16) string {
	all := make([]string, len(ports))
	for i, n := range ports {
		all[i] = strconv.Itoa(int(n))
	}
	return strings.Join(all, ", ")
}
