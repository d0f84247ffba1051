package mtasts

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// The times of policies.
const (
	// recordAgain is how long a policy is used without asking the DNS whether there
	// is a newer one.
	recordAgain = time.Hour
	// fetchAgain is when a policy is fetched anew though its id is the same: it
	// holds longer then (RFC 8461 section 3.3).
	fetchAgain = 24 * time.Hour
	// failedAgain is the pause after a policy could not be fetched (RFC 8461
	// section 3.3 asks for five minutes at least).
	failedAgain = 5 * time.Minute
	// forgetAfter is how long a policy is fetched anew that nobody asks for.
	forgetAfter = 30 * 24 * time.Hour
	// refreshEvery is the time between two looks at which policies grow old.
	refreshEvery = time.Hour
)

// maxPolicies bounds the memory: a usual policy takes some 500 bytes.
const maxPolicies = 16384

// Options are what policies are found with.
type Options struct {
	// LookupTXT asks the DNS.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
	// Fetch fetches the text of a policy; see [Fetcher].
	Fetch func(ctx context.Context, domain string) ([]byte, error)
	// Keep keeps policies across restarts; nil keeps none.
	Keep Keep
	// Fault hears of what could not be kept. It may be nil.
	Fault func(error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Keep is where policies are kept. Its methods are called by many goroutines at once.
type Keep interface {
	// Each calls each for all that is kept, until it returns false.
	Each(ctx context.Context, each func(domain string, value []byte) bool) error
	// Save keeps the value of a domain. It may be lost in a power cut.
	Save(ctx context.Context, domain string, value []byte) error
	// Drop forgets a domain.
	Drop(ctx context.Context, domain string) error
}

// Found is what is known of the policy of a domain.
type Found struct {
	// Policy is what holds; nil where there is none.
	Policy *Policy
	// ID is that of the record by which it was found.
	ID string
	// Fetched is when it was fetched, Expires when it runs out.
	Fetched, Expires time.Time
	// Problem is why there is none, or no newer one, though the domain has a record:
	// a policy that cannot be fetched, or, as an [*InvalidError], not be read.
	Problem error
	// Again is when it is to be asked for anew.
	Again time.Time
}

// InvalidError tells that a policy was fetched and cannot be read.
type InvalidError struct{ Err error }

// Error returns what is wrong with the policy.
func (e *InvalidError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong with the policy.
func (e *InvalidError) Unwrap() error { return e.Err }

// Policies finds policies and remembers them. It is safe for concurrent use.
type Policies struct {
	options Options
	asking  singleflight.Group

	mu      sync.Mutex
	entries map[string]*entry
}

// entry is what is remembered of a domain. Its Found is without a policy where only
// a failure is remembered.
type entry struct {
	Found
	used time.Time
}

// New returns policies, with those that are kept.
func New(ctx context.Context, o Options) (*Policies, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Fault == nil {
		o.Fault = func(error) {}
	}
	p := &Policies{options: o, entries: make(map[string]*entry)}
	if o.Keep == nil {
		return p, nil
	}
	if err := p.load(ctx); err != nil {
		return nil, fmt.Errorf("reading the MTA-STS policies that are kept: %w", err)
	}
	return p, nil
}

// Lookup returns the policy of a domain, in ASCII and lower case. It asks the DNS and
// the policy's server where what is known is old; who waits for the same domain waits
// together. The error is that of the context; what else fails leaves what is known.
func (p *Policies) Lookup(ctx context.Context, domain string) (Found, error) {
	now := p.options.Now()
	if f, ok := p.known(domain, now); ok {
		return f, nil
	}
	done := p.asking.DoChan(domain, func() (any, error) {
		// Those who wait do not depend on the one who came first.
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime+fetchTime/2)
		defer cancel()
		return p.ask(asking, domain), nil
	})
	select {
	case result := <-done:
		return result.Val.(Found), nil
	case <-ctx.Done():
		return Found{}, ctx.Err()
	}
}

// known returns what is remembered of a domain and needs no asking yet.
func (p *Policies) known(domain string, now time.Time) (Found, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[domain]
	if e == nil {
		return Found{}, false
	}
	e.used = now
	return e.Found, now.Before(e.Again)
}

// ask finds out whether there is a newer policy than what is known, if any.
func (p *Policies) ask(ctx context.Context, domain string) Found {
	now := p.options.Now()
	old := p.valid(domain, now)
	f := old
	f.Again, f.Problem = now.Add(recordAgain), nil
	texts, err := p.options.LookupTXT(ctx, "_mta-sts."+domain)
	if err == nil {
		f.ID, err = FindRecord(texts)
	}
	switch {
	case err != nil && old.Policy == nil:
		return Found{Again: now} // how long that holds the DNS remembers
	case err != nil:
		f.ID, f.Problem = old.ID, err // what holds goes on to hold
	case old.Policy == nil || f.ID != old.ID || now.Sub(old.Fetched) >= fetchAgain:
		f = p.fetch(ctx, domain, old, f.ID, now)
	}
	p.put(domain, f, now)
	return f
}

// fetch fetches the policy that a record tells of.
func (p *Policies) fetch(ctx context.Context, domain string, old Found, id string, now time.Time) Found {
	text, err := p.options.Fetch(ctx, domain)
	var policy *Policy
	if err == nil {
		if policy, err = ParsePolicy(text); err != nil {
			err = &InvalidError{err}
		}
	}
	if err != nil {
		old.Again, old.Problem = now.Add(failedAgain), err
		return old
	}
	f := Found{Policy: policy, ID: id, Fetched: now, Expires: now.Add(policy.MaxAge)}
	f.Again = now.Add(min(recordAgain, policy.MaxAge))
	return f
}

// valid returns what is known of a domain and has not run out.
func (p *Policies) valid(domain string, now time.Time) Found {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.entries[domain]; e != nil && e.Policy != nil && now.Before(e.Expires) {
		return e.Found
	}
	return Found{}
}

// put remembers what was found, and keeps a policy that is new.
func (p *Policies) put(domain string, f Found, now time.Time) {
	p.mu.Lock()
	e := p.entries[domain]
	if e == nil {
		p.makeRoom(now)
		e = &entry{used: now}
		p.entries[domain] = e
	}
	isNew := f.Policy != nil && !f.Fetched.Equal(e.Fetched)
	e.Found = f
	p.mu.Unlock()
	if isNew {
		p.save(domain, f)
	}
}

// makeRoom forgets what has run out, failures, and, where that is not enough,
// whatever comes first. mu is held.
func (p *Policies) makeRoom(now time.Time) {
	if len(p.entries) < maxPolicies {
		return
	}
	for domain, e := range p.entries {
		if e.Policy == nil || !now.Before(e.Expires) {
			delete(p.entries, domain)
		}
	}
	for domain := range p.entries {
		if len(p.entries) < maxPolicies*3/4 {
			return
		}
		delete(p.entries, domain)
	}
}
