package dane

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/dns"
)

// The usages of a record (RFC 7218 section 2.1).
const (
	usageTA = 2 // an authority of the server's own
	usageEE = 3 // the server's certificate or key
)

// Policy is what the DNS says of one server.
type Policy struct {
	// Base is the name under which the records are. It is what the server is asked
	// for in the handshake (RFC 7672 section 8.1).
	Base string
	// Names are those that a certificate may be for where a record names an
	// authority: Base and the name of the host (RFC 7672 section 3.2.3).
	Names []string
	// Records are those that can be used. Without any the server has to encrypt,
	// whoever it is (RFC 7672 section 2.2).
	Records []dns.TLSA
}

// New returns the policy by the records of a host, which are not none.
func New(host string, set dns.TLSASet) *Policy {
	p := &Policy{Base: set.Base, Names: []string{set.Base}}
	if host != set.Base {
		p.Names = append(p.Names, host)
	}
	for _, r := range set.Records {
		if usable(r) {
			p.Records = append(p.Records, r)
		}
	}
	return p
}

// Nobody returns a policy that no certificate satisfies.
func Nobody(host string) *Policy {
	return &Policy{Base: host, Names: []string{host}, Records: []dns.TLSA{{Usage: usageEE, Selector: 1, MatchingType: 1}}}
}

// usable tells whether a record can be used. Usages 0 and 1 would need the
// authorities of the Web, which mail servers have no common list of (RFC 7672
// section 3.1.3).
func usable(r dns.TLSA) bool {
	if r.Usage != usageTA && r.Usage != usageEE || r.Selector > 1 {
		return false
	}
	switch r.MatchingType {
	case 0:
		return len(r.Data) > 0
	case 1:
		return len(r.Data) == sha256.Size
	case 2:
		return len(r.Data) == sha512.Size
	}
	return false
}

// Authenticates tells whether the records say who the server is.
func (p *Policy) Authenticates() bool { return len(p.Records) > 0 }

// Error says why a server is not the one that the records name.
type Error struct {
	// NoMatch is set where nothing that the server shows is in a record.
	NoMatch bool
	// Err says it in words.
	Err error
}

// Error returns why.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns why.
func (e *Error) Unwrap() error { return e.Err }

// Verify checks the certificates that a server has shown. Where a record names the
// certificate or key itself, neither its name nor its dates count (RFC 7672 section
// 3.1.1). Where one names an authority, the certificate has to be from it, valid
// now, and for one of Names. The error is an [*Error].
func (p *Policy) Verify(chain []*x509.Certificate, now time.Time) error {
	if !p.Authenticates() {
		return nil
	}
	if len(chain) == 0 {
		return &Error{NoMatch: true, Err: errors.New("the server shows no certificate")}
	}
	authorities := x509.NewCertPool()
	found := false
	for _, r := range p.Records {
		switch {
		case r.Usage == usageEE && r.Matches(chain[0]):
			return nil
		case r.Usage == usageTA:
			for _, c := range p.anchors(r, chain) {
				authorities.AddCert(c)
				found = true
			}
		}
	}
	if !found {
		return &Error{NoMatch: true, Err: fmt.Errorf("none of the %d TLSA records of %s matches the certificate that the server shows", len(p.Records), p.Base)}
	}
	return p.verifyFrom(authorities, chain, now)
}

// anchors returns the certificates that a record names as authorities: those that
// the server sent, and one that the record holds as a whole.
func (p *Policy) anchors(r dns.TLSA, chain []*x509.Certificate) []*x509.Certificate {
	var anchors []*x509.Certificate
	for _, c := range chain {
		if r.Matches(c) {
			anchors = append(anchors, c)
		}
	}
	if len(anchors) == 0 && r.Selector == 0 && r.MatchingType == 0 {
		if c, err := x509.ParseCertificate([]byte(r.Data)); err == nil {
			anchors = append(anchors, c)
		}
	}
	return anchors
}

// verifyFrom checks that a certificate is from one of the authorities, and for one
// of the names.
func (p *Policy) verifyFrom(authorities *x509.CertPool, chain []*x509.Certificate, now time.Time) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{Roots: authorities, Intermediates: between, CurrentTime: now}); err != nil {
		return &Error{Err: fmt.Errorf("the certificate is not one of the authority that the TLSA records of %s name: %w", p.Base, err)}
	}
	var failed error
	for _, name := range p.Names {
		if failed = chain[0].VerifyHostname(name); failed == nil {
			return nil
		}
	}
	return &Error{Err: fmt.Errorf("the certificate is for none of the names %s: %w", strings.Join(p.Names, ", "), failed)}
}

// Check returns the check for a handshake. Now is the clock.
func (p *Policy) Check(now func() time.Time) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error { return p.Verify(s.PeerCertificates, now()) }
}
