package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// labelWidth is where the texts behind labels begin.
const labelWidth = 10

// writeRoute tells where mail would go: what decides, the lane, what TLS is asked
// for and why, and then the hosts in the order in which they would be tried.
func writeRoute(p *paper, r *api.Route, alone bool, now time.Time) error {
	p.line(p.marked(bold, "Mail for "+printable(r.To)))
	p.line("")
	label := func(name, text string) {
		if text != "" {
			p.block(name, labelWidth, text)
		}
	}
	label("Decides", r.Rule+whatDecides(r))
	if r.Lane != "" {
		label("Lane", r.Lane)
		label("TLS", tlsWords(r.TLS.Policy)+" ("+r.TLS.Source+")")
	}
	label("DNSSEC", dnssecWords(r.DNSSEC))
	label("MTA-STS", stsWords(r.MTASTS, now))
	if r.Problem != nil {
		label("Stops", problemWords(r.Problem))
	}
	writeRouteHosts(p, r)
	if alone {
		p.line("")
		p.block("", 0, "No running relay was asked: this is what the configuration file leads to, without what a relay has learned.")
	}
	return p.err
}

// whatDecides completes the rule that decides.
func whatDecides(r *api.Route) string {
	switch {
	case r.Rule == "nothing":
		return " says where its mail goes"
	case r.Direct:
		return ": the hosts that the DNS names for " + r.Domain
	}
	return ""
}

// tlsWords says a policy in words.
func tlsWords(policy string) string {
	switch policy {
	case "off":
		return "off: never encrypted"
	case "opportunistic":
		return "opportunistic: encrypted where a host offers it, whatever its certificate"
	case "encrypted":
		return "encrypted: never in plain text, whatever the certificate"
	case "verified":
		return "verified: encrypted, with a valid certificate for the name of the host"
	case "dane":
		return "dane: encrypted, with a certificate that its TLSA records name"
	case "auto":
		return "auto: encrypted where a host offers it, and as the domain asks for by DANE or MTA-STS"
	}
	return policy
}

func dnssecWords(state string) string {
	switch state {
	case api.DNSSECSecure:
		return "the records that name the hosts are signed and valid"
	case api.DNSSECInsecure:
		return "the records that name the hosts are not signed, so that DANE has no say"
	case api.DNSSECUnchecked:
		return "not known: no resolver is trusted to check signatures ([dns] validating), so that DANE has no say"
	}
	return ""
}

// stsWords says the policy of a domain in words.
func stsWords(s *api.MTASTS, now time.Time) string {
	switch {
	case s == nil:
		return ""
	case s.Mode == "" && s.Problem != "":
		return "no policy: " + s.Problem
	case s.Mode == "":
		return "the domain has no policy"
	}
	words := fmt.Sprintf("%s, id %s, fetched %s ago, for another %s; hosts: %s",
		s.Mode, s.ID, age(now.Sub(s.Fetched)), age(s.Expires.Sub(now)), strings.Join(s.MX, ", "))
	if s.Problem != "" {
		words += "; " + s.Problem
	}
	return words
}

// writeRouteHosts lists the hosts.
func writeRouteHosts(p *paper, r *api.Route) {
	if len(r.Hosts) == 0 {
		return
	}
	equals := false
	for i := range r.Hosts[1:] {
		equals = equals || r.Hosts[i].Group == r.Hosts[i+1].Group
	}
	title := "Tried in this order"
	if equals {
		title += " (hosts of one number: in an order drawn anew each time)"
	}
	p.heading(title)
	for i := range r.Hosts {
		writeRouteHost(p, &r.Hosts[i], r.TLS)
	}
}

func writeRouteHost(p *paper, h *api.RouteHost, general api.RouteTLS) {
	const indent = 4
	what := h.Name
	if h.Port != 0 {
		what += fmt.Sprintf(", %s port %d", h.Protocol, h.Port)
	}
	if h.Preference != nil {
		what += fmt.Sprintf(", preference %d", *h.Preference)
	}
	number := fmt.Sprintf("%d", h.Group)
	if h.Excluded != "" {
		number = "-"
	}
	p.block(number, indent, what)
	detail := func(text string) {
		if text != "" {
			p.block("", indent, text)
		}
	}
	detail(strings.Join(hostAddresses(h), ", "))
	if h.Fallback {
		detail("only when none before it takes the session")
	}
	if h.SignsInAs != "" {
		detail("signs in as " + printable(h.SignsInAs))
	}
	if h.TLS != general && h.Excluded == "" {
		detail("TLS " + tlsWords(h.TLS.Policy) + " (" + h.TLS.Source + ")")
	}
	for _, record := range h.DANE {
		detail("TLSA " + record)
	}
	detail(h.Note)
	if h.Excluded != "" {
		detail("not tried: " + h.Excluded)
	}
	if h.Problem != nil {
		detail(problemWords(h.Problem))
	}
}

// hostAddresses are the addresses without the port, which stands by the name.
func hostAddresses(h *api.RouteHost) []string {
	var bare []string
	for _, a := range h.Addresses {
		a = strings.TrimSuffix(a, fmt.Sprintf(":%d", h.Port))
		a = strings.TrimSuffix(strings.TrimPrefix(a, "["), "]")
		if a != h.Name {
			bare = append(bare, a)
		}
	}
	return bare
}

// problemWords says what would happen to mail, and why.
func problemWords(r *api.RouteProblem) string {
	fate := "mail waits: "
	if r.Permanent {
		fate = "mail goes back: "
	}
	words := fate + r.Text
	if r.Status != "" {
		words += " (" + r.Status + ", " + r.Reason + ")"
	}
	return words
}
