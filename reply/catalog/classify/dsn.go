package classify

import (
	"strings"

	"github.com/weirmail/weir/reply"
)

// dsnGroup is what a delivery status notification tells of one recipient
// (RFC 3464 section 2.3).
type dsnGroup struct{ recipient, action, status, remote, diagnostic string }

// findInDSN reads the fields of message/delivery-status. What the letter says
// to people repeats them and is passed over.
func findInDSN(s string) []Input {
	if !containsFold(s, "\nStatus:") && !strings.HasPrefix(s, "Status:") || !containsFold(s, "Final-Recipient:") && !containsFold(s, "Diagnostic-Code:") {
		return nil
	}
	var found []Input
	var g dsnGroup
	flush := func() {
		if in, ok := g.input(); ok {
			found = append(found, in)
		}
		g = dsnGroup{}
	}
	for _, line := range unfolded(s) {
		name, value, ok := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch name = strings.ToLower(name); {
		case line == "":
			flush()
		case !ok:
		case name == "final-recipient" || name == "original-recipient" && g.recipient == "":
			if name == "final-recipient" && g.status != "" {
				flush()
			}
			g.recipient = afterType(value)
		case name == "action":
			g.action = strings.ToLower(value)
		case name == "status":
			g.status = value
		case name == "remote-mta":
			g.remote = afterType(value)
		case name == "diagnostic-code":
			g.diagnostic = value
		}
	}
	flush()
	return found
}

func containsFold(s, what string) bool {
	return strings.Contains(s, what) || strings.Contains(strings.ToLower(s), strings.ToLower(what))
}

// unfolded joins the lines of header fields that were folded.
func unfolded(s string) []string {
	var lines []string
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\r\n")
		if bare := strings.TrimLeft(line, " \t"); bare != line && bare != "" && len(lines) > 0 && lines[len(lines)-1] != "" {
			lines[len(lines)-1] += " " + bare
			continue
		}
		lines = append(lines, strings.TrimRight(line, " \t"))
	}
	return lines
}

// afterType returns the value behind "rfc822;" or "dns;".
func afterType(s string) string {
	if _, rest, ok := strings.Cut(s, ";"); ok {
		s = rest
	}
	return strings.Trim(strings.TrimSpace(s), "<>")
}

func (g *dsnGroup) input() (Input, bool) {
	if g.status == "" || g.action == "delivered" || g.action == "relayed" || g.action == "expanded" {
		return Input{}, false
	}
	status, _, _ := leadingEnhanced(g.status)
	if status.IsZero() && g.diagnostic == "" {
		return Input{}, false
	}
	in := Input{Enhanced: status}
	if g.diagnostic != "" {
		kind, text, ok := strings.Cut(g.diagnostic, ";")
		if !ok || strings.ContainsAny(kind, " \t") {
			kind, text = "smtp", g.diagnostic
		}
		in = g.fromDiagnostic(strings.TrimSpace(kind), strings.TrimSpace(text), status)
	}
	in.Wrapper, in.Recipient = "dsn", g.recipient
	if words := strings.Fields(g.remote); len(words) > 0 {
		in.Host = strings.ToLower(words[0])
	}
	return in, true
}

func (g *dsnGroup) fromDiagnostic(kind, text string, status reply.Enhanced) Input {
	in, ok := findOne(text)
	if !ok {
		in = Input{Text: unwrapped(text)}
		in.addHints(text)
	}
	if in.Enhanced.IsZero() {
		in.Enhanced = status
	}
	in.Local = in.Code == 0 && !strings.EqualFold(kind, "smtp") && !strings.EqualFold(kind, "lmtp")
	return in
}
