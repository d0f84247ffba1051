package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// world is what the program knows of what is around it.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	hostname       string
	// signals gives the requests to stop, the first of which is polite.
	signals <-chan os.Signal
	// upgrades gives the requests to hand over to a new program.
	upgrades <-chan os.Signal
}

// commands is the command line.
type commands struct {
	Serve      serveCommand      `cmd:"" help:"Run the relay."`
	Config     configCommands    `cmd:"" help:"Check the configuration, or print all of its keys."`
	User       userCommands      `cmd:"" help:"Add, change, list and remove the accounts of people and programs that send mail."`
	Auth       authCommands      `cmd:"" help:"Log in at providers whose servers the relay signs in to by tokens (OAuth 2.0)."`
	Queue      queueCommands     `cmd:"" help:"Look at the queue of the running relay, and change it."`
	Lane       laneCommands      `cmd:"" help:"Look at the destinations of mail and what they bear, and steer them."`
	Route      routeCommand      `cmd:"" help:"Tell where mail for an address or a domain would go, without sending any."`
	Peer       peerCommands      `cmd:"" help:"Tell what is known of next hops: what they offer and refuse, how they answer."`
	DKIM       dkimCommands      `cmd:"" name:"dkim" help:"Make the keys that sign mail, and compare them with the DNS."`
	Status     statusCommand     `cmd:"" help:"Tell how the running relay is, and what presses on it."`
	Drain      drainCommand      `cmd:"" help:"Begin a maintenance: send new clients away, and let the others end."`
	Resume     resumeCommand     `cmd:"" help:"End a maintenance."`
	Why        whyCommand        `cmd:"" help:"Explain refusals: by the id in the reply, by client, or the latest."`
	Explain    explainCommand    `cmd:"" help:"Explain replies of mail servers: codes, log lines, bounces; compare codes."`
	Codes      codesCommands     `cmd:"" help:"List all reply codes, enhanced codes and reasons."`
	Ready      readyCommand      `cmd:"" help:"Ask whether the relay takes mail, for health checks."`
	Completion completionCommand `cmd:"" help:"Print what makes a shell complete these commands."`
	Man        manCommand        `cmd:"" help:"Print the manual page."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Smarthosts smarthostsCommand `cmd:"" help:"List the providers that smarthost can name, and what is known of them."`
}

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	upgrades := make(chan os.Signal, 1)
	signal.Notify(upgrades, syscall.SIGUSR2)
	hostname, _ := os.Hostname() // where there is none, the configuration says what is missing
	os.Exit(run(os.Args[1:], &world{
		stdin:    os.Stdin,
		stdout:   os.Stdout,
		stderr:   os.Stderr,
		environ:  os.Environ(),
		hostname: hostname,
		signals:  signals,
		upgrades: upgrades,
	}))
}

// run runs one command and returns the exit code.
func run(args []string, w *world) int {
	var c commands
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("weir"),
		kong.Vars{"default_config": defaultConfig},
		kong.Description("An SMTP relay: it takes mail, keeps it safe, and delivers it.\n\nRun \"weir serve --dev\" to see mail flow."),
		kong.Writers(w.stdout, w.stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 80}),
		kong.Bind(w),
		kong.BindToProvider(commandContext),
	)
	if err != nil {
		fmt.Fprintf(w.stderr, "weir: the command line is built wrong: %v\n", err)
		return exitSoftware
	}
	if completes(parser, w) {
		return exitOK
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	selected, err := parser.Parse(args)
	if exited >= 0 {
		return exited // help was asked for, and given
	}
	if err != nil {
		fmt.Fprintf(w.stderr, "weir: %v\n\"weir --help\" lists what there is.\n", err)
		return exitUsage
	}
	return report(w, selected.Run())
}

// commandContext gives the commands their context. Only serve is stopped by
// signals in a way of its own; the others end with the process.
func commandContext() (context.Context, error) { return context.Background(), nil }

// report says what went wrong, and returns the exit code for it.
func report(w *world, err error) int {
	if err == nil {
		return exitOK
	}
	var e *exitError
	if !errors.As(err, &e) {
		e = &exitError{code: exitSoftware, err: err}
	}
	if e.err != nil {
		fmt.Fprintf(w.stderr, "weir: %v\n", e.err)
	}
	return e.code
}
