package api

import "testing"

func TestClientsAreNamedByAddressOrNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7":            "192.0.2.7/32",
		"::ffff:192.0.2.7":     "192.0.2.7/32",
		"192.0.2.7/24":         "192.0.2.0/24",
		"0.0.0.0/0":            "0.0.0.0/0",
		"2001:db8::7":          "2001:db8::7/128",
		"[2001:db8::7]":        "2001:db8::7/128",
		"fe80::1%eth0":         "fe80::1/128",
		"2001:db8:0:1::9/48":   "2001:db8::/48",
		"::ffff:192.0.2.7/120": "192.0.2.0/24",
	} {
		if got, err := ParseClient(text); err != nil || got.String() != want {
			t.Errorf("%q is %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "7gq2k9xa", "192.0.2", "192.0.2.7/33", "mx.example.org", "192.0.2.7:25", "fe80::1%eth0/64"} {
		if got, err := ParseClient(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func FuzzDecisionQuery(f *testing.F) {
	for _, seed := range [][2]string{
		{"id", "7GQ2K9XA"},
		{"address", "192.0.2.7/24"},
		{"address", "::ffff:192.0.2.7"},
		{"last", "20"},
		{"last", "-1"},
		{"x", "y"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		var q, again DecisionQuery
		if known, err := q.Set(key, value); !known || err != nil {
			return
		}
		for key, values := range q.values() {
			if known, err := again.Set(key, values[0]); !known || err != nil || len(values) != 1 {
				t.Errorf("%s is written as %q, which cannot be read: %v", key, values, err)
			}
		}
		if again != q {
			t.Errorf("%q %q is %+v, which is read as %+v", key, value, q, again)
		}
	})
}
