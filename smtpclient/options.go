package smtpclient

import (
	"crypto/tls"
	"time"
)

// TLSMode says when a session is encrypted.
type TLSMode uint8

const (
	// TLSNone stays in plain text.
	TLSNone TLSMode = iota
	// TLSOpportunistic uses STARTTLS where it is offered and granted, and goes on
	// in plain text otherwise. A handshake that fails is an [Error] at
	// [smtp.StageSTARTTLS]: that connection is lost, and the caller decides whether
	// to connect again without TLS.
	TLSOpportunistic
	// TLSRequired uses STARTTLS and fails where it is not offered or not granted.
	TLSRequired
	// TLSImplicit shakes hands before the greeting (RFC 8314 section 3.3).
	TLSImplicit
)

// Options are the settings of a [Client]. The zero value is a plain-text SMTP
// client with the time-outs of RFC 5321.
type Options struct {
	// LocalName is what EHLO says: a fully qualified host name or an address
	// literal. Empty stands for the literal of the connection's local address.
	LocalName string
	// LMTP speaks RFC 2033: LHLO, and a final reply for each recipient.
	LMTP bool
	// TLS says when the session is encrypted.
	TLS TLSMode
	// TLSConfig is used as it is; whether the certificate is verified is its
	// decision (ServerName, RootCAs, VerifyConnection). Nil encrypts with TLS 1.2
	// or later and verifies nothing.
	TLSConfig *tls.Config
	// Login signs in before the session is handed out. Nil does without.
	Login *Login
	// AvoidPipelining and AvoidChunking do without the extensions also where they are
	// offered, for a server that was seen to break with them. Binary content is sent
	// by CHUNKING all the same.
	AvoidPipelining, AvoidChunking bool
	// DoubtedMechanisms are tried after all others that come into question: the server
	// was seen to refuse them.
	DoubtedMechanisms []string
	// Timeouts are the limits of each stage.
	Timeouts Timeouts
	// Transcript keeps the dialogue. Nil keeps none.
	Transcript *Transcript
}

// Timeouts are how long the client waits: for one whole reply, however many
// lines it has, or for one write. Zero stands for the default, which is the
// minimum of RFC 5321 section 4.5.3.2 where that names one.
type Timeouts struct {
	Greeting  time.Duration // 5 minutes
	EHLO      time.Duration // 5 minutes; also HELO and LHLO
	STARTTLS  time.Duration // 2 minutes for the reply, as much for the handshake
	AUTH      time.Duration // 2 minutes, for each step
	MAIL      time.Duration // 5 minutes
	RCPT      time.Duration // 5 minutes
	DATAInit  time.Duration // 2 minutes, until the reply to DATA
	DATABlock time.Duration // 3 minutes, for each write, of at most about 64 KiB
	Content   time.Duration // 10 minutes, until the reply to the final dot or chunk
	RSET      time.Duration // 5 minutes
	QUIT      time.Duration // 5 seconds: nothing depends on it
}

// withDefaults fills in what is not set.
func (t Timeouts) withDefaults() Timeouts {
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Greeting, 5 * time.Minute},
		{&t.EHLO, 5 * time.Minute},
		{&t.STARTTLS, 2 * time.Minute},
		{&t.AUTH, 2 * time.Minute},
		{&t.MAIL, 5 * time.Minute},
		{&t.RCPT, 5 * time.Minute},
		{&t.DATAInit, 2 * time.Minute},
		{&t.DATABlock, 3 * time.Minute},
		{&t.Content, 10 * time.Minute},
		{&t.RSET, 5 * time.Minute},
		{&t.QUIT, 5 * time.Second},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	return t
}
