package bounce

import (
	"net/netip"
	"strings"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// said tells whether the reply of an attempt is what a peer said. Where a
// problem stands beside it, the reply is our own way to put that.
func said(a *mail.Attempt) bool { return !a.Reply.IsZero() && a.Problem == "" }

// statusOf returns the enhanced status code of a recipient (RFC 3464 section
// 2.3.4). The class follows from what became of the recipient: a message that
// was given up after a time failed for a cause that may pass, which is class 4
// also where the action is "failed". Subject and detail are those of the last
// reply, else of the reason: RFC 3463 section 3.5 wants X.4.7, time expired,
// only where the actual problem is not known.
func statusOf(kind Kind, p *mail.Progress) reply.Enhanced {
	class := reply.ClassTransient
	switch {
	case kind.good():
		class = reply.ClassCompleted
	case p.State == mail.Failed:
		class = reply.ClassPermanent
	}
	status := p.Last.Reply.Status
	switch {
	case !status.IsZero():
	case kind.good():
		status = reply.Undefined()
	case p.Last.IsZero():
		status = statusFor("expired")
	default:
		status = statusFor(p.Last.Reason)
	}
	e, _ := status.In(class)
	return e
}

// actionOf returns the value of the Action field (RFC 3464 section 2.3.3).
func actionOf(kind Kind, p *mail.Progress) string {
	switch {
	case kind == Failure:
		return "failed"
	case kind == Delay:
		return "delayed"
	case p.State == mail.Delivered:
		return "delivered"
	}
	return "relayed"
}

// hostName writes the name of a host as the fields of type "dns" have it: an
// address as a literal (RFC 5321 section 4.1.3).
func hostName(host string) string {
	addr, err := netip.ParseAddr(host)
	switch {
	case err == nil && addr.Is4():
		return "[" + addr.String() + "]"
	case err == nil:
		return "[IPv6:" + addr.WithZone("").String() + "]"
	}
	return strings.Map(nameRune, host[:min(len(host), smtp.MaxDomain)])
}

// nameRune replaces what is not in the names of hosts and sockets.
func nameRune(r rune) rune {
	switch {
	case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		return r
	case strings.ContainsRune("-._:/[]", r):
		return r
	}
	return '_'
}
