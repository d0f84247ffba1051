package smtpclient

import (
	"context"
	"slices"
	"strings"
)

// Login is how a client signs in to a server (RFC 4954). What is set decides which
// mechanisms come into question: a password, a token, a certificate. It is not
// changed once it is in use, and may be shared by many clients.
type Login struct {
	// Username is the name of the account. With External it may be empty: the
	// certificate then says whose it is.
	Username string
	// Password gives the password; nil where there is none. It is asked once for a
	// session, and only where a mechanism needs it. Its error must not contain it.
	Password func(context.Context) (string, error)
	// Token gives an access token for OAUTHBEARER (RFC 7628) and XOAUTH2, valid now;
	// nil where there is none. It is asked once for a session. Its error must not
	// contain it.
	Token func(context.Context) (string, error)
	// External signs in by the certificate that the client shows in the handshake
	// (EXTERNAL, RFC 4422 appendix A).
	External bool
	// Mechanisms restricts the client to these, in any case and order; nil allows
	// all that it knows.
	Mechanisms []string
	// AllowPlainText lets passwords and tokens go over a connection that is not
	// encrypted. It is meant for servers on this machine.
	AllowPlainText bool
}

// The mechanisms that the client knows.
const (
	External        = "EXTERNAL"
	SCRAMSHA256Plus = "SCRAM-SHA-256-PLUS"
	SCRAMSHA256     = "SCRAM-SHA-256"
	OAUTHBearer     = "OAUTHBEARER"
	XOAUTH2         = "XOAUTH2"
	Plain           = "PLAIN"
	LoginMechanism  = "LOGIN"
)

// credential is what a mechanism shows. A server that refuses it once does so with
// every mechanism, and counts.
type credential uint8

const (
	byCertificate credential = iota
	byPassword
	byToken
	numCredentials
)

// mechanism is one way to sign in.
type mechanism struct {
	name  string
	shows credential
	// bare mechanisms show the secret itself, so that they need encryption.
	bare  bool
	begin func(*signIn) (exchanger, error)
}

// ladder has the mechanisms from the strongest to the weakest: first those that
// show no secret, then those whose secret is good for a while, last the password.
// CRAM-MD5 and DIGEST-MD5 are left out: RFC 6331 and the age of MD5 say why.
var ladder = [...]mechanism{
	{External, byCertificate, false, beginExternal},
	{SCRAMSHA256Plus, byPassword, false, beginSCRAMPlus},
	{SCRAMSHA256, byPassword, false, beginSCRAM},
	{OAUTHBearer, byToken, true, beginOAUTHBearer},
	{XOAUTH2, byToken, true, beginXOAUTH2},
	{Plain, byPassword, true, beginPlain},
	{LoginMechanism, byPassword, true, beginLogin},
}

// has tells whether there is what a mechanism shows.
func (l *Login) has(c credential) bool {
	switch c {
	case byCertificate:
		return l.External
	case byPassword:
		return l.Password != nil
	}
	return l.Token != nil
}

// allows tells whether a mechanism is not ruled out.
func (l *Login) allows(name string) bool {
	return l.Mechanisms == nil || slices.ContainsFunc(l.Mechanisms, func(m string) bool { return strings.EqualFold(m, name) })
}
