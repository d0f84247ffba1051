package mtasts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// kept is a policy as it is kept.
type kept struct {
	ID      string    `json:"id"`
	Mode    Mode      `json:"mode"`
	MX      []string  `json:"mx,omitempty"`
	MaxAge  int64     `json:"max_age"` // seconds
	Fetched time.Time `json:"fetched"`
}

// maxKept bounds what is kept of one domain, in bytes. A longer policy is fetched
// again after a restart.
const maxKept = 4 << 10

// load reads what is kept. What cannot be read is passed over: it is fetched again.
func (p *Policies) load(ctx context.Context) error {
	now := p.options.Now()
	return p.options.Keep.Each(ctx, func(domain string, value []byte) bool {
		var k kept
		if json.Unmarshal(value, &k) != nil || k.MaxAge < 0 {
			return true
		}
		policy := &Policy{Mode: k.Mode, MX: k.MX, MaxAge: time.Duration(min(k.MaxAge, int64(longest/time.Second))) * time.Second}
		f := Found{Policy: policy, ID: k.ID, Fetched: k.Fetched, Expires: k.Fetched.Add(policy.MaxAge), Again: now}
		p.entries[domain] = &entry{Found: f, used: now}
		return len(p.entries) < maxPolicies
	})
}

// save keeps a policy.
func (p *Policies) save(domain string, f Found) {
	if p.options.Keep == nil {
		return
	}
	value, err := json.Marshal(kept{f.ID, f.Policy.Mode, f.Policy.MX, int64(f.Policy.MaxAge / time.Second), f.Fetched})
	if err == nil && len(value) <= maxKept {
		err = p.options.Keep.Save(context.Background(), domain, value)
	}
	if err != nil {
		p.options.Fault(fmt.Errorf("keeping the MTA-STS policy of %s: %w", domain, err))
	}
}

// Run fetches anew what grows old, until the context ends: so that a policy that is
// in use never runs out while its server cannot be reached for a while.
func (p *Policies) Run(ctx context.Context) {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, domain := range p.old() {
			if ctx.Err() != nil {
				return
			}
			// What comes of it is remembered.
			_, _, _ = p.asking.Do(domain, func() (any, error) { return p.ask(ctx, domain), nil })
		}
	}
}

// old returns the domains whose policies are to be fetched anew, and forgets those
// that have run out.
func (p *Policies) old() []string {
	now := p.options.Now()
	var old, gone []string
	p.mu.Lock()
	for domain, e := range p.entries {
		switch {
		case e.Policy == nil && !now.Before(e.Again):
			delete(p.entries, domain)
		case e.Policy == nil:
		case !now.Before(e.Expires):
			delete(p.entries, domain)
			gone = append(gone, domain)
		case now.Sub(e.used) < forgetAfter && now.Sub(e.Fetched) >= min(fetchAgain, e.Policy.MaxAge/2) && !now.Before(e.Again):
			old = append(old, domain)
		}
	}
	p.mu.Unlock()
	if p.options.Keep == nil {
		return old
	}
	for _, domain := range gone {
		if err := p.options.Keep.Drop(context.Background(), domain); err != nil {
			p.options.Fault(fmt.Errorf("forgetting the MTA-STS policy of %s: %w", domain, err))
		}
	}
	return old
}
