package inbound

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weirmail/weir/smtp"
)

// Policy says which mail may come in. The zero value takes none. It is
// immutable after NewPolicy and safe for concurrent use.
type Policy struct {
	relayFrom []netip.Prefix
	domains   map[string]struct{}
}

// NewPolicy returns the policy by which clients of the given networks may send
// to anywhere, and all others to the domains in acceptFor only. A domain that
// begins with a dot stands for its subdomains.
func NewPolicy(relayFrom []netip.Prefix, acceptFor []string) *Policy {
	p := &Policy{domains: make(map[string]struct{}, len(acceptFor))}
	for _, prefix := range relayFrom {
		p.relayFrom = append(p.relayFrom, prefix.Masked())
	}
	for _, d := range acceptFor {
		p.domains[foldDomain(d)] = struct{}{}
	}
	return p
}

// MayRelay tells whether a client at the address may send to anywhere. One whose
// address is not known may not.
func (p *Policy) MayRelay(client netip.Addr) bool {
	client = client.Unmap().WithZone("")
	for _, prefix := range p.relayFrom {
		if prefix.Contains(client) {
			return true
		}
	}
	return false
}

// Accepts tells whether mail for the forward-path is taken from anywhere. The
// bare Postmaster is (RFC 5321 section 4.5.1), since it is this host's own.
func (p *Policy) Accepts(path smtp.Path) bool {
	if path.Domain == "" {
		return path.IsPostmaster()
	}
	if routed(path.Local) {
		return false
	}
	d := foldDomain(path.Domain)
	if _, ok := p.domains[d]; ok {
		return true
	}
	for {
		i := strings.IndexByte(d, '.')
		if i < 0 {
			return false
		}
		if _, ok := p.domains[d[i:]]; ok {
			return true
		}
		d = d[i+1:]
	}
}

// routed tells of a local part that hides another destination from a server
// that looks for one, as in "user%elsewhere" or "elsewhere!user": Weir does
// not look, but the next hop might, and would relay on Weir's word.
func routed(local string) bool { return strings.ContainsAny(local, "%!@") }

// foldDomain makes domains comparable. No letter beyond ASCII becomes one of
// ASCII, as the Kelvin sign would: that would be another domain.
func foldDomain(d string) string {
	return strings.Map(func(r rune) rune {
		if l := unicode.ToLower(r); r < utf8.RuneSelf || l >= utf8.RuneSelf {
			return l
		}
		return r
	}, strings.TrimSuffix(d, "."))
}
