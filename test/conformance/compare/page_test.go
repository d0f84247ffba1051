package main

import (
	"strings"
	"testing"

	"github.com/weirmail/weir/test/conformance"
)

func TestPageTellsWhatDidNotPassAtItsLevel(t *testing.T) {
	d := func(rfc, name string, level conformance.Level) *conformance.Dialogue {
		return &conformance.Dialogue{RFC: rfc, Section: "1", Name: name, Level: level}
	}
	good, bad, ours := d("5321", "one", conformance.Must), d("1870", "two", conformance.Should), d("5321", "three", conformance.Weir)
	got := page([]column{
		{"Weir", []conformance.Result{
			{Dialogue: good, Outcome: conformance.Passed},
			{Dialogue: bad, Outcome: conformance.Skipped, Reason: "it does not offer SIZE"},
			{Dialogue: ours, Outcome: conformance.Passed},
		}},
		{"Other 1.0", []conformance.Result{
			{Dialogue: good, Outcome: conformance.Passed},
			{Dialogue: bad, Outcome: conformance.Failed, Reason: "line 7: got \"250 `ok`\", want 552"},
			{Dialogue: ours, Outcome: conformance.Differs, Reason: "line 9: got \"250 ok\", want 554"},
		}},
	})
	for _, want := range []string{
		"| RFC | Weir | Other 1.0 |\n|---:|---|---|\n",
		"| 1870 | 0 / 0 / 1 | 0 / 1 / 0 |\n",
		"| 5321 | 2 / 0 / 0 | 1 / 0 / 0 (1 differ) |\n",
		"| all | 2 / 0 / 1 | 1 / 1 / 0 (1 differ) |\n",
		"## What is a SHOULD, and not done\n\n**Other 1.0** (1)\n\n- RFC 1870 1: two. `got \"250 'ok'\", want 552`\n",
		"others do otherwise\n\n**Other 1.0** (1)\n\n- RFC 5321 1: three. `got \"250 ok\", want 554`\n",
		"**Weir**\n\n- it does not offer SIZE: 1\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
