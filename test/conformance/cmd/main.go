// Command cmd plays the conformance dialogues against an SMTP server:
//
//	go run ./test/conformance/cmd --recipient you@your.domain mail.example.org:25
//
// It sends a few small messages from the sender to the recipient. Exit codes: 0
// where everything that the standard asks for is there, 1 where something is not, 2
// for a mistake in the arguments, 69 where the server cannot be talked to.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"

	"github.com/weirmail/weir/test/conformance"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes, as in sysexits.h where that has one.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitUnavailable = 69
)

// order is what the arguments ask for.
type order struct {
	server  conformance.Server
	only    string
	json    bool
	verbose bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if err != nil {
		return exitUsage
	}
	dialogues, err := conformance.Dialogues()
	if err == nil {
		dialogues, err = choose(dialogues, o.only)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	results, err := conformance.Run(ctx, &o.server, dialogues)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUnavailable
	}
	if err := o.print(stdout, results); err != nil {
		fmt.Fprintln(stderr, err)
		return exitUnavailable
	}
	if _, all := conformance.Count(results); all.Failed > 0 {
		return exitFailed
	}
	return 0
}

func parse(args []string, stderr io.Writer) (*order, error) {
	o := &order{}
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: conformance [flags] host:port|/path/of/socket")
		flags.PrintDefaults()
	}
	s := &o.server
	flags.StringVar(&s.Name, "name", "", "what the report calls the server")
	flags.StringVar(&s.LMTP, "lmtp", "", "where it speaks LMTP, host:port or a path")
	flags.BoolVar(&s.ImplicitTLS, "tls", false, "begin with TLS, as on port 465")
	flags.StringVar(&s.Sender, "sender", "sender@example.org", "a reverse-path that it takes")
	flags.StringVar(&s.Recipient, "recipient", "recipient@example.org", "a forward-path that it takes")
	flags.StringVar(&s.Refused, "refused", "", "a forward-path that it refuses")
	flags.StringVar(&s.Client, "client", "client.example.org", "the name for EHLO")
	flags.StringVar(&s.User, "user", "", "the name of an account")
	flags.StringVar(&s.Password, "password", "", "the password of the account")
	flags.DurationVar(&s.Patience, "patience", 0, "the time for one dialogue (default 30s)")
	flags.IntVar(&s.Parallel, "parallel", 0, "how many dialogues play at once (default 4)")
	flags.StringVar(&o.only, "only", "", "play the dialogues whose RFC, section and name match this regular expression")
	flags.BoolVar(&o.json, "json", false, "print JSON")
	flags.BoolVar(&o.verbose, "v", false, "print what was said where a dialogue did not pass")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return nil, flag.ErrHelp
	}
	s.Address = flags.Arg(0)
	for _, address := range []string{s.Sender, s.Recipient} {
		if !strings.Contains(address, "@") {
			fmt.Fprintf(stderr, "%q is no address\n", address)
			return nil, flag.ErrHelp
		}
	}
	return o, nil
}

// choose returns the dialogues that match.
func choose(all []*conformance.Dialogue, only string) ([]*conformance.Dialogue, error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return nil, fmt.Errorf("--only: %w", err)
	}
	var some []*conformance.Dialogue
	for _, d := range all {
		if pattern.MatchString(d.String()) || pattern.MatchString(d.File) {
			some = append(some, d)
		}
	}
	return some, nil
}

func (o *order) print(w io.Writer, results []conformance.Result) error {
	if o.json {
		return conformance.PrintJSON(w, o.server.Address, results)
	}
	conformance.Print(w, results, o.verbose)
	return nil
}
