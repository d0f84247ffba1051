package auth

import (
	"crypto/tls"
	"net/netip"
	"slices"
)

// The names of the mechanisms, as EHLO lists them.
const (
	PLAIN           = "PLAIN"              // RFC 4616
	LOGIN           = "LOGIN"              // never published, and in every mail client
	SCRAMSHA256     = "SCRAM-SHA-256"      // RFC 7677
	SCRAMSHA256Plus = "SCRAM-SHA-256-PLUS" // the same, bound to the TLS connection
	EXTERNAL        = "EXTERNAL"           // RFC 4422 appendix A
	OAUTHBEARER     = "OAUTHBEARER"        // RFC 7628
	XOAUTH2         = "XOAUTH2"            // what came before it
)

// Mechanisms returns all names, the strongest first.
func Mechanisms() []string {
	return []string{SCRAMSHA256Plus, SCRAMSHA256, EXTERNAL, OAUTHBEARER, XOAUTH2, PLAIN, LOGIN}
}

// Channel is what a mechanism knows of the connection.
type Channel struct {
	// Private is set where nobody can listen: behind TLS, and on a local socket.
	Private bool
	// TLS is the state of TLS; nil without.
	TLS *tls.ConnectionState
	// Expected is set to ask what would be offered behind a handshake that has not
	// been made.
	Expected bool
	// EndPoint is the hash of the server's certificate (RFC 5929 section 4); nil
	// where it is not known.
	EndPoint []byte
	// Client is the address of the client; invalid for one without.
	Client netip.Addr
}

// Options are what a service is built from. What is nil is not offered.
type Options struct {
	// Directory checks passwords: PLAIN, LOGIN, and SCRAM where it is one of
	// [Verifiers].
	Directory Directory
	// Certificates says who the holder of a client certificate is: EXTERNAL.
	Certificates *Certificates
	// Tokens checks tokens: OAUTHBEARER and XOAUTH2.
	Tokens Tokens
	// Mechanisms are those that may be offered; empty for all.
	Mechanisms []string
	// WithoutTLS are those that may be offered on a connection that others can
	// read. Only SCRAM-SHA-256 can be; others are left out.
	WithoutTLS []string
	// Senders are the reverse-paths of accounts of which nothing else is said.
	Senders Senders
}

// Service offers mechanisms. It is immutable and safe for concurrent use.
type Service struct{ options Options }

// New returns a service.
func New(o Options) *Service { return &Service{options: o} }

// Mechanisms returns the names of those that are offered on a channel, the strongest
// first.
func (s *Service) Mechanisms(ch *Channel) []string {
	var offered []string
	for _, name := range Mechanisms() {
		if s.offers(name, ch) {
			offered = append(offered, name)
		}
	}
	return offered
}

func (s *Service) offers(name string, ch *Channel) bool {
	if len(s.options.Mechanisms) > 0 && !slices.Contains(s.options.Mechanisms, name) {
		return false
	}
	_, scrams := s.options.Directory.(Verifiers)
	switch name {
	case PLAIN, LOGIN:
		return ch.Private && s.options.Directory != nil
	case OAUTHBEARER, XOAUTH2:
		return ch.Private && s.options.Tokens != nil
	case SCRAMSHA256:
		return scrams && (ch.Private || slices.Contains(s.options.WithoutTLS, SCRAMSHA256))
	case SCRAMSHA256Plus:
		return scrams && canBind(ch)
	case EXTERNAL:
		return s.options.Certificates != nil && (ch.Expected || hasCertificate(ch))
	}
	return false
}

// Exchange is the server's side of one SASL exchange. It belongs to one session.
type Exchange interface {
	// Next takes what the client has sent, nil for nothing yet. It returns the
	// challenge for the client, or done when the client has shown who it is, and
	// nothing with it. Errors are of type *[Error].
	Next(response []byte) (challenge []byte, done bool, err error)
	// Identity is who the client is, once it is done.
	Identity() Identity
}

// complete fills in what the directory did not say.
func (s *Service) complete(who Identity, mechanism string) Identity {
	who.Mechanism = mechanism
	if who.Senders == nil {
		who.Senders = s.options.Senders
	}
	return who
}

// Vouched returns the identity of an account that somebody else has authenticated whom
// the relay trusts, or that has no password: what a certificate, a token or a trusted
// proxy names. Where the directory knows the account it holds what that says of it.
func (s *Service) Vouched(name, mechanism string) (Identity, error) {
	account, err := PrepareName(name)
	if err != nil {
		return Identity{}, denied("", err.Error())
	}
	who := Identity{Account: account}
	if finder, ok := s.options.Directory.(Finder); ok {
		found, known, err := finder.Find(account)
		if err != nil {
			return Identity{}, err
		}
		if known {
			who = found
		}
	}
	return s.complete(who, mechanism), nil
}

// vouched is Vouched for an identity that brings its own senders along.
func (s *Service) vouched(who Identity, mechanism string) (Identity, error) {
	known, err := s.Vouched(who.Account, mechanism)
	if err == nil && who.Senders != nil {
		known.Senders = who.Senders
	}
	return known, err
}

// actsFor tells whether an authorization identity is that of the account: nobody may
// act for another.
func actsFor(authzid, account string) bool {
	if authzid == "" {
		return true
	}
	name, err := PrepareName(authzid)
	return err == nil && name == account
}
