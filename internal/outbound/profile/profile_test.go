package profile

import (
	"strings"
	"testing"
)

func builtinSet(t *testing.T) *Set {
	t.Helper()
	profiles, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return New(profiles...)
}

func TestHostsOfOneOperatorAreOneDestination(t *testing.T) {
	s := builtinSet(t)
	for _, test := range []struct{ hosts, want string }{
		{"aspmx.l.google.com alt1.aspmx.l.google.com", "google"},
		{"gmail-smtp-in.l.google.com", "google"},
		{"smtp.google.com", "google"},
		{"example-com.mail.protection.outlook.com", "microsoft365"},
		{"example-com.a-v1.mx.microsoft", "microsoft365"},
		{"outlook-com.olc.protection.outlook.com", "outlook.com"},
		{"mta5.am0.yahoodns.net mta6.am0.yahoodns.net", "yahoo"},
		{"mx01.mail.icloud.com mx02.mail.icloud.com", "icloud"},
		{"aspmx.l.google.com mx.example.org", ""},                          // a server of one's own beside
		{"aspmx.l.google.com example-com.mail.protection.outlook.com", ""}, // of two
		{"mail.protection.outlook.com", ""},                                // the suffix alone is no host
		{"notgoogle.com", ""},                                              // whole labels
		{"aspmx.l.google.com.example.org", ""},
		{"mx.example.org", ""},
		{"", ""},
	} {
		got := ""
		if p := s.Find("example.com", strings.Fields(test.hosts)); p != nil {
			got = p.Name
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.hosts, got, test.want)
		}
	}
}

func TestTheDomainAndTheFirstGoBefore(t *testing.T) {
	builtin, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	s := New(append([]Profile{
		{Name: "partner", Domains: []string{"example.org", ".example.net"}},
		{Name: "mine", Hosts: []string{".L.google.com"}},
	}, builtin...)...)
	for _, test := range []struct{ domain, host, want string }{
		{"example.org", "aspmx.l.google.com", "partner"},
		{"a.example.net", "mx.example.com", "partner"},
		{"example.net", "mx.example.com", ""},
		{"example.com", "aspmx.l.google.com", "mine"},
		{"example.com", "smtp.google.com", "google"},
	} {
		got := ""
		if p := s.Find(test.domain, []string{test.host}); p != nil {
			got = p.Name
		}
		if got != test.want {
			t.Errorf("%s by %s: %q, want %q", test.domain, test.host, got, test.want)
		}
	}
	if p := (*Set)(nil).Find("example.org", []string{"mx.google.com"}); p != nil {
		t.Error("the nil set is not empty")
	}
}

func TestBuiltInProfilesAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range builtinSet(t).All() {
		if p.Name == "" || p.Name != strings.ToLower(p.Name) || seen[p.Name] {
			t.Errorf("the name %q is empty, not in lower case, or there twice", p.Name)
		}
		seen[p.Name] = true
		if len(p.Hosts) == 0 || p.Connections < 1 || p.Connections > 100 || p.Messages < 1 || p.Recipients < 1 {
			t.Errorf("%s: %+v", p.Name, p)
		}
		for _, host := range p.Hosts {
			if !strings.HasPrefix(host, ".") || host != strings.ToLower(host) || seen[host] {
				t.Errorf("%s: the host %q is no suffix in lower case, or there twice", p.Name, host)
			}
			seen[host] = true
		}
	}
}
