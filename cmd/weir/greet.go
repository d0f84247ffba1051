package main

import (
	"fmt"
	"io"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/relay"
)

// greet says that the relay is up: in development where to send, where to look
// and how to go on.
func (c *serveCommand) greet(w *world, cfg *config.Config, a relay.Addresses) {
	if !cfg.Dev {
		return // the log says it
	}
	target := "127.0.0.1:1025"
	if len(a.Mail) > 0 {
		target = relay.Dialable(a.Mail[0].Address)
	}
	fmt.Fprintf(w.stdout, "Weir is up: mail sent to %s arrives in its inbox, nothing leaves this machine.\n\n", target)
	fmt.Fprintln(w.stdout, "Send a mail, with one of")
	writeTry(w.stdout, target)
	if a.HTTP != "" {
		fmt.Fprintf(w.stdout, "Read it      http://%s\n", a.HTTP)
	}
	if a.Socket != "" {
		fmt.Fprintf(w.stdout, "The queue    weir queue list --socket %s\n", a.Socket)
	}
	fmt.Fprint(w.stdout, "For real     weir config reference prints a configuration to begin with\n\n")
}

// writeTry writes command lines that send a first mail.
func writeTry(w io.Writer, target string) {
	fmt.Fprintf(w, "\n    swaks --server %s --from app@example.org --to you@example.net\n", target)
	fmt.Fprintf(w, "\n    printf 'Subject: Hello\\n\\nIt works.\\n' |\n"+
		"      curl --crlf smtp://%s --mail-from app@example.org --mail-rcpt you@example.net -T -\n\n", target)
}
