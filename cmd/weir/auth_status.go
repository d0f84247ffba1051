package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// authStatusCommand tells how the logins are.
type authStatusCommand struct {
	socketFlags
	JSON bool `help:"Print them as JSON."`
}

// Run asks the running relay. The exit code is that of a warning where a login is
// needed or ends soon.
func (c *authStatusCommand) Run(ctx context.Context, w *world) error {
	client, err := c.client(w)
	if err != nil {
		return err
	}
	defer client.Close()
	status, err := client.Status(ctx)
	if err != nil {
		return apiError(err)
	}
	now := time.Now()
	if c.JSON {
		err = writeJSON(w.stdout, append([]api.Login{}, status.Logins...))
	} else {
		err = writeAuthStatus(w.stdout, status.Logins, now)
	}
	if err == nil && needsCare(status.Logins, now) {
		err = &exitError{code: exitWarning}
	}
	return err
}

// endsSoon is when the end of a login is told.
const endsSoon = 7 * 24 * time.Hour

// needsCare tells that a login does not work, or will not for long.
func needsCare(all []api.Login, now time.Time) bool {
	for i := range all {
		if l := &all[i]; l.Problem != "" || !l.Ends.IsZero() && l.Ends.Sub(now) < endsSoon {
			return true
		}
	}
	return false
}

func writeAuthStatus(out io.Writer, all []api.Login, now time.Time) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "The relay signs in nowhere by tokens.")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	writeLogins(table, all, now)
	return table.Flush()
}

// writeLogins prints the logins, and below them what is wrong with them.
func writeLogins(w io.Writer, all []api.Login, now time.Time) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(w, "LOGIN\tSERVER\tBY\tTOKEN\tLOGIN ENDS")
	for i := range all {
		l := &all[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", printable(l.Name), printable(strings.Join(l.Servers, " ")),
			printable(cmp.Or(l.Application, "-")+" ("+l.Grant+")"), tokenWords(l, now), endWords(l, now))
	}
	for i := range all {
		if l := &all[i]; l.Problem != "" {
			fmt.Fprintf(w, "Since %s ago: %s; asked again in %s\n", age(now.Sub(l.Since)), printable(l.Problem), age(max(l.Retry.Sub(now), 0)))
		}
	}
}

func tokenWords(l *api.Login, now time.Time) string {
	switch {
	case l.TokenExpires.After(now):
		return "for " + age(l.TokenExpires.Sub(now))
	case l.NeedsLogin:
		return "none, LOGIN NEEDED"
	case l.Problem != "":
		return "NONE"
	}
	return "none yet"
}

func endWords(l *api.Login, now time.Time) string {
	switch {
	case l.Ends.IsZero():
		return "-"
	case !l.Ends.After(now):
		return "ENDED"
	}
	return l.Ends.In(now.Location()).Format("2006-01-02") + ", in " + age(l.Ends.Sub(now))
}
