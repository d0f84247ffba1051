package dns

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// maxAliases bounds a chain of CNAME records.
const maxAliases = 12

// maxRecords bounds what is kept of one answer.
const maxRecords = 64

// place is where the aliases of a name have led so far.
type place struct {
	name    string
	ttl     time.Duration
	aliases int
	secure  bool // so far
}

// follow goes along the aliases in an answer.
func (p *place) follow(records []dns.RR) error {
	for {
		i := slices.IndexFunc(records, func(rr dns.RR) bool {
			return rr.Header().Rrtype == dns.TypeCNAME && strings.EqualFold(rr.Header().Name, p.name)
		})
		if i < 0 {
			return nil
		}
		if p.aliases++; p.aliases > maxAliases {
			return errors.New("its aliases (CNAME) go in a circle, or on for too long")
		}
		c := records[i].(*dns.CNAME)
		p.name, p.ttl = c.Target, min(p.ttl, seconds(c.Hdr.Ttl))
	}
}

// read takes out of an answer what was asked for. It reports false, with an
// answer of nothing, where the end of the aliases was not asked for yet.
func (r *Resolver) read(q question, at place, in *dns.Msg, server string) (answer, bool) {
	a := answer{secure: at.secure, name: strings.ToLower(strings.TrimSuffix(at.name, "."))}
	ttl := at.ttl
	for _, rr := range in.Answer {
		h := rr.Header()
		if h.Rrtype != q.kind || !strings.EqualFold(h.Name, at.name) || a.records() == maxRecords {
			continue
		}
		ttl = min(ttl, seconds(h.Ttl))
		a.add(rr)
	}
	now := r.options.Now()
	if a.records() > 0 {
		a.until = now.Add(within(ttl, mostTTL))
		a.sort()
		return a, true
	}
	why := ErrNoData
	if in.Rcode == dns.RcodeNameError {
		why = ErrNotFound
	}
	nothing, said := nothingTTL(in)
	a.err = &Error{Name: q.name, Type: dns.TypeToString[q.kind], Server: server, Err: why}
	a.until = now.Add(within(min(nothing, at.ttl), mostNothingTTL))
	return a, said || why == ErrNotFound
}

// add takes a record over.
func (a *answer) add(rr dns.RR) {
	switch rr := rr.(type) {
	case *dns.MX:
		host := strings.ToLower(strings.TrimSuffix(rr.Mx, "."))
		a.mx = append(a.mx, MX{Host: host, Preference: rr.Preference})
	case *dns.A:
		if addr, ok := netip.AddrFromSlice(rr.A.To4()); ok {
			a.addrs = append(a.addrs, addr)
		}
	case *dns.AAAA:
		if addr, ok := netip.AddrFromSlice(rr.AAAA.To16()); ok {
			a.addrs = append(a.addrs, addr)
		}
	case *dns.TXT:
		a.texts = append(a.texts, strings.Join(rr.Txt, ""))
	case *dns.TLSA:
		if t, ok := readTLSA(rr); ok {
			a.tlsa = append(a.tlsa, t)
		}
	case *dns.CNAME:
		a.cname = strings.ToLower(strings.TrimSuffix(rr.Target, "."))
	}
}

// sort brings mail exchangers into the order of their preference.
func (a *answer) sort() {
	slices.SortFunc(a.mx, func(x, y MX) int {
		return cmp.Or(cmp.Compare(x.Preference, y.Preference), cmp.Compare(x.Host, y.Host))
	})
	a.mx = slices.Compact(a.mx)
}

// nothingTTL is how long an answer of nothing holds, and whether the answer
// says so (RFC 2308 section 5).
func nothingTTL(in *dns.Msg) (ttl time.Duration, said bool) {
	for _, rr := range in.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return seconds(min(soa.Minttl, soa.Hdr.Ttl)), true
		}
	}
	return noTTL, false
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }
