package attempt

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/weirmail/weir/internal/outbound/dane"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// TLSState tells how the session is encrypted, and whether it is.
func (c *Connection) TLSState() (tls.ConnectionState, bool) { return c.client.TLSState() }

// unprotected turns a failure to connect into one for good, where its cause is
// that the host does not encrypt as mail with REQUIRETLS needs it. What may pass,
// such as a time-out, stays as it is.
func (t Target) unprotected(f *Failure) *Failure {
	if !t.RequireTLS {
		return f
	}
	var certificate *tls.CertificateVerificationError
	var records *dane.Error
	switch {
	case errors.As(f.Err, &certificate):
		return t.refuse(fmt.Sprintf("shows no certificate that is valid for its name (%v)", certificate.Err))
	case errors.As(f.Err, &records):
		return t.refuse(fmt.Sprintf("is not the one that its TLSA records name (%v)", records))
	case f.Stage != smtp.StageSTARTTLS:
		return f
	case errors.Is(f.Err, smtpclient.ErrNotOffered):
		return t.refuse("does not offer STARTTLS")
	case f.Reply.Code.Permanent():
		return t.refuse("refuses STARTTLS (" + f.Reply.String() + ")")
	}
	return f
}

// checkProtection looks whether a session may carry mail with REQUIRETLS.
func (t Target) checkProtection(c *smtpclient.Client) *Failure {
	if !t.RequireTLS || c.Capabilities().Has("REQUIRETLS") {
		return nil
	}
	return t.refuse("does not offer REQUIRETLS, and so might pass it on without")
}

// refuse is the failure of a host that does not protect mail. The code is the one
// that RFC 8689 section 4.2.1 has for that.
func (t Target) refuse(why string) *Failure {
	problem := "the sender requires TLS on the whole way, and " + t.Host + " " + why
	return &Failure{
		Stage:   smtp.StageSTARTTLS,
		Reply:   reply.New(reply.MailboxUnavailable, reply.NewStatus(7, 30), problem),
		Problem: problem,
		Err:     errors.New(problem),
	}
}
