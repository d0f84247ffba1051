package main

import "testing"

func TestWhatWhyIsAskedAbout(t *testing.T) {
	for _, test := range []struct{ what, id, network string }{
		{"", "", "invalid Prefix"},
		{"7gq2k9xa", "7gq2k9xa", "invalid Prefix"},
		{"7GQ2K9XA", "7gq2k9xa", "invalid Prefix"},
		{"id=7gq2k9xa", "7gq2k9xa", "invalid Prefix"},
		{"421 4.3.2 mx.example.org Service busy; reason=load retry=75s id=7gq2k9xa", "7gq2k9xa", "invalid Prefix"},
		{"(host mx.example.org said: 421 4.3.2 Service busy; reason=load id=7gq2k9xa (in reply to MAIL))", "7gq2k9xa", "invalid Prefix"},
		{`b'421 reason=load id=7gq2k9xa\r\n'`, "7gq2k9xa", "invalid Prefix"},
		{"192.0.2.7", "", "192.0.2.7/32"},
		{"192.0.2.7/24", "", "192.0.2.0/24"},
		{"[2001:db8::1]", "", "2001:db8::1/128"},
		{"::ffff:192.0.2.7", "", "192.0.2.7/32"},
	} {
		q, err := (&whyCommand{What: test.what, Last: 20}).query()
		if err != nil || q.ID != test.id || q.Network.String() != test.network {
			t.Errorf("%q asks for %+v, %v", test.what, q, err)
		}
	}
	for _, c := range []whyCommand{{What: "mx.example.org", Last: 20}, {What: "7gq2k9", Last: 20}, {Last: -1}, {Last: 1001}} {
		if q, err := c.query(); err == nil {
			t.Errorf("%+v asks for %+v", c, q)
		}
	}
}
