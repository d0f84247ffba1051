package test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// TestMetricsCountWhatWasSaid: every reply is counted by what it says and to whom, and
// the whole is well formed.
func TestMetricsCountWhatWasSaid(t *testing.T) {
	t.Parallel()
	hop := startNextHop(t, nil)
	d := startStrict(t, folder(t), "next_hop = \"smtp://"+hop.address+"\"\n")
	c := dial(t, d.address())
	c.greet()
	c.ask("MAIL FROM:<ada@example.org> NONSENSE=1", "504 5.5.4")
	c.begin()
	c.ask(".", "250 2.0.0 ")
	c.ask("QUIT", "221 ")
	hop.await(t, 1)

	var text string
	until(t, "the delivery is counted", func() bool {
		text = d.metrics(t)
		return strings.Contains(text, `weir_attempts_total{outcome="delivered"} 1`)
	})
	for _, want := range []string{
		`weir_messages_accepted_total{listener="`,
		`code="504",enhanced="5.5.4",reason="unsupported-parameter",stage="mail"} 1`,
		`code="250",enhanced="2.0.0",reason="",stage="content"} 1`,
		`weir_accept_seconds_count 1`,
		`weir_take_seconds_count 1`,
		`weir_delivery_seconds_count 1`,
		`weir_replies_received_total{code="250",`,
		`weir_queue_messages 0`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "weir_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// metrics returns what the page has for Prometheus.
func (d *daemon) metrics(t testing.TB) string {
	t.Helper()
	answer, err := http.Get(d.page + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, answer.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEveryMetricIsInTheManual: the manual has each figure of the program, and no other.
func TestEveryMetricIsInTheManual(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	d := startStrict(t, folder(t), "")
	shown := map[string]bool{}
	for line := range strings.Lines(d.metrics(t)) {
		if rest, ok := strings.CutPrefix(line, "# HELP weir_"); ok {
			name, _, _ := strings.Cut(rest, " ")
			shown["weir_"+name] = true
		}
	}
	// What has labels is shown only once it was counted.
	for _, name := range regexp.MustCompile(`\bweir_[a-z0-9_]+`).FindAllString(string(manual), -1) {
		delete(shown, name)
	}
	for name := range shown {
		t.Errorf("docs/metrics.md does not have %s", name)
	}
}
