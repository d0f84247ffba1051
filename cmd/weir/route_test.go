package main

import (
	"io"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

func TestRoutesArePrintedToBeRead(t *testing.T) {
	ten, twenty := uint16(10), uint16(20)
	usual := api.RouteTLS{Policy: "opportunistic", Source: "[delivery] tls"}
	for name, r := range map[string]api.Route{
		"direct": {
			To: "bob@Example.org", Domain: "example.org", Rule: `deliver = "direct"`, Direct: true,
			Lane: "mx1.example.org,mx2.example.org,mx3.example.org", TLS: usual, DNSSEC: api.DNSSECUnchecked,
			Hosts: []api.RouteHost{
				{Name: "mx1.example.org", Protocol: "smtp", Port: 25, Group: 1, Preference: &ten, TLS: usual, Addresses: []string{"[2001:db8::1]:25", "192.0.2.1:25"}},
				{Name: "mx2.example.org", Protocol: "smtp", Port: 25, Group: 1, Preference: &ten, TLS: usual, Addresses: []string{"192.0.2.2:25"}},
				{Name: "mx3.example.org", Protocol: "smtp", Port: 25, Group: 2, Preference: &twenty, TLS: usual, Problem: &api.RouteProblem{
					Text: "the host mx3.example.org has no address in the DNS", Permanent: true, Status: "5.4.4", Reason: "domain-not-found",
				}},
			},
		},
		"smarthost": {
			To: "example.com", Domain: "example.com", Rule: `[[route]] to = ".com"`, Lane: "smtp://relay.example.net:587 tls=verified",
			TLS: api.RouteTLS{Policy: "verified", Source: `tls of [[route]] to = ".com"`},
			Hosts: []api.RouteHost{
				{Name: "relay.example.net", Protocol: "smtp", Port: 587, Group: 1, TLS: api.RouteTLS{Policy: "verified", Source: `tls of [[route]] to = ".com"`}, Addresses: []string{"192.0.2.9:587"}},
			},
		},
		"protected": {
			To: "example.org", Domain: "example.org", Rule: `deliver = "direct"`, Direct: true,
			Lane: "mx1.example.org,mx2.example.org tls=dane+mta-sts", TLS: api.RouteTLS{Policy: "auto", Source: "[delivery] tls"}, DNSSEC: api.DNSSECSecure,
			MTASTS: &api.MTASTS{
				Mode: "enforce", ID: "20261101", MX: []string{"*.example.org"}, Fetched: noon.Add(-5 * time.Hour), Expires: noon.Add(139 * time.Hour),
				Problem: "https://mta-sts.example.org/.well-known/mta-sts.txt answers with 503 Service Unavailable, and only 200 counts",
			},
			Hosts: []api.RouteHost{
				{
					Name: "mx1.example.org", Protocol: "smtp", Port: 25, Group: 1, Preference: &ten, Addresses: []string{"192.0.2.1:25"},
					TLS:  api.RouteTLS{Policy: "dane", Source: "its TLSA records"},
					DANE: []string{"3 1 1 8bd1da95272f7fa4ffb24137fc0ed03aae67e5c4d8b3c50734e1050a7920b922"},
				},
				{
					Name: "mx2.example.org", Protocol: "smtp", Port: 25, Group: 2, Preference: &twenty, Addresses: []string{"192.0.2.2:25"},
					TLS: api.RouteTLS{Policy: "verified", Source: "MTA-STS"},
				},
				{Name: "mx.example.net", Protocol: "smtp", Port: 25, Preference: &twenty, Excluded: "the MTA-STS policy of example.org does not name it"},
			},
		},
		"nowhere": {
			To: "example.com", Domain: "example.com", Rule: "nothing", Hosts: []api.RouteHost{},
			Problem: &api.RouteProblem{
				Text: `no route: nothing says where mail for example.com goes: set next_hop, a [[route]], or deliver = "direct"; it waits in the queue`, Status: "4.4.4", Reason: "local-error",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			printed(t, "route-"+name, func(w io.Writer) error {
				return writeRoute(&paper{out: w, columns: columns}, &r, name == "nowhere", noon)
			})
		})
	}
}
