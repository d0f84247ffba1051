package dns

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/miekg/dns"
)

// Validating says whether servers are trusted to check signatures, and the way to
// them to tell of it truly.
type Validating uint8

// Whom to trust.
const (
	// ValidatingAuto trusts servers on this machine, where all of them are.
	ValidatingAuto Validating = iota
	// ValidatingYes trusts all servers.
	ValidatingYes
	// ValidatingNo trusts none.
	ValidatingNo
)

// trusts says whether servers are trusted.
func (v Validating) trusts(servers []netip.AddrPort) bool {
	if v == ValidatingAuto {
		return !slices.ContainsFunc(servers, func(s netip.AddrPort) bool { return !s.Addr().Unmap().IsLoopback() })
	}
	return v == ValidatingYes
}

// Validates reports whether the servers are trusted to check signatures. Where
// they are not, nothing is ever secure.
func (r *Resolver) Validates() bool { return r.validates }

// SecureMX tells whether signatures prove the answer of [Resolver.LookupMX],
// which is asked again only if it does not hold any more. Its errors are those of
// LookupMX, but that there are no such records is none.
func (r *Resolver) SecureMX(ctx context.Context, domain string) (bool, error) {
	if !r.validates {
		return false, nil
	}
	a, err := r.lookup(ctx, domain, dns.TypeMX)
	if err != nil {
		return false, err
	}
	if passes(a.err) {
		return false, a.err
	}
	return a.secure, nil
}

// LookupTXT returns the texts of a name, each in one piece. Errors are as those
// of LookupMX.
func (r *Resolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	a, err := r.lookup(ctx, name, dns.TypeTXT)
	if err != nil {
		return nil, err
	}
	return slices.Clone(a.texts), a.err
}

// TLSA is a record that ties a server to a certificate or a key (RFC 6698 section
// 2.1).
type TLSA struct {
	Usage, Selector, MatchingType uint8
	Data                          string // the octets
}

// readTLSA takes a record over.
func readTLSA(rr *dns.TLSA) (TLSA, bool) {
	data, err := hex.DecodeString(rr.Certificate)
	return TLSA{rr.Usage, rr.Selector, rr.MatchingType, string(data)}, err == nil
}

// String returns the record as a zone has it.
func (t TLSA) String() string {
	return fmt.Sprintf("%d %d %d %x", t.Usage, t.Selector, t.MatchingType, t.Data)
}

// Matches tells whether a certificate is what the record names.
func (t TLSA) Matches(c *x509.Certificate) bool {
	rr := dns.TLSA{
		Usage: t.Usage, Selector: t.Selector, MatchingType: t.MatchingType,
		Certificate: hex.EncodeToString([]byte(t.Data)),
	}
	return rr.Verify(c) == nil
}

// TLSASet are the records of a server, which signatures prove. Without any, it
// is proven or unprovable that there are none: DANE has no say.
type TLSASet struct {
	// Base is the name under which they are: that of the host, or that to which its
	// aliases lead.
	Base    string
	Records []TLSA
}

// LookupTLSA returns the TLSA records of the server at a port of a host, by the
// rules of RFC 7672 section 2.2: the addresses of the host have to be secure, lest
// servers be asked that do not know such records; and a host that is an alias may
// have them under either name. Its errors pass, or are that of the context. They
// must keep mail from the host: somebody may have taken the records away.
func (r *Resolver) LookupTLSA(ctx context.Context, host string, port uint16) (TLSASet, error) {
	if !r.validates {
		return TLSASet{}, nil
	}
	names, err := r.tlsaNames(ctx, host)
	if err != nil {
		return TLSASet{}, err
	}
	for _, name := range names {
		// The underscores are put before what is ASCII already: IDNA has none.
		a, err := r.lookup(ctx, "_"+strconv.Itoa(int(port))+"._tcp."+name, dns.TypeTLSA)
		switch {
		case err != nil:
			return TLSASet{}, err
		case passes(a.err):
			return TLSASet{}, a.err
		case a.secure && len(a.tlsa) > 0:
			return TLSASet{Base: name, Records: slices.Clone(a.tlsa)}, nil
		}
	}
	return TLSASet{}, nil
}

// tlsaNames returns the names under which a host may have records, the one to
// which its aliases lead first.
func (r *Resolver) tlsaNames(ctx context.Context, host string) ([]string, error) {
	name, err := ToASCII(host)
	if err != nil || len(r.local(name)) > 0 {
		return nil, nil // what has no name in the DNS has no records there
	}
	six, four, err := r.lookupBoth(ctx, name)
	if err != nil {
		return nil, err
	}
	a := four
	switch {
	case len(four.addrs) > 0 && len(six.addrs) > 0:
		a.secure = four.secure && six.secure
	case len(six.addrs) > 0:
		a = six
	case len(four.addrs) == 0:
		return nil, errors.Join(passing(six.err), passing(four.err)) // there is nobody to connect to
	}
	switch {
	case a.secure && a.name != name:
		return []string{a.name, name}, nil
	case a.secure:
		return []string{name}, nil
	case a.name == name:
		return nil, nil
	}
	// The alias itself may be signed, though what it leads to is not.
	alias, err := r.lookup(ctx, name, dns.TypeCNAME)
	if err == nil {
		err = passing(alias.err)
	}
	if err == nil && alias.secure && alias.cname != "" {
		return []string{name}, nil
	}
	return nil, err
}

// passing returns an error only where it passes.
func passing(err error) error {
	if passes(err) {
		return err
	}
	return nil
}
