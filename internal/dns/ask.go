package dns

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"
)

// longest bounds the asking of one question, whatever the number of servers.
const longest = 30 * time.Second

// silence is how long a server that did not answer is asked after the others.
const silence = 30 * time.Second

// lookup returns the kept answer of a question, or asks. The error is that of
// the context; what the DNS says against it is in the answer.
func (r *Resolver) lookup(ctx context.Context, domain string, kind uint16) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	name, err := ToASCII(domain)
	if err != nil {
		return answer{err: noName(domain, dns.TypeToString[kind], err)}, nil
	}
	q := question{name, kind}
	if a, ok := r.known(q); ok {
		return a, nil
	}
	if isLocalhost(name) {
		return answer{err: &Error{Name: name, Type: dns.TypeToString[kind], Err: ErrNoData}}, nil
	}
	// Those who wait for the same answer do not depend on the one who asked
	// first: it is asked to its end, which is not far.
	done := r.asking.DoChan(dns.TypeToString[kind]+" "+name, func() (any, error) { return r.find(q), nil })
	select {
	case result := <-done:
		return result.Val.(answer), nil
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

// find asks and keeps the answer.
func (r *Resolver) find(q question) answer {
	if !r.enter() {
		return r.fault(q, "", errClosed)
	}
	defer r.open.Done()
	if a, ok := r.known(q); ok {
		return a // from the one who asked just before
	}
	ctx, cancel := context.WithTimeout(r.life, longest)
	defer cancel()
	a := r.ask(ctx, q)
	if r.life.Err() == nil {
		r.kept.Set(q, a)
	}
	return a
}

// ask goes along the aliases of a name until there is an answer. Most
// resolvers have done so themselves, and one question is enough.
func (r *Resolver) ask(ctx context.Context, q question) answer {
	at := place{name: dns.Fqdn(q.name), ttl: mostTTL, secure: r.validates}
	for {
		in, server, err := r.askServers(ctx, at.name, q.kind)
		if err != nil {
			return r.fault(q, server, err)
		}
		at.secure = at.secure && in.AuthenticatedData
		before := at.name
		if q.kind != dns.TypeCNAME {
			if err := at.follow(in.Answer); err != nil {
				return r.fault(q, server, err)
			}
		}
		if a, ok := r.read(q, at, in, server); ok || at.name == before {
			return a
		}
	}
}

// askServers asks the servers, one after the other, until one answers. Those
// who were silent are asked again.
func (r *Resolver) askServers(ctx context.Context, name string, kind uint16) (in *dns.Msg, asked string, err error) {
	err = errors.New("there is no server to ask: see the key servers of [dns]")
	for range r.options.Rounds {
		silent := false
		for _, s := range r.order() {
			asked = s.address
			if in, err = r.exchange(ctx, name, kind, asked); err == nil {
				s.silent.Store(0)
				return in, asked, nil
			}
			if ctx.Err() != nil {
				return nil, asked, r.broken(err)
			}
			var refused *refusal
			if !errors.As(err, &refused) {
				silent = true
				s.silent.Store(r.options.Now().Add(silence).UnixNano())
			}
		}
		if !silent {
			break // each has said what it has to say
		}
	}
	return nil, asked, err
}

// broken is the error of a question that was broken off.
func (r *Resolver) broken(err error) error {
	if r.life.Err() != nil {
		return errClosed
	}
	return err
}

// order returns the servers in their order, those who were silent lately last.
func (r *Resolver) order() []*server {
	now := r.options.Now().UnixNano()
	order := make([]*server, 0, len(r.servers))
	for _, s := range r.servers {
		if s.silent.Load() <= now {
			order = append(order, s)
		}
	}
	for _, s := range r.servers {
		if s.silent.Load() > now {
			order = append(order, s)
		}
	}
	return order
}

// fault is the answer where nobody could be asked.
func (r *Resolver) fault(q question, server string, err error) answer {
	return answer{
		err:   &Error{Name: q.name, Type: dns.TypeToString[q.kind], Server: server, Err: err},
		until: r.options.Now().Add(faultTTL),
	}
}
