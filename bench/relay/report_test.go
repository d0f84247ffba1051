package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirmail/weir/bench/traffic"
)

var update = flag.Bool("update", false, "write the golden files")

func TestTheReport(t *testing.T) {
	half := 0.5
	round := func(rate, cpu float64) measurement {
		return measurement{Messages: 100, Rate: rate, CPU: cpu, Memory: 80 << 20, Flushes: &half, P50: 3.25, P99: 9.75, Others: 0.1}
	}
	weir := []measurement{round(5000, 0.2), round(6000, 0.1), round(4000, 0.3)}
	weir[1].Repeated, weir[2].Syncs = 2, &half
	postfix := []measurement{round(1000, 2), round(500, 2), round(800, 2)}
	postfix[0].Lost = 1
	s := scenario{relayMode, traffic.Shape{Clients: 20, Size: 10 << 10}}
	alone := scenario{acceptMode, traffic.Shape{Clients: 1, Size: 1000, Many: true}}
	r := report{Machine: "2 processors, ext4", Exact: true, Rows: []row{
		{s, []serverRow{{weirName, weir}, {postfixName, postfix}}},
		{alone, []serverRow{{weirName, weir[:1]}}},
	}}
	for _, form := range []string{"txt", "json"} {
		var out strings.Builder
		if err := r.print(&out, form == "json"); err != nil {
			t.Fatal(err)
		}
		golden(t, "report."+form, out.String())
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
