package api

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDurationsAreReadAsTheConfigurationWritesThem(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "4h": 4 * time.Hour, "5d": 120 * time.Hour, "1d12h": 36 * time.Hour, "1h30m": 90 * time.Minute, "0": 0, "0d": 0,
	} {
		got, err := ParseDuration(s)
		if err != nil || time.Duration(got) != want {
			t.Errorf("%s: %v, %v", s, time.Duration(got), err)
		}
		if again, err := ParseDuration(got.String()); err != nil || again != got {
			t.Errorf("%s: %v written and read again is %v, %v", s, got, again, err)
		}
	}
	for _, s := range []string{"", "d", "5", "5x", "-1d", "1d-2h", "1.5d", "1d2d", "65536d", "1d2562047h47m", "5 d"} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("%q gave %v", s, got)
		}
	}
}

func TestFiltersSurviveTheQuery(t *testing.T) {
	yes, no := true, false
	for _, f := range []Filter{
		{},
		{Sender: "<>", Held: &no},
		{Recipient: "a b&c=d@example.org", OlderThan: Duration(90 * time.Minute), Held: &yes},
		{Domain: ".example.org", State: "waiting"},
	} {
		var got Filter
		for key, values := range f.Values() {
			if known, err := got.Set(key, values[0]); !known || err != nil {
				t.Errorf("%s=%s: %v, %v", key, values[0], known, err)
			}
		}
		if diff := cmp.Diff(f, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"5d", "1d12h", "90s", "-1h", "9999999h", "65535d2562047h", "d", "1d1d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		if again, err := ParseDuration(d.String()); err != nil || again != d {
			t.Errorf("%q is %v, which is read as %v, %v", s, d, again, err)
		}
	})
}
