package attempt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/outbound/dane"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// Fault is what is wrong with the TLS of a host.
type Fault uint8

// The faults.
const (
	FaultNone        Fault = iota
	FaultNotOffered        // STARTTLS is not offered, or refused
	FaultExpired           // the certificate is not valid any more, or not yet
	FaultName              // it is for other names
	FaultUntrusted         // it is from nobody who is trusted
	FaultNoMatch           // no TLSA record names it
	FaultCertificate       // something else is wrong with it
	FaultHandshake         // the two sides do not come to terms, or it broke off
)

// TLSError tells why a host cannot have mail that has to be encrypted.
type TLSError struct {
	Host  string
	Fault Fault
	// Why says who wants it encrypted; empty where nobody said so.
	Why string
	Err error
}

// Error says it in plain words.
func (e *TLSError) Error() string {
	words := e.Host + " " + e.words()
	if e.Why != "" {
		words += "; " + e.Why + " asks for more"
	}
	return words
}

func (e *TLSError) words() string {
	var invalid x509.CertificateInvalidError
	switch e.Fault {
	case FaultNotOffered:
		return "does not offer STARTTLS"
	case FaultExpired:
		if errors.As(e.Err, &invalid) && invalid.Cert != nil {
			return fmt.Sprintf("shows a certificate that is valid from %s to %s only", invalid.Cert.NotBefore.UTC().Format(dayFormat), invalid.Cert.NotAfter.UTC().Format(dayFormat))
		}
		return "shows a certificate that has expired"
	case FaultName:
		return "shows a certificate for " + namesOf(e.Err)
	case FaultUntrusted:
		return "shows a certificate of an authority that is not trusted"
	case FaultNoMatch:
		return "shows a certificate that no TLSA record names (DANE)"
	case FaultCertificate:
		return fmt.Sprintf("shows a certificate that is not valid: %v", plain(e.Err))
	}
	return fmt.Sprintf("fails in the TLS handshake: %v", plain(e.Err))
}

const dayFormat = "2006-01-02 15:04 UTC"

// namesOf says for which names a certificate is that is for other ones.
func namesOf(err error) string {
	var name x509.HostnameError
	if !errors.As(err, &name) || len(name.Certificate.DNSNames) == 0 {
		return "another name"
	}
	const most = 3
	names := name.Certificate.DNSNames
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d other names", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// plain is the cause without what the packages around it say.
func plain(err error) string {
	text := err.Error()
	for _, prefix := range []string{"TLS handshake: ", "remote error: ", "tls: ", "x509: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

// Unwrap returns the cause.
func (e *TLSError) Unwrap() error { return e.Err }

// Timeout reports that the time for it was over.
func (e *TLSError) Timeout() bool {
	var timeout interface{ Timeout() bool }
	return errors.As(e.Err, &timeout) && timeout.Timeout()
}

// inWords puts a failure of TLS that ends the session into plain words.
func (t Target) inWords(f *Failure) *Failure {
	if f.Stage != smtp.StageSTARTTLS || !f.Reply.IsZero() || f.Err == nil || f.Problem != "" {
		return f
	}
	e := *f
	e.Err = &TLSError{Host: t.Host, Fault: faultOf(f.Err), Why: t.Why, Err: f.Err}
	return &e
}

// faultOf finds out what is wrong.
func faultOf(err error) Fault {
	var (
		name      x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		failed    *tls.CertificateVerificationError
		records   *dane.Error
	)
	switch {
	case err == nil:
		return FaultNone
	case errors.Is(err, smtpclient.ErrNotOffered):
		return FaultNotOffered
	case errors.As(err, &records) && records.NoMatch:
		return FaultNoMatch
	case errors.As(err, &name):
		return FaultName
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return FaultExpired
	case errors.As(err, &authority):
		return FaultUntrusted
	case errors.As(err, &invalid), errors.As(err, &failed), errors.As(err, &records):
		return FaultCertificate
	}
	return FaultHandshake
}

// CheckCertificate checks, after the fact, whether a server has shown a certificate
// that is valid for a host, by the authorities of a configuration (nil: those of the
// system). It names what is wrong.
func CheckCertificate(s tls.ConnectionState, host string, c *tls.Config, now time.Time) (Fault, error) {
	if len(s.PeerCertificates) == 0 {
		return FaultCertificate, errors.New("the server shows no certificate")
	}
	o := x509.VerifyOptions{DNSName: host, Intermediates: x509.NewCertPool(), CurrentTime: now}
	if c != nil {
		o.Roots = c.RootCAs
	}
	for _, between := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(between)
	}
	if _, err := s.PeerCertificates[0].Verify(o); err != nil {
		return faultOf(err), &TLSError{Host: host, Fault: faultOf(err), Err: err}
	}
	return FaultNone, nil
}
