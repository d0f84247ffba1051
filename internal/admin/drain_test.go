package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirmail/weir/internal/admin/api"
)

// gatekeeper is an admission that remembers what it was asked.
type gatekeeper struct {
	drains    []api.Drain
	resumed   []string
	asked     []api.DecisionQuery
	decisions []api.Decision
	broken    bool
}

var errGatekeeper = errors.New("the notes cannot be written")

func (g *gatekeeper) Status(_ context.Context, s *api.Status) error {
	if g.broken {
		return errGatekeeper
	}
	s.State, s.Drains = api.StateMaintenance, g.drains
	for i := range s.Listeners {
		s.Listeners[i].State = api.StateMaintenance
	}
	s.Admission = &api.Admission{
		Pressure: 1.2, Deciding: "load",
		Signals: []api.Signal{{
			Name: "load", Reason: "load", Value: 9, Unit: "ms", Limit: 5, Hard: 25, Source: "fixed",
			Pressure: 1.2, Effective: 1.2,
		}},
		Slots:    api.Slots{Limit: 64, Used: 60, Waiting: 3, Room: 192, Classes: []api.ClassSlots{{Class: "unknown", Used: 60}}},
		Sessions: api.Sessions{Open: 63, Limit: 1000},
		Ledgers:  []api.Ledger{{Name: "memory", Unit: "bytes", Charged: 1 << 20, Budget: 1 << 28}},
		Counts: api.Counts{
			Classes: []api.ClassCounts{{Class: "unknown", Admitted: 100, Waited: 7}},
			Refused: []api.Refused{{Point: "accept", Class: "unknown", Reason: "load", Count: 40}},
		},
	}
	return nil
}

func (g *gatekeeper) Drain(_ context.Context, d api.Drain) error {
	if g.broken {
		return errGatekeeper
	}
	g.drains = append(g.drains, d)
	return nil
}

func (g *gatekeeper) Resume(_ context.Context, listener string) (bool, error) {
	if g.broken {
		return false, errGatekeeper
	}
	g.resumed = append(g.resumed, listener)
	return len(g.drains) > 0, nil
}

func (g *gatekeeper) Decisions(_ context.Context, q api.DecisionQuery) ([]api.Decision, error) {
	if g.broken {
		return nil, errGatekeeper
	}
	g.asked = append(g.asked, q)
	return g.decisions, nil
}

func guarded(t *testing.T, g *gatekeeper) http.Handler {
	t.Helper()
	o := options(filled(0))
	o.Admission = g
	return Handler(o)
}

// now is the time of options.
var now = epoch.Add(time.Hour)

func TestAMaintenanceBeginsAsItWasAskedFor(t *testing.T) {
	for body, want := range map[string]api.Drain{
		`{}`:                               {From: now},
		`{"for":"1h30m"}`:                  {From: now, Until: now.Add(90 * time.Minute)},
		`{"until":"2026-03-01T20:00:00Z"}`: {From: now, Until: epoch.Add(8 * time.Hour)},
		`{"until":"2026-03-01T20:00:00+05:00","text":"new disk – été"}`: {From: now, Until: epoch.Add(3 * time.Hour), Text: "new disk – été"},
		`{"listener":"public"}`: {From: now, Listener: "public"},
	} {
		g := &gatekeeper{}
		res, answer := ask(t, guarded(t, g), "POST", "/v1/drain", body)
		var got api.Drain
		if err := json.Unmarshal([]byte(answer), &got); err != nil || res.StatusCode != 200 {
			t.Errorf("%s: %s, %s", body, res.Status, answer)
			continue
		}
		if diff := cmp.Diff([]api.Drain{want, want}, append(g.drains, got)); diff != "" {
			t.Errorf("%s (-want +done and answered):\n%s", body, diff)
		}
	}
}

func TestAMaintenanceThatMakesNoSenseIsRefused(t *testing.T) {
	for _, test := range []struct {
		path, body string
		status     int
		detail     string
	}{
		{"/v1/drain", `{"for":"1h","until":"2026-03-02T00:00:00Z"}`, 400, "set one of them"},
		{"/v1/drain", `{"for":"-1h"}`, 400, "less than nothing"},
		{"/v1/drain", `{"until":"2026-03-01T13:00:00Z"}`, 400, "has passed"},
		{"/v1/drain", `{"until":"18:30"}`, 400, "cannot be read"},
		{"/v1/drain", `{"text":"a\u001b[31mb"}`, 400, "one line"},
		{"/v1/drain", `{"text":"a\nb"}`, 400, "one line"},
		{"/v1/drain", `{"text":"` + strings.Repeat("ü", maxText+1) + `"}`, 400, "201 characters"},
		{"/v1/drain", `{"listener":"privat"}`, 404, "there is public"},
		{"/v1/drain", `{"untill":"x"}`, 400, "untill"},
		{"/v1/resume", `{"listener":"privat"}`, 404, "there is public"},
		{"/v1/resume", ``, 415, "application/json"},
	} {
		g := &gatekeeper{}
		res, body := ask(t, guarded(t, g), "POST", test.path, test.body)
		var p api.Problem
		if err := json.Unmarshal([]byte(body), &p); err != nil || res.StatusCode != test.status || !strings.Contains(p.Detail, test.detail) {
			t.Errorf("%s %s: %s, %s", test.path, test.body, res.Status, body)
		}
		if len(g.drains)+len(g.resumed) > 0 {
			t.Errorf("%s %s was done all the same", test.path, test.body)
		}
	}
}

func TestClientDrainsAndResumes(t *testing.T) {
	ctx := t.Context()
	g := &gatekeeper{}
	client := running(t, guarded(t, g))
	if ended, err := client.Resume(ctx, ""); err != nil || ended {
		t.Errorf("resume of nothing: %v, %v", ended, err)
	}
	d, err := client.Drain(ctx, api.DrainRequest{For: api.Duration(time.Hour), Listener: "public"})
	if err != nil || !d.Until.Equal(now.Add(time.Hour)) || d.Listener != "public" {
		t.Errorf("drain: %+v, %v", d, err)
	}
	if ended, err := client.Resume(ctx, "public"); err != nil || !ended {
		t.Errorf("resume: %v, %v", ended, err)
	}
	if diff := cmp.Diff([]string{"", "public"}, g.resumed); diff != "" {
		t.Error(diff)
	}
	s, err := client.Status(ctx)
	if err != nil || s.State != api.StateMaintenance || s.Admission.Deciding != "load" || s.Listeners[0].State != api.StateMaintenance {
		t.Errorf("status: %+v, %v", s, err)
	}
}

func TestClientAsksWhetherTheRelayIsReady(t *testing.T) {
	var why error
	o := options(filled(0))
	o.Ready = func() error { return why }
	client := running(t, Handler(o))
	if err := client.Ready(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
	why = errors.New("in maintenance until 20:00")
	var p *api.Problem
	if err := client.Ready(t.Context()); !errors.As(err, &p) || p.Type != api.ProblemNotReady || !strings.Contains(p.Detail, "until 20:00") {
		t.Errorf("not ready: %v", err)
	}
}

func TestStatusWithAdmissionLooksAsItDid(t *testing.T) {
	g := &gatekeeper{drains: []api.Drain{{From: now, Until: now.Add(time.Hour), Text: "new disk", Window: true}}}
	res, body := ask(t, guarded(t, g), "GET", "/v1/status", "")
	if res.StatusCode != 200 {
		t.Fatalf("%s, %s", res.Status, body)
	}
	golden(t, "testdata/status-admission.json", indent(t, body))
}

// refused is the record of a client that was sent away.
func refused() api.Decision {
	return api.Decision{
		ID: "7gq2k9xa", Count: 12, Time: now, Client: netip.MustParseAddr("192.0.2.7"), Net: netip.MustParsePrefix("192.0.2.0/24"),
		Class: "unknown", Listener: "public", Point: "accept", Verdict: api.VerdictRefuse, Reason: "load",
		Reply: "421 4.3.2 mx.example.org Service busy", Rule: "the pressure sends away a part of this class",
		Measure: &api.Measure{Name: "share of the class", Value: 0.8}, Pressure: 1.2, Deciding: "load",
		Signals: []api.Signal{{Name: "load", Value: 9, Limit: 5, Hard: 25, Pressure: 1.2, Effective: 1.2}}, RetrySeconds: 75,
	}
}

func TestDecisionsLookAsTheyDid(t *testing.T) {
	local := refused()
	local.Client, local.Net, local.Measure, local.Listener, local.Verdict = netip.Addr{}, netip.Prefix{}, nil, "", api.VerdictObserve
	g := &gatekeeper{decisions: []api.Decision{refused(), local}}
	res, body := ask(t, guarded(t, g), "GET", "/v1/decisions", "")
	if res.StatusCode != 200 {
		t.Fatalf("%s, %s", res.Status, body)
	}
	golden(t, "testdata/decisions.json", indent(t, body))
}

func TestDecisionsAreChosenByTheQuery(t *testing.T) {
	for path, want := range map[string]api.DecisionQuery{
		"/v1/decisions":                                {Last: api.DefaultDecisions},
		"/v1/decisions?last=3&address=192.0.2.7":       {Last: 3, Network: netip.MustParsePrefix("192.0.2.7/32")},
		"/v1/decisions?address=192.0.2.9/24":           {Last: api.DefaultDecisions, Network: netip.MustParsePrefix("192.0.2.0/24")},
		"/v1/decisions?address=::ffff:192.0.2.7":       {Last: api.DefaultDecisions, Network: netip.MustParsePrefix("192.0.2.7/32")},
		"/v1/decisions?id=7GQ2K9XA":                    {Last: api.DefaultDecisions, ID: "7gq2k9xa"},
		"/v1/decisions/7gq2k9xa?last=1":                {Last: 1, ID: "7gq2k9xa"},
		"/v1/decisions/7gq2k9xa?address=2001:db8::/32": {Last: api.DefaultDecisions, ID: "7gq2k9xa", Network: netip.MustParsePrefix("2001:db8::/32")},
	} {
		g := &gatekeeper{decisions: []api.Decision{refused()}}
		res, body := ask(t, guarded(t, g), "GET", path, "")
		if res.StatusCode != 200 || len(g.asked) != 1 {
			t.Errorf("%s: %s, %s", path, res.Status, body)
			continue
		}
		if diff := cmp.Diff(want, g.asked[0], cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +asked):\n%s", path, diff)
		}
	}
}

func TestDecisionsThatCannotBeAskedFor(t *testing.T) {
	for path, status := range map[string]int{
		"/v1/decisions?last=0":            400,
		"/v1/decisions?last=1001":         400,
		"/v1/decisions?last=1&last=2":     400,
		"/v1/decisions?address=example":   400,
		"/v1/decisions?id=short":          400,
		"/v1/decisions?id=7gq2k9x%C3%A9":  400,
		"/v1/decisions?reason=load":       400,
		"/v1/decisions/7gq2k9x":           400,
		"/v1/decisions/7gq2k9xa":          404, // nobody knows of it any more
		"/v1/decisions?address=192.0.2.7": 200, // that nobody was refused is an answer
	} {
		res, body := ask(t, guarded(t, &gatekeeper{}), "GET", path, "")
		if res.StatusCode != status {
			t.Errorf("%s: %s, want %d, %s", path, res.Status, status, body)
		}
	}
}

func TestClientReadsDecisions(t *testing.T) {
	g := &gatekeeper{decisions: []api.Decision{refused()}}
	q := api.DecisionQuery{ID: "7gq2k9xa", Network: netip.MustParsePrefix("192.0.2.0/24"), Last: 5}
	got, err := running(t, guarded(t, g)).Decisions(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	same := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	addr := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	if diff := cmp.Diff([]api.Decision{refused()}, got, same, addr); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]api.DecisionQuery{q}, g.asked, same); diff != "" {
		t.Errorf("(-asked +arrived):\n%s", diff)
	}
}

func TestAFaultOfAdmissionIsTold(t *testing.T) {
	h := guarded(t, &gatekeeper{broken: true})
	for _, r := range [][3]string{
		{"GET", "/v1/status"}, {"GET", "/v1/decisions"}, {"POST", "/v1/drain", "{}"}, {"POST", "/v1/resume", "{}"},
	} {
		if res, body := ask(t, h, r[0], r[1], r[2]); res.StatusCode != 500 || !strings.Contains(body, errGatekeeper.Error()) {
			t.Errorf("%s: %s, %s", r[1], res.Status, body)
		}
	}
}

func TestWithoutAdmissionThereIsNothingToDrain(t *testing.T) {
	h := Handler(options(filled(0)))
	for _, r := range [][3]string{{"POST", "/v1/drain", "{}"}, {"POST", "/v1/resume", "{}"}, {"GET", "/v1/decisions"}} {
		if res, body := ask(t, h, r[0], r[1], r[2]); res.StatusCode != 404 {
			t.Errorf("%s: %s, %s", r[1], res.Status, body)
		}
	}
}
