package inbound

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtpserver"
)

// referenceIntroduction is the part of the reference that is not about single
// replies.
//
//go:embed reference.md
var referenceIntroduction string

// referenceGroup is a part of the reference, for one kind of codes.
type referenceGroup struct {
	title, text string
	has         func(reply.Code) bool
}

var referenceGroups = []referenceGroup{
	{
		"Go on", "What was asked for is done, or the next step is the client's. The connection stays open, but behind `221`.",
		func(c reply.Code) bool { return !c.Transient() && !c.Permanent() },
	},
	{
		"421: not now, and the connection is closed",
		"Any command may hear one of these, and so may a client that has said nothing yet. They end the session, and with it a transaction that is in progress; they say nothing about the command before. A message that was not answered with `250` stays with the client.",
		func(c reply.Code) bool { return c == reply.ServiceNotAvailable },
	},
	{
		"Not now", "The session goes on. The same may work later.",
		func(c reply.Code) bool { return c.Transient() && c != reply.ServiceNotAvailable },
	},
	{
		"Not like this", "The session goes on. The same would be refused again.",
		reply.Code.Permanent,
	},
}

// Reference writes docs/replies.md: every row of both tables, the protocol's and
// the policy's, for those who have met one.
func Reference(w io.Writer) error {
	rows := append(smtpserver.Replies(), Replies()...)
	slices.SortStableFunc(rows, func(a, b *smtpserver.Row) int { return cmp.Compare(place(a), place(b)) })
	var b strings.Builder
	b.WriteString(referenceIntroduction)
	writeReasons(&b, rows)
	for _, g := range referenceGroups {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", g.title, g.text)
		for _, row := range rows {
			if g.has(row.Code) {
				writeRow(&b, row)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// place orders refusals by their codes. The others stay in the order of a session.
func place(row *smtpserver.Row) reply.Code {
	if row.Code.Transient() || row.Code.Permanent() {
		return row.Code
	}
	return 0
}

// writeReasons writes the list of the reasons, with the replies that give each.
func writeReasons(b *strings.Builder, rows []*smtpserver.Row) {
	given := map[string][]string{}
	for _, row := range rows {
		if row.Reason != "" {
			given[row.Reason] = append(given[row.Reason], fmt.Sprintf("[%v %s](#%s)", row.Code, row.Name, row.Name))
		}
	}
	b.WriteString("\n## By reason\n\n| reason | replies |\n|---|---|\n")
	reasons := make([]string, 0, len(given))
	for reason := range given {
		reasons = append(reasons, reason)
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		fmt.Fprintf(b, "| `%s` | %s |\n", reason, strings.Join(given[reason], ", "))
	}
}

// writeRow writes the explanation of one reply. Its heading is the name, which is
// the anchor too.
func writeRow(b *strings.Builder, row *smtpserver.Row) {
	said := strings.ReplaceAll(row.Text, "{host}", "mx.example.org")
	line := reply.New(row.Code, row.Status, said).String()
	fmt.Fprintf(b, "\n### %s\n\n    %s\n\n", row.Name, line)
	fmt.Fprintf(b, "**When:** %s (%s).%s\n\n", row.When, row.RFC, ending(row))
	fmt.Fprintf(b, "**What to do:** %s\n", row.Advice)
}

// ending tells of replies that end the session.
func ending(row *smtpserver.Row) string {
	if row.Code.Closes() {
		return " The connection is closed."
	}
	return ""
}
