package inbound

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"

	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/inbound/auth"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpserver"
)

// Mechanisms returns those that are offered to this client.
func (s *session) Mechanisms(secured bool) []string {
	if s.listener.Auth == nil {
		return nil
	}
	ch := s.channel()
	if secured && ch.TLS == nil {
		ch.Private, ch.Expected = true, s.listener.TLS != nil
	}
	return s.listener.Auth.Mechanisms(ch)
}

// channel is the connection as mechanisms see it. Who listens on a Unix socket could
// read all else of the machine.
func (s *session) channel() *auth.Channel {
	ch := &auth.Channel{Client: s.client()}
	_, ch.Private = s.conn.RemoteAddr().(*net.UnixAddr)
	if state, ok := s.conn.TLS(); ok {
		ch.Private, ch.TLS, ch.EndPoint = true, &state, endPoint(s.listener.Certificate)
	}
	return ch
}

// endPoint returns the hash of the certificate that a listener shows (RFC 5929 section
// 4.1). Where it is replaced between the handshake and AUTH the client has to come
// again.
func endPoint(shown func() *tls.Certificate) []byte {
	if shown == nil {
		return nil
	}
	leaf := shown().Leaf
	if leaf == nil {
		return nil
	}
	switch leaf.SignatureAlgorithm {
	case x509.PureEd25519:
		return nil // it has no hash, and so no binding
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		h := sha512.Sum384(leaf.Raw)
		return h[:]
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		h := sha512.Sum512(leaf.Raw)
		return h[:]
	}
	h := sha256.Sum256(leaf.Raw)
	return h[:]
}

// Authenticated reports that the client has shown who it is.
func (s *session) Authenticated() bool { return s.as != nil }

// Authenticate begins an exchange, where admission has room for one and the client has
// not failed too often.
func (s *session) Authenticate(ctx context.Context, mechanism string) (smtpserver.Exchange, error) {
	if err := s.Resume(ctx); err != nil {
		return nil, err
	}
	if s.guest != nil {
		if d := s.in.options.Admission.Auth(&s.guest.Visit, s.in.options.Now()); d.Refused() {
			return nil, refusal(&d)
		}
	}
	e := s.listener.Auth.Begin(ctx, mechanism, s.channel())
	if e == nil {
		return nil, smtpserver.Refuse(smtpserver.ReplyAuthUnavailable) // what was offered is not any more
	}
	return &exchange{session: s, mechanism: mechanism, steps: e}, nil
}

// exchange tells the session, admission and the events how an exchange has ended.
type exchange struct {
	session   *session
	mechanism string
	steps     auth.Exchange
}

// Next takes what the client has sent.
func (e *exchange) Next(_ context.Context, response []byte) ([]byte, bool, error) {
	challenge, done, err := e.steps.Next(response)
	switch {
	case err != nil:
		return nil, false, e.session.authFailed(e.mechanism, err)
	case done:
		who := e.steps.Identity()
		e.session.become(&who)
		e.session.authenticated(event.Authenticated{Mechanism: who.Mechanism, Account: who.Account})
	}
	return challenge, done, nil
}

// Close ends the exchange.
func (e *exchange) Close() { e.steps = nil }

// become makes the client an account, or nobody again.
func (s *session) become(who *auth.Identity) {
	s.as = who
	if s.guest == nil {
		return
	}
	name := ""
	if who != nil {
		name = who.Account
	}
	s.in.options.Admission.Account(&s.guest.Visit, name)
}

// takeWord makes the client the account that a trusted proxy says it is. An account
// that may not be used is nobody.
func (s *session) takeWord(login string) {
	vouch := s.listener.Auth
	if vouch == nil {
		vouch = auth.New(auth.Options{Senders: auth.Senders{auth.AnySender}})
	}
	who, err := vouch.Vouched(login, "")
	if err != nil {
		s.authFailed("XCLIENT", err)
		return
	}
	s.become(&who)
	s.authenticated(event.Authenticated{Mechanism: "XCLIENT", Account: who.Account})
}

// authenticated tells how an exchange has ended.
func (s *session) authenticated(e event.Authenticated) {
	e.Session, e.Listener, e.Client = s.conn.ID(), s.listener.Name, s.client()
	s.in.options.Events.Authenticated(e)
}

// authFailed words a failure, and counts it where the client is not who it says.
func (s *session) authFailed(mechanism string, err error) error {
	e := auth.Failure(err)
	s.authenticated(event.Authenticated{Mechanism: mechanism, Account: e.Account, Failed: true, Problem: e.Why, Err: e.Err})
	switch e.Kind {
	case auth.Malformed:
		return smtpserver.Refuse(ReplyAuthMalformed, mechanism, e.Why)
	case auth.Busy:
		return s.authBusy()
	case auth.Denied:
		return s.authDenied(err)
	}
	return &smtpserver.Refusal{Row: smtpserver.ReplyAuthUnavailable, Cause: err}
}

func (s *session) authBusy() error {
	if s.guest != nil {
		if d := s.in.options.Admission.AuthCrowded(&s.guest.Visit, s.in.options.Now()); d.Refused() {
			return refusal(&d)
		}
	}
	return smtpserver.Refuse(smtpserver.ReplyAuthUnavailable)
}

// authDenied counts the failure. The one that is too many ends the session.
func (s *session) authDenied(cause error) error {
	if s.guest != nil {
		if d := s.in.options.Admission.AuthFailed(&s.guest.Visit, s.in.options.Now()); d.Refused() {
			return refusal(&d)
		}
	}
	return &smtpserver.Refusal{Row: smtpserver.ReplyAuthFailed, Cause: cause}
}

// mayUse holds a transaction to who the client is: an account to its own addresses, and
// nobody to nothing where an account is required.
func (s *session) mayUse(reversePath smtp.Path) error {
	if s.as == nil {
		if s.listener.AuthRequired {
			return smtpserver.Refuse(ReplyAuthRequired, s.authAdvice())
		}
		return nil
	}
	if s.as.Senders.Allow(s.as.Account, reversePath) {
		return nil
	}
	return smtpserver.Refuse(ReplySenderNotOwned, ascii(s.as.Account), ascii(reversePath.String()), ascii(s.as.Senders.Describe(s.as.Account)))
}

// authAdvice says what has to be done before AUTH is offered.
func (s *session) authAdvice() string {
	_, secured := s.conn.TLS()
	switch {
	case !s.conn.Extended():
		return ", say EHLO first"
	case len(s.Mechanisms(secured)) == 0 && s.listener.TLS != nil:
		return ", use STARTTLS first"
	}
	return ""
}

// ascii makes text fit for a reply, which is ASCII for a client that has not asked for
// more (RFC 6531 section 3.7.4).
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x7f || r < ' ' {
			return '?'
		}
		return r
	}, text)
}
