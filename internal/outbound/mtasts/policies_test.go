package mtasts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// domain is a domain with a record and a policy, which a test changes.
type domain struct {
	mu      sync.Mutex
	id      string // none where empty
	policy  string // cannot be fetched where empty
	asked   int
	fetched int
	slow    time.Duration
	kept    map[string][]byte
}

func (d *domain) set(id, policy string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.id, d.policy = id, policy
}

func (d *domain) counts() (asked, fetched int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked, d.fetched
}

func (d *domain) lookup(_ context.Context, name string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if name != "_mta-sts.example.org" || d.id == "" {
		return nil, errors.New("no such name")
	}
	return []string{"v=STSv1; id=" + d.id}, nil
}

func (d *domain) fetch(context.Context, string) ([]byte, error) {
	time.Sleep(d.slow)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fetched++
	if d.policy == "" {
		return nil, errors.New("connection refused")
	}
	return []byte(d.policy), nil
}

func (d *domain) Each(_ context.Context, each func(string, []byte) bool) error {
	for domain, value := range d.kept {
		if !each(domain, value) {
			break
		}
	}
	return nil
}

func (d *domain) Save(_ context.Context, domain string, value []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept[domain] = value
	return nil
}

func (d *domain) Drop(_ context.Context, domain string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.kept, domain)
	return nil
}

func policyOf(mode Mode, age time.Duration) string {
	return fmt.Sprintf("version: STSv1\nmode: %s\nmx: mx.example.org\nmax_age: %d\n", mode, int(age.Seconds()))
}

// within runs a test under virtual time with policies of a domain.
func within(t *testing.T, d *domain, test func(t *testing.T, p *Policies)) {
	synctest.Test(t, func(t *testing.T) {
		if d.kept == nil {
			d.kept = map[string][]byte{}
		}
		test(t, newPolicies(t, d))
	})
}

func newPolicies(t *testing.T, d *domain) *Policies {
	t.Helper()
	p, err := New(t.Context(), Options{
		LookupTXT: d.lookup, Fetch: d.fetch, Keep: d,
		Fault: func(err error) { t.Error(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wantMode looks a policy up; "" stands for none.
func wantMode(t *testing.T, p *Policies, want Mode) Found {
	t.Helper()
	f, err := p.Lookup(t.Context(), "example.org")
	if err != nil {
		t.Fatal(err)
	}
	got := Mode("")
	if f.Policy != nil {
		got = f.Policy.Mode
	}
	if got != want {
		t.Errorf("the mode is %q (%v), want %q", got, f.Problem, want)
	}
	return f
}

const week = 7 * 24 * time.Hour

func TestPolicyIsFetchedOnce(t *testing.T) {
	within(t, &domain{id: "1", policy: policyOf(Enforce, week), slow: time.Second}, func(t *testing.T, p *Policies) {
		d := p.options.Keep.(*domain)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() { wantMode(t, p, Enforce) })
		}
		group.Wait()
		time.Sleep(recordAgain - time.Minute)
		wantMode(t, p, Enforce)
		if asked, fetched := d.counts(); asked != 1 || fetched != 1 {
			t.Errorf("asked %d times, fetched %d times, want once", asked, fetched)
		}
		time.Sleep(2 * time.Minute)
		wantMode(t, p, Enforce)
		if asked, fetched := d.counts(); asked != 2 || fetched != 1 {
			t.Errorf("asked %d times, fetched %d times, want 2 and 1", asked, fetched)
		}
	})
}

func TestPolicyHoldsWhateverBecomesOfItsRecordAndServer(t *testing.T) {
	within(t, &domain{id: "1", policy: policyOf(Enforce, week)}, func(t *testing.T, p *Policies) {
		d := p.options.Keep.(*domain)
		wantMode(t, p, Enforce)
		d.set("", "") // no record, no server
		time.Sleep(2 * time.Hour)
		if f := wantMode(t, p, Enforce); f.ID != "1" || f.Problem == nil {
			t.Errorf("%+v", f)
		}
		d.set("2", "") // a new record, no server
		time.Sleep(2 * time.Hour)
		if f := wantMode(t, p, Enforce); f.ID != "1" || f.Problem == nil {
			t.Errorf("%+v", f)
		}
		d.set("2", "<html>")
		time.Sleep(2 * time.Hour)
		f := wantMode(t, p, Enforce)
		if invalid := (*InvalidError)(nil); !errors.As(f.Problem, &invalid) {
			t.Errorf("the problem is %v, want a policy that cannot be read", f.Problem)
		}
		d.set("", "")
		time.Sleep(week)
		wantMode(t, p, "") // it ran out
	})
}

func TestNewIDBringsNewPolicy(t *testing.T) {
	within(t, &domain{id: "1", policy: policyOf(Testing, week)}, func(t *testing.T, p *Policies) {
		d := p.options.Keep.(*domain)
		wantMode(t, p, Testing)
		d.set("1", policyOf(Enforce, week))
		time.Sleep(recordAgain)
		wantMode(t, p, Testing) // the record says that nothing has changed
		d.set("2", policyOf(Enforce, week))
		time.Sleep(recordAgain)
		wantMode(t, p, Enforce)
		d.set("3", policyOf(None, week))
		time.Sleep(recordAgain)
		wantMode(t, p, None)
	})
}

func TestPolicyThatCannotBeFetchedIsNotAskedForAtOnce(t *testing.T) {
	within(t, &domain{id: "1"}, func(t *testing.T, p *Policies) {
		d := p.options.Keep.(*domain)
		for range 10 {
			if f := wantMode(t, p, ""); f.Problem == nil {
				t.Error("nothing tells why there is no policy")
			}
			time.Sleep(20 * time.Second)
		}
		if _, fetched := d.counts(); fetched != 1 {
			t.Errorf("fetched %d times, want once", fetched)
		}
		d.set("1", policyOf(Enforce, week))
		time.Sleep(failedAgain)
		wantMode(t, p, Enforce)
	})
}

func TestPolicySurvivesARestart(t *testing.T) {
	within(t, &domain{id: "1", policy: policyOf(Enforce, week)}, func(t *testing.T, p *Policies) {
		d := p.options.Keep.(*domain)
		wantMode(t, p, Enforce)
		d.set("", "")
		time.Sleep(24 * time.Hour)
		before := maps.Clone(d.kept)
		wantMode(t, newPolicies(t, d), Enforce)
		d.kept["example.com"], d.kept["example.net"] = []byte("{"), []byte(`{"max_age":-1}`)
		wantMode(t, newPolicies(t, d), Enforce) // what cannot be read is passed over
		d.kept = before
		time.Sleep(week)
		wantMode(t, newPolicies(t, d), "")
	})
}

func TestRunFetchesEarly(t *testing.T) {
	within(t, &domain{id: "1", policy: policyOf(Enforce, week)}, func(t *testing.T, p *Policies) {
		d := p.options.Keep.(*domain)
		wantMode(t, p, Enforce)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var group sync.WaitGroup
		group.Go(func() { p.Run(ctx) })
		time.Sleep(2*week + time.Minute)
		if _, fetched := d.counts(); fetched < 14 || fetched > 16 {
			t.Errorf("fetched %d times in two weeks, want once a day", fetched)
		}
		d.set("", "") // it disappears
		time.Sleep(week - 48*time.Hour)
		wantMode(t, p, Enforce) // as long as the last one lasts
		time.Sleep(72 * time.Hour)
		wantMode(t, p, "")
		if len(d.kept) != 0 {
			t.Errorf("what has run out is kept: %v", d.kept)
		}
		d.set("1", policyOf(Enforce, 365*24*time.Hour))
		wantMode(t, p, Enforce)
		_, before := d.counts()
		time.Sleep(100 * 24 * time.Hour)
		if _, after := d.counts(); after-before > 31 {
			t.Errorf("fetched %d times in 100 days in which nobody asked for it", after-before)
		}
		cancel()
		group.Wait()
	})
}

func TestLookupEndsWithItsContext(t *testing.T) {
	within(t, &domain{id: "1", policy: policyOf(Enforce, week), slow: time.Minute}, func(t *testing.T, p *Policies) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Lookup(ctx, "example.org"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want that the time is over", err)
		}
		time.Sleep(2 * time.Minute)
		wantMode(t, p, Enforce) // it was fetched to the end for the next one
	})
}
