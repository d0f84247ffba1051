package inbound

import (
	"time"

	"github.com/weirmail/weir/internal/mail"
)

// appendReceived appends the trace field of RFC 5321 section 4.4. It has the
// forward-path only where there is one recipient: the others are nobody's
// business.
func appendReceived(dst []byte, e *mail.Envelope, hostname string, now time.Time) []byte {
	dst = append(dst, "Received: from "...)
	dst = append(dst, e.Origin.HELO...)
	dst = append(dst, " ("...)
	dst = appendClient(dst, e)
	dst = append(dst, ")\r\n\tby "...)
	dst = append(dst, hostname...)
	dst = append(dst, " with "...)
	dst = append(dst, e.Origin.Protocol...)
	dst = append(dst, " id "...)
	dst, _ = e.ID.AppendText(dst)
	if len(e.Recipients) == 1 {
		dst = append(dst, "\r\n\tfor "...)
		dst = e.Recipients[0].Path.Append(dst)
	}
	dst = append(dst, ";\r\n\t"...)
	dst = now.AppendFormat(dst, "Mon, 2 Jan 2006 15:04:05 -0700")
	return append(dst, "\r\n"...)
}

// appendClient appends the address of the client as RFC 5321 section 4.1.3
// writes it.
func appendClient(dst []byte, e *mail.Envelope) []byte {
	client := e.Origin.Client.Unmap()
	switch {
	case !client.IsValid():
		return append(dst, "local socket"...)
	case client.Is4():
		dst = append(dst, '[')
		dst = client.AppendTo(dst)
	default:
		dst = append(dst, "[IPv6:"...)
		dst = client.WithZone("").AppendTo(dst)
	}
	return append(dst, ']')
}

// protocol returns the "with" keyword of the trace field (RFC 3848, RFC 6531
// section 4.3).
func protocol(extended, lmtp, tls, utf8, authenticated bool) string {
	if !extended {
		return "SMTP"
	}
	keyword := "ESMTP"
	switch {
	case lmtp && utf8:
		keyword = "UTF8LMTP"
	case lmtp:
		keyword = "LMTP"
	case utf8:
		keyword = "UTF8SMTP"
	}
	if tls {
		keyword += "S"
	}
	if authenticated {
		keyword += "A"
	}
	return keyword
}
