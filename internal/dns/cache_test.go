package dns

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestAnswersAreKeptAsLongAsTheyHold(t *testing.T) {
	negative := func(ttl, least int) string {
		return fmt.Sprintf("org. %d IN SOA ns.example.org. root.example.org. 1 2 3 4 %d", ttl, least)
	}
	for _, test := range []struct {
		name   string
		answer func(dns.ResponseWriter, *dns.Msg, string)
		life   time.Duration
	}{
		{"the shortest TTL holds", zone(t, "", "example.org. 300 IN MX 1 a.", "example.org. 120 IN MX 2 b."), 2 * time.Minute},
		{"the TTL of an alias too", zone(t, "", "example.org. 60 IN CNAME a.", "a. 300 IN MX 1 b."), time.Minute},
		{"at least", zone(t, "", "example.org. 0 IN MX 1 a."), leastTTL},
		{"at most", zone(t, "", "example.org. 604800 IN MX 1 a."), mostTTL},
		{"RFC 2308: no such name, by the TTL of the SOA", zone(t, negative(120, 300)), 2 * time.Minute},
		{"RFC 2308: no such name, by its last field", zone(t, negative(300, 120)), 2 * time.Minute},
		{"RFC 2308: no such record", zone(t, negative(300, 120), "example.org. 5 IN TXT x"), 2 * time.Minute},
		{"nothing, at least", zone(t, negative(0, 0)), leastTTL},
		{"nothing, at most", zone(t, negative(86400, 86400)), mostNothingTTL},
		{"nothing, without an SOA", zone(t, ""), noTTL},
		{"nothing at the end of an alias", zone(t, negative(300, 300), "example.org. 60 IN CNAME a."), time.Minute},
		{"RFC 9520: SERVFAIL", code(dns.RcodeServerFailure), faultTTL},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := serve(t, test.answer)
			r, c := resolver(t, a)
			mx, ttl, err := r.LookupMX(t.Context(), "example.org")
			if ttl != test.life {
				t.Errorf("it is said to hold for %v, want %v", ttl, test.life)
			}
			asked := len(a.questions())
			c.wind(test.life - 1)
			mx2, ttl, err2 := r.LookupMX(t.Context(), "EXAMPLE.org")
			if len(a.questions()) != asked || ttl != 1 {
				t.Errorf("it was asked for again before %v, or holds for %v more", test.life, ttl)
			}
			if fmt.Sprint(mx, err) != fmt.Sprint(mx2, err2) {
				t.Errorf("%v, %v became %v, %v", mx, err, mx2, err2)
			}
			c.wind(1)
			if r.LookupMX(t.Context(), "example.org"); len(a.questions()) == asked {
				t.Errorf("it is kept for more than %v", test.life)
			}
		})
	}
}

func TestKeptAnswerIsTheCallersToChange(t *testing.T) {
	r, _ := resolver(t, serve(t, zone(t, "", "example.org. 300 IN MX 1 a.", "example.org. 300 IN A 192.0.2.1")))
	for range 2 {
		mx, _, err := r.LookupMX(t.Context(), "example.org")
		if err != nil || mx[0].Host != "a" {
			t.Fatalf("%v, %v", mx, err)
		}
		mx[0].Host = "changed"
		addrs, err := r.LookupAddr(t.Context(), "example.org")
		if err != nil || addrs[0].String() != "192.0.2.1" {
			t.Fatalf("%v, %v", addrs, err)
		}
		addrs[0] = addrs[0].Next()
	}
}

func TestSameQuestionIsAskedOnceAtATime(t *testing.T) {
	const callers = 50
	asked, go1 := make(chan struct{}, callers), make(chan struct{})
	whole := good(t)
	a := serve(t, func(w dns.ResponseWriter, m *dns.Msg, network string) {
		asked <- struct{}{}
		<-go1
		whole(w, m, network)
	})
	r, _ := resolver(t, a)
	// The first to ask goes away; the others get the answer all the same.
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, _, err := r.LookupMX(ctx, "example.org")
		first <- err
	}()
	<-asked
	var group sync.WaitGroup
	for range callers {
		group.Go(func() { wantMX(t, r) })
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(go1)
	group.Wait()
	if n := len(a.questions()); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c, err := newCache(64 << 10)
	if err != nil {
		t.Fatal(err)
	}
	var big answer
	for i := range maxRecords {
		big.mx = append(big.mx, MX{Host: strings.Repeat("x", maxName), Preference: uint16(i)})
	}
	for i := range 1000 {
		c.Set(question{fmt.Sprintf("d%d.example", i), dns.TypeMX}, big)
	}
	c.CleanUp()
	if n := c.WeightedSize(); n > 64<<10 {
		t.Errorf("it holds %d bytes", n)
	}
	held := 0
	for range c.All() {
		held++
	}
	if held > 4 {
		t.Errorf("it holds %d answers of %d bytes", held, big.weight(question{}))
	}
}
