package dns

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

const soa = "example.org. 600 IN SOA ns.example.org. root.example.org. 1 2 3 4 300"

func TestLookupMX(t *testing.T) {
	a := serve(t, zone(t, soa,
		"example.org. 300 IN MX 20 b.Example.org.",
		"example.org. 120 IN MX 10 C.example.org.",
		"example.org. 300 IN MX 10 a.example.org.",
		"example.org. 300 IN MX 10 a.example.org.",
		"example.org. 300 IN A 192.0.2.1",
		"null.example. 300 IN MX 0 .",
		"alias.example. 60 IN CNAME other.example.",
		"other.example. 300 IN CNAME example.org.",
		"xn--mller-kva.de. 300 IN MX 1 mx.example.org.",
		`odd.example. 300 IN MX 1 two\032words.example.org.`,
	))
	for _, test := range []struct {
		domain string
		want   []MX
		ttl    time.Duration
	}{
		{"example.org", []MX{{"a.example.org", 10}, {"c.example.org", 10}, {"b.example.org", 20}}, 2 * time.Minute},
		{"EXAMPLE.org.", []MX{{"a.example.org", 10}, {"c.example.org", 10}, {"b.example.org", 20}}, 2 * time.Minute},
		{"null.example", []MX{{"", 0}}, 5 * time.Minute},
		{"alias.example", []MX{{"a.example.org", 10}, {"c.example.org", 10}, {"b.example.org", 20}}, time.Minute},
		{"Müller.de", []MX{{"mx.example.org", 1}}, 5 * time.Minute},
		{"odd.example", []MX{{`two\ words.example.org`, 1}}, 5 * time.Minute},
	} {
		r, _ := resolver(t, a)
		mx, ttl, err := r.LookupMX(t.Context(), test.domain)
		if err != nil {
			t.Errorf("%s: %v", test.domain, err)
			continue
		}
		if diff := cmp.Diff(test.want, mx); diff != "" {
			t.Errorf("%s: %s", test.domain, diff)
		}
		if ttl != test.ttl {
			t.Errorf("%s holds for %v, want %v", test.domain, ttl, test.ttl)
		}
	}
}

func TestLookupAddr(t *testing.T) {
	a := serve(t, zone(t, soa,
		"both.example. 300 IN A 192.0.2.1",
		"both.example. 300 IN A 192.0.2.2",
		"both.example. 300 IN AAAA 2001:db8::1",
		"four.example. 300 IN A 192.0.2.1",
		"six.example. 300 IN AAAA 2001:db8::1",
		"alias.example. 60 IN CNAME six.example.",
		"text.example. 300 IN TXT nothing",
	))
	r, _ := resolver(t, a)
	for host, want := range map[string]string{
		"both.example":      "2001:db8::1 192.0.2.1 192.0.2.2",
		"four.example":      "192.0.2.1",
		"six.example":       "2001:db8::1",
		"ALIAS.example.":    "2001:db8::1",
		"localhost":         "::1 127.0.0.1",
		"db.LOCALHOST":      "::1 127.0.0.1",
		"text.example":      ErrNoData.Error(),
		"nowhere.example":   ErrNotFound.Error(),
		"two words.example": ErrNotFound.Error(),
		"a..example":        ErrNotFound.Error(),
		"":                  ErrNotFound.Error(),
	} {
		addrs, err := r.LookupAddr(t.Context(), host)
		var all []string
		for _, a := range addrs {
			all = append(all, a.String())
		}
		got := strings.Join(all, " ")
		for _, known := range []error{ErrNoData, ErrNotFound} {
			if errors.Is(err, known) {
				got = known.Error()
			}
		}
		if got != want {
			t.Errorf("%q: %s (%v), want %s", host, got, err, want)
		}
	}
	for _, q := range a.questions() {
		if strings.Contains(strings.ToLower(q), "localhost") || strings.Contains(q, "words") {
			t.Errorf("the server was asked for %s", q)
		}
	}
}

// RFC 6761 section 6.3: localhost never goes to the DNS.
func TestLocalhostHasNoMX(t *testing.T) {
	a := serve(t, code(dns.RcodeServerFailure))
	r, _ := resolver(t, a)
	if _, _, err := r.LookupMX(t.Context(), "localhost"); !errors.Is(err, ErrNoData) || len(a.questions()) > 0 {
		t.Errorf("%v, asked %v", err, a.questions())
	}
}

func TestErrorsNameTheQuestionAndTheServer(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(dns.ResponseWriter, *dns.Msg, string)
		kind   error
		want   string
	}{
		{"NXDOMAIN", zone(t, soa), ErrNotFound, "looking up MX of example.org at SERVER: the name does not exist"},
		{"no data", zone(t, soa, "example.org. 5 IN A 192.0.2.1"), ErrNoData, "looking up MX of example.org at SERVER: the name has no such records"},
		{"NXDOMAIN at the end of an alias", zone(t, soa, "example.org. 5 IN CNAME a.example."), ErrNotFound, "looking up MX of example.org at SERVER: the name does not exist"},
		{"SERVFAIL", code(dns.RcodeServerFailure), nil, "looking up MX of example.org at SERVER: the server says SERVFAIL"},
		{"REFUSED", code(dns.RcodeRefused), nil, "looking up MX of example.org at SERVER: the server says REFUSED"},
		{"a code that nobody knows", code(14), nil, "looking up MX of example.org at SERVER: the server says code 14"},
		{"a server that does not recurse", code(dns.RcodeSuccess), nil, "looking up MX of example.org at SERVER: the server says that it does not ask others"},
		{"a circle of aliases", zone(t, soa, "example.org. 5 IN CNAME a.example.", "a.example. 5 IN CNAME example.org."), nil, "looking up MX of example.org at SERVER: its aliases (CNAME) go in a circle, or on for too long"},
		{"too long for TCP", func(w dns.ResponseWriter, m *dns.Msg, _ string) {
			r := new(dns.Msg)
			r.SetReply(m)
			r.Truncated = true
			w.WriteMsg(r)
		}, nil, "looking up MX of example.org at SERVER: the server says that the answer is too long, even by TCP"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := serve(t, test.answer)
			r, _ := resolver(t, a)
			_, _, err := r.LookupMX(t.Context(), "example.org")
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("the error is %v", err)
			}
			if got := strings.ReplaceAll(err.Error(), a.address.String(), "SERVER"); got != test.want {
				t.Errorf("the text is\n%s\nwant\n%s", got, test.want)
			}
			if e.Temporary() != (test.kind == nil) || test.kind != nil && !errors.Is(err, test.kind) {
				t.Errorf("%v is of the wrong kind", err)
			}
			if e.Name != "example.org" || e.Type != "MX" || e.Server != a.address.String() {
				t.Errorf("%+v", e)
			}
		})
	}
}

// What may pass is not for good: a host with one family that cannot be asked
// for is not without addresses.
func TestOneKindOfAddressThatFails(t *testing.T) {
	for _, fails := range []uint16{dns.TypeA, dns.TypeAAAA} {
		for _, nothing := range []string{"", "both.example. 5 IN TXT x"} {
			lines := []string{}
			if nothing != "" {
				lines = append(lines, nothing)
			}
			rest := zone(t, soa, lines...)
			a := serve(t, func(w dns.ResponseWriter, m *dns.Msg, network string) {
				if m.Question[0].Qtype == fails {
					code(dns.RcodeServerFailure)(w, m, network)
					return
				}
				rest(w, m, network)
			})
			r, _ := resolver(t, a)
			_, err := r.LookupAddr(t.Context(), "both.example")
			var e *Error
			if !errors.As(err, &e) || !e.Temporary() {
				t.Errorf("where %s fails: %v, want an error that passes", dns.TypeToString[fails], err)
			}
		}
	}
	good := zone(t, soa, "half.example. 5 IN A 192.0.2.1")
	a := serve(t, func(w dns.ResponseWriter, m *dns.Msg, network string) {
		if m.Question[0].Qtype == dns.TypeAAAA {
			code(dns.RcodeServerFailure)(w, m, network)
			return
		}
		good(w, m, network)
	})
	r, _ := resolver(t, a)
	addrs, err := r.LookupAddr(t.Context(), "half.example")
	if want := []netip.Addr{netip.MustParseAddr("192.0.2.1")}; err != nil || !slices.Equal(addrs, want) {
		t.Errorf("%v, %v, want what there is", addrs, err)
	}
}

// RFC 1034 section 3.6.2: who only holds the alias leaves its end to us.
func TestAliasesAreFollowedAcrossAnswers(t *testing.T) {
	chain := map[string]string{"b.example.": "a0.example."}
	for i := range maxAliases {
		chain[fmt.Sprintf("a%d.example.", i)] = fmt.Sprintf("a%d.example.", i+1)
	}
	end := fmt.Sprintf("a%d.example.", maxAliases)
	a := serve(t, func(w dns.ResponseWriter, m *dns.Msg, _ string) {
		r := new(dns.Msg)
		r.SetReply(m)
		r.RecursionAvailable = true
		name := m.Question[0].Name
		switch target := chain[name]; {
		case target != "":
			r.Answer = append(r.Answer, record(t, name+" 300 IN CNAME "+target))
		case name == end && m.Question[0].Qtype == dns.TypeMX:
			r.Answer = append(r.Answer, record(t, name+" 300 IN MX 1 mx.example."))
		}
		w.WriteMsg(r)
	})
	r, _ := resolver(t, a)
	mx, _, err := r.LookupMX(t.Context(), "a0.example")
	if err != nil || len(mx) != 1 || mx[0].Host != "mx.example" {
		t.Errorf("%v, %v", mx, err)
	}
	if n := len(a.questions()); n != maxAliases+1 {
		t.Errorf("%d questions were asked, want %d", n, maxAliases+1)
	}
	if _, _, err := r.LookupMX(t.Context(), end); err != nil {
		t.Error(err)
	}
	var e *Error
	if _, _, err := r.LookupMX(t.Context(), "b.example"); !errors.As(err, &e) || !e.Temporary() {
		t.Errorf("a longer chain: %v", err)
	}
	if _, err := r.LookupAddr(t.Context(), "a1.example"); !errors.Is(err, ErrNoData) {
		t.Errorf("nothing at the end: %v", err)
	}
}

func TestRecordsOfOthersInAnAnswerAreIgnored(t *testing.T) {
	a := serve(t, func(w dns.ResponseWriter, m *dns.Msg, _ string) {
		r := new(dns.Msg)
		r.SetReply(m)
		r.RecursionAvailable = true
		r.Answer = []dns.RR{
			record(t, "bank.example. 300 IN MX 1 evil.example."),
			record(t, "example.org. 300 IN A 192.0.2.66"),
			record(t, "example.org. 300 IN MX 1 mx.example.org."),
		}
		r.Extra = []dns.RR{record(t, "mx.example.org. 300 IN A 192.0.2.66")}
		w.WriteMsg(r)
	})
	r, _ := resolver(t, a)
	mx, _, err := r.LookupMX(t.Context(), "example.org")
	if want := []MX{{"mx.example.org", 1}}; err != nil || !slices.Equal(mx, want) {
		t.Errorf("%v, %v, want %v", mx, err, want)
	}
	if _, err := r.LookupAddr(t.Context(), "mx.example.org"); !errors.Is(err, ErrNoData) {
		t.Errorf("the address that nobody asked for is believed: %v", err)
	}
}

func TestRecordsAreBounded(t *testing.T) {
	var lines []string
	for i := range 2 * maxRecords {
		lines = append(lines, fmt.Sprintf("example.org. 300 IN MX %d mx%d.example.org.", i, i))
	}
	r, _ := resolver(t, serve(t, truncating(zone(t, soa, lines...))))
	if mx, _, err := r.LookupMX(t.Context(), "example.org"); err != nil || len(mx) != maxRecords {
		t.Errorf("%d mail exchangers, %v, want %d", len(mx), err, maxRecords)
	}
}
