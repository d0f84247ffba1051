package relay

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAlertsAndDashboardsAskForFiguresThatExist: whatever the files for operators name
// is in the manual of the metrics, which is held to the program by
// TestEveryMetricIsInTheManual.
func TestAlertsAndDashboardsAskForFiguresThatExist(t *testing.T) {
	manual, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`\bweir_[a-z0-9_]+`)
	known := name.FindAllString(string(manual), -1)
	for _, file := range []string{"prometheus/weir.rules.yml", "grafana/weir.json"} {
		text, err := os.ReadFile("../../deploy/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(text) {
			t.Errorf("%s is no JSON", file)
		}
		asked := name.FindAllString(string(text), -1)
		if len(asked) < 10 {
			t.Errorf("%s asks for %d figures", file, len(asked))
		}
		for _, metric := range asked {
			if !slices.Contains(known, strings.TrimSuffix(metric, "_bucket")) {
				t.Errorf("%s asks for %s, which docs/metrics.md does not have", file, metric)
			}
		}
	}
}
