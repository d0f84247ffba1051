package relay

import (
	"context"
	"fmt"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/outbound/mtasts"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/internal/spool"
)

// askDomains gives the table what finds out what domains ask of those who send to
// them.
func (r *Relay) askDomains(ctx context.Context, o *route.Options, resolver *dns.Resolver) error {
	for i := range r.config.TLSPolicies {
		p := &r.config.TLSPolicies[i]
		o.Overrides = append(o.Overrides, route.Override{To: p.To, TLS: tlsPolicy(p.TLS)})
	}
	if resolver.Validates() {
		o.Proofs = resolver
	}
	fetch := mtasts.FetchOptions{LookupAddr: resolver.LookupAddr, Dial: r.options.DialPolicy}
	if ca := r.config.Delivery.TLSCA; ca != "" {
		roots, err := rootsOf(ca)
		if err != nil {
			return fmt.Errorf("the authorities of other servers (key tls_ca of [delivery]): %w", err)
		}
		fetch.Roots = roots
	}
	of := mtasts.Options{LookupTXT: resolver.LookupTXT, Fetch: mtasts.Fetcher(fetch)}
	if r.store != nil {
		of.Keep = keptPolicies{memory{r.store, spool.NoteMTASTS}}
		of.Fault = func(err error) { r.events.Fault(event.Fault{Where: "mta-sts", Err: err}) }
	}
	policies, err := mtasts.New(ctx, of)
	if err != nil {
		return err
	}
	r.policies, o.Policies = policies, policies
	return nil
}

// keptPolicies keeps MTA-STS policies beside the messages.
type keptPolicies struct{ memory memory }

// Each calls each for all policies.
func (k keptPolicies) Each(ctx context.Context, each func(domain string, value []byte) bool) error {
	return k.memory.notes.EachNote(ctx, k.memory.kind, nil, func(key, value []byte) bool {
		return each(string(key), append([]byte(nil), value...))
	})
}

// Save keeps a policy.
func (k keptPolicies) Save(ctx context.Context, domain string, value []byte) error {
	return k.memory.notes.SetNotes(ctx, k.memory.kind, false, spool.Note{Key: []byte(domain), Value: value})
}

// Drop forgets a policy.
func (k keptPolicies) Drop(ctx context.Context, domain string) error {
	return k.memory.notes.DropNotes(ctx, k.memory.kind, false, []byte(domain))
}
