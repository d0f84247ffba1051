package route

import (
	"strings"
	"testing"

	"github.com/weirmail/weir/smtp"
)

func TestPlanNamesTheRuleThatDecides(t *testing.T) {
	o := direct(world())
	o.Rules = []Rule{
		{To: []string{"example.com", ".example.com"}, NextHops: smarthost()},
		{To: []string{".deep.example.com"}, NextHops: smarthost()},
		{To: []string{"müller.de"}, NextHops: smarthost()},
	}
	table := New(o)
	for domain, want := range map[string]string{
		"example.org":          "",
		"EXAMPLE.com":          "example.com",
		"a.example.com":        ".example.com",
		"a.b.example.com":      ".example.com",
		"a.deep.example.com":   ".deep.example.com",
		"deep.example.com":     ".example.com",
		"myexample.com":        "",
		"xn--mller-kva.de":     "xn--mller-kva.de",
		"nowhere.example.test": "",
	} {
		plan, err := table.Plan(t.Context(), smtp.Path{}, to(domain))
		if err != nil || plan.Rule != want {
			t.Errorf("%s: by the rule %q (%v), want %q", domain, plan.Rule, err, want)
		}
	}
	o.Rules = append(o.Rules, Rule{To: []string{"*"}, NextHops: smarthost()})
	if plan, _ := New(o).Plan(t.Context(), smtp.Path{}, to("example.org")); plan.Rule != "*" {
		t.Errorf("by the rule %q, want *", plan.Rule)
	}
}

func TestPlanListsHostsInTheirOrder(t *testing.T) {
	plan, err := New(direct(world())).Plan(t.Context(), smtp.Path{}, smtp.Path{Domain: "example.org"})
	if err != nil || plan.Err != nil {
		t.Fatal(err, plan.Err)
	}
	var got []string
	for _, h := range plan.Hosts {
		line := h.Name
		for _, a := range h.Addresses {
			line += " " + a.Addr
		}
		got = append(got, strings.Repeat("-", h.Group)+line)
	}
	want := "mx1.example.org [2001:db8::1]:25 192.0.2.1:25, mx2.example.org 192.0.2.2:25, -mx3.example.org 192.0.2.3:25"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("%s\nwant %s", s, want)
	}
	if p := plan.Hosts[2].Preference; p != 20 {
		t.Errorf("the preference of mx3 is %d, want 20", p)
	}
}

func TestPlanTellsWhatStopsMail(t *testing.T) {
	table := New(direct(world()))
	plan, err := table.Plan(t.Context(), smtp.Path{}, to("null.example"))
	if err != nil || plan.Route != nil {
		t.Fatalf("%+v, %v", plan, err)
	}
	wantError(t, plan.Err, true, "X.1.10", "domain-no-mail")
	d := world()
	d.mx["lost.example"] = d.mx["example.org"][:1:1]
	d.mx["lost.example"][0].Host = "gone.example"
	plan, err = New(direct(d)).Plan(t.Context(), smtp.Path{}, to("lost.example"))
	if err != nil || plan.Err != nil || len(plan.Hosts) != 1 {
		t.Fatalf("%+v, %v", plan, err)
	}
	wantError(t, plan.Hosts[0].Err, true, "X.4.4", "domain-not-found")
}
