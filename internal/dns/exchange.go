package dns

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// ednsSize is the size of an answer that passes every network unfragmented.
const ednsSize = 1232

// exchange asks one server: by UDP, and by TCP where the answer does not fit.
// An answer that is none, such as SERVFAIL, is an error: the next server may
// know better.
func (r *Resolver) exchange(ctx context.Context, m *dns.Msg, server string) (*dns.Msg, error) {
	for _, network := range []string{"udp", "tcp"} {
		c := dns.Client{Net: network, Timeout: r.options.Timeout, UDPSize: ednsSize}
		in, _, err := c.ExchangeContext(ctx, m, server)
		if err != nil {
			return nil, err
		}
		if err := checkAnswer(m, in); err != nil {
			return nil, err
		}
		if !in.Truncated {
			return in, nil
		}
	}
	return nil, errors.New("the answer is cut off, also by TCP")
}

// checkAnswer holds an answer against its question.
func checkAnswer(m, in *dns.Msg) error {
	switch {
	case !in.Response || in.Id != m.Id:
		return errors.New("the answer is to another question")
	case len(in.Question) != 1 || in.Question[0].Qtype != m.Question[0].Qtype ||
		!strings.EqualFold(in.Question[0].Name, m.Question[0].Name):
		return errors.New("the answer is to another question")
	case in.Rcode != dns.RcodeSuccess && in.Rcode != dns.RcodeNameError:
		return fmt.Errorf("the server says %s", dns.RcodeToString[in.Rcode])
	}
	return nil
}

// maxAliases bounds a chain of CNAME records.
const maxAliases = 12

// maxRecords bounds what is kept of one answer.
const maxRecords = 64

// read takes out of an answer what was asked for.
func (r *Resolver) read(q question, in *dns.Msg, server string) answer {
	fail := func(err error, ttl time.Duration) answer {
		return answer{
			err:   &Error{Name: q.name, Type: dns.TypeToString[q.kind], Server: server, Err: err},
			until: r.options.Now().Add(within(ttl)),
		}
	}
	name, ttl, err := follow(in.Answer, dns.Fqdn(q.name))
	if err != nil {
		return fail(err, faultTTL)
	}
	a := answer{}
	for _, rr := range in.Answer {
		h := rr.Header()
		if h.Rrtype != q.kind || !strings.EqualFold(h.Name, name) || len(a.mx)+len(a.addrs) == maxRecords {
			continue
		}
		ttl = min(ttl, time.Duration(h.Ttl)*time.Second)
		a.add(rr)
	}
	switch {
	case len(a.mx)+len(a.addrs) > 0:
		a.until = r.options.Now().Add(within(ttl))
		a.sort()
		return a
	case in.Rcode == dns.RcodeNameError:
		return fail(ErrNotFound, nothingTTL(in))
	}
	return fail(ErrNoData, nothingTTL(in))
}

// follow goes along the aliases of a name, and returns where they end.
func follow(records []dns.RR, name string) (end string, ttl time.Duration, err error) {
	ttl = mostTTL
next:
	for range maxAliases {
		for _, rr := range records {
			if c, ok := rr.(*dns.CNAME); ok && strings.EqualFold(c.Hdr.Name, name) {
				name = c.Target
				ttl = min(ttl, time.Duration(c.Hdr.Ttl)*time.Second)
				continue next
			}
		}
		return name, ttl, nil
	}
	return "", 0, errors.New("the name is an alias of an alias without an end")
}

func within(ttl time.Duration) time.Duration { return min(max(ttl, leastTTL), mostTTL) }

// nothingTTL is how long an answer of nothing holds (RFC 2308 section 5).
func nothingTTL(in *dns.Msg) time.Duration {
	for _, rr := range in.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return time.Duration(min(soa.Minttl, soa.Hdr.Ttl)) * time.Second
		}
	}
	return noTTL
}
