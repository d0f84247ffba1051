package auth

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// CertificateName is the part of a certificate that names an account.
type CertificateName string

// The parts of a certificate that can name an account.
const (
	NameEmail  CertificateName = "email"  // the first address in the subject alternative names
	NameDNS    CertificateName = "dns"    // the first host name there
	NameCommon CertificateName = "common" // the common name of the subject
)

// Certificates says whose a client certificate is that the handshake has verified. It
// is immutable.
type Certificates struct {
	name     CertificateName
	accounts map[[sha256.Size]byte]string
}

// NewCertificates returns what knows the holders of certificates: by the SHA-256
// fingerprint of the certificate, in hexadecimal with or without colons, and for all
// others by a part of it, by none where name is empty.
func NewCertificates(name CertificateName, byFingerprint map[string]string) (*Certificates, error) {
	c := &Certificates{name: name, accounts: make(map[[sha256.Size]byte]string, len(byFingerprint))}
	for text, account := range byFingerprint {
		print, err := ParseFingerprint(text)
		if err != nil {
			return nil, err
		}
		if c.accounts[print], err = PrepareName(account); err != nil {
			return nil, fmt.Errorf("the account of the fingerprint %s: %w", text, err)
		}
	}
	return c, nil
}

// ParseFingerprint reads a SHA-256 fingerprint, as openssl prints it.
func ParseFingerprint(text string) (print [sha256.Size]byte, err error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(b) != sha256.Size {
		return print, fmt.Errorf("%q is no SHA-256 fingerprint: 64 hexadecimal digits", text)
	}
	return [sha256.Size]byte(b), nil
}

var errNameless = errors.New("the certificate does not name an account")

// account returns the account that a certificate names.
func (c *Certificates) account(certificate *x509.Certificate) (string, error) {
	if account, ok := c.accounts[sha256.Sum256(certificate.Raw)]; ok {
		return account, nil
	}
	var names []string
	switch c.name {
	case NameEmail:
		names = certificate.EmailAddresses
	case NameDNS:
		names = certificate.DNSNames
	case NameCommon:
		names = []string{certificate.Subject.CommonName}
	}
	if len(names) == 0 || names[0] == "" {
		return "", errNameless
	}
	return names[0], nil
}

// hasCertificate tells whether the client has shown a certificate that the handshake
// has verified.
func hasCertificate(ch *Channel) bool { return ch.TLS != nil && len(ch.TLS.VerifiedChains) > 0 }

// external is EXTERNAL (RFC 4422 appendix A): the client is who its certificate says.
type external struct{ base }

// Next takes whom the client wants to act for: nobody, or itself.
func (e *external) Next(response []byte) ([]byte, bool, error) {
	if response == nil {
		return []byte{}, false, nil
	}
	name, err := e.service.options.Certificates.account(e.channel.TLS.VerifiedChains[0][0])
	if err != nil {
		return nil, false, denied("", err.Error())
	}
	who, err := e.service.Vouched(name, e.mechanism)
	if err != nil {
		return nil, false, err
	}
	if !actsFor(string(response), who.Account) {
		return nil, false, denied(who.Account, "the account may not act for another")
	}
	e.who = who
	return nil, true, nil
}
