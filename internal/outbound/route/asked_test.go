package route

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/outbound/mtasts"
	"github.com/weirmail/weir/smtp"
)

// wishful is what the domains of a world ask of their senders.
type wishful struct {
	secure map[string]bool        // by domain
	tlsa   map[string]dns.TLSASet // by host
	broken map[string]error       // by host
	sts    map[string]mtasts.Found
}

func (w *wishful) SecureMX(_ context.Context, domain string) (bool, error) {
	return w.secure[domain], w.broken[domain]
}

func (w *wishful) LookupTLSA(_ context.Context, host string, port uint16) (dns.TLSASet, error) {
	if port != 25 {
		return dns.TLSASet{}, nil
	}
	return w.tlsa[host], w.broken[host]
}

func (w *wishful) Lookup(_ context.Context, domain string) (mtasts.Found, error) {
	f := w.sts[domain]
	f.Again = time.Now().Add(time.Hour)
	return f, nil
}

// sts is a policy.
func sts(mode mtasts.Mode, mx ...string) mtasts.Found {
	return mtasts.Found{Policy: &mtasts.Policy{Mode: mode, MX: mx, MaxAge: time.Hour}, ID: "1"}
}

// good is one record that can be used.
func good(host string) dns.TLSASet {
	return dns.TLSASet{Base: host, Records: []dns.TLSA{{Usage: 3, Selector: 1, MatchingType: 1, Data: strings.Repeat("x", 32)}}}
}

// asking is a relay in a world whose domains have wishes.
func asking(w *wishful, policy TLSPolicy) Options {
	o := direct(world())
	o.TLS, o.Proofs, o.Policies = policy, w, w
	return o
}

// demands writes down what is asked of the hosts of a route.
func demands(r *Route) string {
	var words []string
	for _, group := range r.Groups {
		for _, h := range group {
			word := strings.TrimSuffix(h.Name, ".example.org")
			if h.DANE {
				word += "=dane"
			}
			if h.STS {
				word += "=sts"
			}
			if h.unproven {
				word += "?"
			}
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

func TestDomainsAskForTLS(t *testing.T) {
	const all = "mx1.example.org,mx2.example.org,mx3.example.org"
	lost := errors.New("SERVFAIL")
	for name, test := range map[string]struct {
		policy TLSPolicy
		world  wishful
		want   string
		lane   string
	}{
		"nothing":                   {TLSAuto, wishful{}, "mx1? mx2? mx3?", all},
		"signed, without TLSA":      {TLSAuto, wishful{secure: map[string]bool{"example.org": true}}, "mx1 mx2 mx3", all},
		"signed, some with TLSA":    {TLSAuto, wishful{secure: map[string]bool{"example.org": true}, tlsa: map[string]dns.TLSASet{"mx1.example.org": good("mx1.example.org")}}, "mx1=dane mx2 mx3", all + " tls=dane"},
		"signed, TLSA that is lost": {TLSAuto, wishful{secure: map[string]bool{"example.org": true}, broken: map[string]error{"mx3.example.org": lost}}, "mx1 mx2 mx3=dane", all + " tls=dane"},
		"TLSA of unsigned MX":       {TLSAuto, wishful{tlsa: map[string]dns.TLSASet{"mx1.example.org": good("mx1.example.org")}}, "mx1? mx2? mx3?", all},
		"enforce all":               {TLSAuto, wishful{sts: map[string]mtasts.Found{"example.org": sts(mtasts.Enforce, "*.example.org")}}, "mx1=sts mx2=sts mx3=sts", all + " tls=mta-sts"},
		"enforce some":              {TLSAuto, wishful{sts: map[string]mtasts.Found{"example.org": sts(mtasts.Enforce, "mx2.example.org")}}, "mx2=sts", "mx2.example.org tls=mta-sts"},
		"testing":                   {TLSAuto, wishful{sts: map[string]mtasts.Found{"example.org": sts(mtasts.Testing, "mx2.example.org")}}, "mx1? mx2 mx3?", all},
		"none":                      {TLSAuto, wishful{sts: map[string]mtasts.Found{"example.org": sts(mtasts.None, "mx2.example.org")}}, "mx1? mx2? mx3?", all},
		"DANE before MTA-STS": {
			TLSAuto,
			wishful{secure: map[string]bool{"example.org": true}, tlsa: map[string]dns.TLSASet{"mx1.example.org": good("mx1.example.org")}, sts: map[string]mtasts.Found{"example.org": sts(mtasts.Enforce, "mx2.example.org")}},
			"mx1=dane mx2=sts", "mx1.example.org,mx2.example.org tls=dane+mta-sts",
		},
		"opportunistic, whatever it asks for": {TLSOpportunistic, wishful{secure: map[string]bool{"example.org": true}, tlsa: map[string]dns.TLSASet{"mx1.example.org": good("mx1.example.org")}, sts: map[string]mtasts.Found{"example.org": sts(mtasts.Enforce, "mx2.example.org")}}, "mx1? mx2? mx3?", all},
		"verified by the operator":            {TLSVerified, wishful{sts: map[string]mtasts.Found{"example.org": sts(mtasts.Enforce, "mx2.example.org")}}, "mx1? mx2 mx3?", all + " tls=verified"},
		"dane by the operator":                {TLSDANE, wishful{secure: map[string]bool{"example.org": true}, tlsa: map[string]dns.TLSASet{"mx1.example.org": good("mx1.example.org")}}, "mx1=dane", "mx1.example.org tls=dane"},
	} {
		r := mustLookup(t, New(asking(&test.world, test.policy)), to("example.org"))
		if got := demands(r); got != test.want || r.Lane != test.lane {
			t.Errorf("%s: %s in the lane %q\nwant %s in %q", name, got, r.Lane, test.want, test.lane)
		}
	}
}

func TestMailWaitsWhereNoHostMayHaveIt(t *testing.T) {
	for name, o := range map[string]Options{
		"an MTA-STS policy for other hosts": asking(&wishful{sts: map[string]mtasts.Found{"example.org": sts(mtasts.Enforce, "mx9.example.org")}}, TLSAuto),
		"DANE without records":              asking(&wishful{secure: map[string]bool{"example.org": true}}, TLSDANE),
		"DANE without a resolver":           func() Options { o := asking(&wishful{}, TLSDANE); o.Proofs = nil; return o }(),
	} {
		table := New(o)
		r := mustLookup(t, table, to("example.org"))
		_, err := r.For(false, false)
		wantError(t, err, false, "X.7.0", "tls-required")
		if _, err := r.For(true, false); err == nil {
			t.Errorf("%s: protected mail goes", name)
		}
		relaxed, err := r.For(false, true)
		if o.TLS == TLSDANE { // the operator insists
			wantError(t, err, false, "X.7.0", "tls-required")
			continue
		}
		if err != nil || relaxed.TLS != TLSOpportunistic {
			t.Errorf("%s: mail that is to go in spite of it goes by %v, %v", name, relaxed, err)
		}
		if plan, _ := table.Plan(t.Context(), smtp.Path{}, to("example.org")); plan.Err == nil {
			t.Errorf("%s: the plan does not say so", name)
		}
	}
}

func TestUnprotectedMailIgnoresTheDomainAndNotTheOperator(t *testing.T) {
	w := &wishful{sts: map[string]mtasts.Found{"example.org": sts(mtasts.Enforce, "mx1.example.org")}}
	r, err := mustLookup(t, New(asking(w, TLSAuto)), to("example.org")).For(false, true)
	if err != nil || shape(r) != "mx1.example.org|mx2.example.org, mx3.example.org" || r.Lane != "mx1.example.org,mx2.example.org,mx3.example.org" {
		t.Errorf("%+v, %v", r, err)
	}
	for _, policy := range []TLSPolicy{TLSEncrypted, TLSVerified} {
		if r, err := mustLookup(t, New(asking(w, policy)), to("example.org")).For(false, true); err != nil || r.TLS != policy {
			t.Errorf("%v: %+v, %v", policy, r, err)
		}
	}
}

// RFC 8689 section 4.2.1: somebody has to vouch for the names of the hosts.
func TestProtectedMailNeedsProvenHosts(t *testing.T) {
	for name, test := range map[string]struct {
		world  wishful
		domain string
		want   string // "" for an error
	}{
		"nobody":        {wishful{}, "example.org", ""},
		"DNSSEC":        {wishful{secure: map[string]bool{"example.org": true}}, "example.org", "mx1 mx2 mx3"},
		"MTA-STS":       {wishful{sts: map[string]mtasts.Found{"example.org": sts(mtasts.Enforce, "mx2.example.org")}}, "example.org", "mx2=sts"},
		"testing":       {wishful{sts: map[string]mtasts.Found{"example.org": sts(mtasts.Testing, "mx2.example.org")}}, "example.org", "mx2"},
		"its own host":  {wishful{}, "implicit.example", "implicit.example"},
		"none any more": {wishful{sts: map[string]mtasts.Found{"example.org": sts(mtasts.None, "mx2.example.org")}}, "example.org", ""},
	} {
		r, err := mustLookup(t, New(asking(&test.world, TLSAuto)), to(test.domain)).For(true, true) // the safe wish of two
		if test.want == "" {
			wantError(t, err, true, "X.7.30", "tls-required")
			continue
		}
		if err != nil || demands(r) != test.want || !r.Protected || r.TLS != TLSVerified || !strings.HasSuffix(r.Lane, " requiretls") {
			t.Errorf("%s: %+v, %v, want %s", name, r, err, test.want)
		}
	}
	o := asking(&wishful{}, TLSAuto)
	o.Default, o.Direct = smarthost(), false
	if r, err := mustLookup(t, New(o), to("example.org")).For(true, false); err != nil || !r.Protected {
		t.Errorf("a smarthost of the operator: %+v, %v", r, err)
	}
}

func TestOverridesAreForDomains(t *testing.T) {
	o := asking(&wishful{}, TLSAuto)
	o.Overrides = []Override{{To: []string{"Example.org"}, TLS: TLSEncrypted}, {To: []string{".org", "example.com"}, TLS: TLSOff}}
	table := New(o)
	for domain, want := range map[string]TLSPolicy{
		"example.org": TLSEncrypted, "EXAMPLE.ORG": TLSEncrypted, "a.org": TLSOff, "a.example.org": TLSOff,
		"example.com": TLSOff, "a.example.com": TLSAuto, "org": TLSAuto,
	} {
		if got := table.policyFor(key(domain), TLSAuto); got != want {
			t.Errorf("%s: %v, want %v", domain, got, want)
		}
	}
	if r := mustLookup(t, table, to("example.org")); r.TLS != TLSEncrypted || !strings.HasSuffix(r.Lane, " tls=encrypted") {
		t.Errorf("%+v", r)
	}
}

func TestAddressesCarryTheRecords(t *testing.T) {
	w := &wishful{secure: map[string]bool{"example.org": true}, tlsa: map[string]dns.TLSASet{"mx1.example.org": good("mx1.example.org")}, broken: map[string]error{}}
	table := New(asking(w, TLSAuto))
	r := mustLookup(t, table, to("example.org"))
	addresses, err := table.Addresses(t.Context(), r.Groups[0][0])
	if err != nil || len(addresses) != 2 || addresses[0].DANE == nil || addresses[1].DANE == nil || !addresses[0].DANE.Authenticates() {
		t.Errorf("%+v, %v", addresses, err)
	}
	if addresses, err := table.Addresses(t.Context(), r.Groups[0][1]); err != nil || addresses[0].DANE != nil {
		t.Errorf("a host without: %+v, %v", addresses, err)
	}
	w.broken["mx1.example.org"] = errors.New("SERVFAIL")
	_, err = table.Addresses(t.Context(), r.Groups[0][0])
	wantError(t, err, false, "X.4.3", "dns-problem")
	delete(w.broken, "mx1.example.org")
	w.tlsa = nil // they were taken away, and that is proven
	if addresses, err := table.Addresses(t.Context(), r.Groups[0][0]); err != nil || addresses[0].DANE != nil {
		t.Errorf("records that are gone: %+v, %v", addresses, err)
	}
}

func TestForgedMXKeepsTheMail(t *testing.T) {
	w := &wishful{broken: map[string]error{"example.org": errors.New("SERVFAIL")}}
	_, err := New(asking(w, TLSAuto)).Lookup(t.Context(), smtp.Path{}, to("example.org"))
	wantError(t, err, false, "X.4.3", "dns-problem")
}

// What the domain of an smtp+mx next hop asks for is heard as well.
func TestNextHopByMXAsks(t *testing.T) {
	w := &wishful{sts: map[string]mtasts.Found{"example.org": sts(mtasts.Enforce, "mx3.example.org")}}
	o := asking(w, TLSAuto)
	o.Default, o.Direct = []NextHop{{Host: "example.org", Port: 25, MX: true}}, false
	r := mustLookup(t, New(o), to("anywhere.example"))
	if got := demands(r); got != "mx3=sts" || r.Asked == nil || r.Asked.Domain != "example.org" || !strings.HasSuffix(r.Lane, " tls=mta-sts") {
		t.Errorf("%s in %q", got, r.Lane)
	}
	w.sts["example.org"] = sts(mtasts.Enforce, "elsewhere.example.org")
	r = mustLookup(t, New(o), to("anywhere.example"))
	_, err := r.For(false, false)
	wantError(t, err, false, "X.7.0", "tls-required")
	if r, err := r.For(false, true); err != nil || shape(r) != "mx1.example.org|mx2.example.org, mx3.example.org" {
		t.Errorf("mail that is to go in spite of it: %+v, %v", r, err)
	}
}
