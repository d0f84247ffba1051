package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weirmail/weir/internal/admin"
	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/outbound/dane"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/smtp"
)

// Plan finds out what a relay with a configuration would do with mail for an
// address or a domain, without the relay: nothing of what it has learned is known.
// The error wraps [admin.ErrNoAddress] for what is neither.
func Plan(ctx context.Context, cfg *config.Config, from, to string) (api.Route, error) {
	r := &Relay{config: cfg}
	r.logins = newLogins(cfg, "", nil, nil) // nobody signs in
	table, err := r.buildTable(ctx)
	if err != nil {
		return api.Route{}, err
	}
	defer r.resolver.Close()
	r.table = table
	return r.plan(ctx, from, to)
}

// plan finds out what would be done with mail for an address or a domain.
func (r *Relay) plan(ctx context.Context, from, to string) (api.Route, error) {
	path, err := parseTarget(to)
	if err != nil {
		return api.Route{}, err
	}
	sender, err := parseSender(from)
	if err != nil {
		return api.Route{}, err
	}
	plan, err := r.table.Plan(ctx, sender, path)
	if err != nil {
		return api.Route{}, err
	}
	a := api.Route{To: to, Domain: plan.Domain, Hosts: []api.RouteHost{}, Problem: problemOf(plan.Err)}
	a.Rule = r.ruleOf(&plan)
	a.Direct = r.isDirect(&plan)
	if plan.Route == nil {
		return a, nil
	}
	a.Lane, a.Problem = plan.Route.Lane, problemOf(plan.Err)
	a.TLS = api.RouteTLS{Policy: plan.TLS.String(), Source: r.tlsSource(&plan)}
	for i := range plan.Hosts {
		h := &plan.Hosts[i]
		policy := a.TLS
		if own := plan.Route.PolicyFor(&h.Host); own != plan.Route.TLS {
			policy = api.RouteTLS{Policy: own.String(), Source: "the fallback"}
		}
		a.Hosts = append(a.Hosts, hostOf(h, policy, a.Direct))
	}
	if plan.Route.Asked != nil {
		addAsked(&a, plan.Route.Asked)
	}
	return a, nil
}

// addAsked adds what the domain asks of its senders.
func addAsked(a *api.Route, asked *route.Asked) {
	switch {
	case asked.Secure:
		a.DNSSEC = api.DNSSECSecure
	case asked.Checked:
		a.DNSSEC = api.DNSSECInsecure
	case a.TLS.Policy == route.TLSAuto.String() || a.TLS.Policy == route.TLSDANE.String():
		a.DNSSEC = api.DNSSECUnchecked
	}
	if s := asked.STS; s != nil {
		a.MTASTS = &api.MTASTS{ID: s.ID, Fetched: s.Fetched, Expires: s.Expires}
		if s.Policy != nil {
			a.MTASTS.Mode, a.MTASTS.MX = string(s.Policy.Mode), s.Policy.MX
		}
		if s.Problem != nil {
			a.MTASTS.Problem = s.Problem.Error()
		}
	}
	for _, x := range asked.Excluded {
		h := hostOf(&route.PlannedHost{Host: x.Host}, a.TLS, a.Direct)
		h.Group, h.Excluded = 0, x.Why
		a.Hosts = append(a.Hosts, h)
	}
}

// addDANE adds what the DNS says of the certificate of a host.
func addDANE(h *api.RouteHost, p *dane.Policy) {
	h.TLS = api.RouteTLS{Policy: "dane", Source: "its TLSA records"}
	for _, r := range p.Records {
		h.DANE = append(h.DANE, r.String())
	}
	if !p.Authenticates() {
		h.TLS.Policy = "encrypted"
		h.Note = "none of its TLSA records can be used, so that it only has to encrypt"
	}
}

// parseTarget reads an address, with or without angle brackets, or a domain.
func parseTarget(s string) (smtp.Path, error) {
	bare := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "<"), ">")
	var path smtp.Path
	var err error
	switch {
	case strings.Contains(bare, "@"):
		path, err = smtp.ParseAddress(bare)
	case strings.HasPrefix(bare, "["):
		path = smtp.Path{Domain: bare}
		if _, ok := path.DomainLiteral(); !ok {
			err = errors.New("it is no address literal")
		}
	default:
		path.Domain = bare
		_, err = dns.ToASCII(bare)
	}
	if err != nil {
		return smtp.Path{}, fmt.Errorf("%q is %w: %w", s, admin.ErrNoAddress, err)
	}
	return path, nil
}

// parseSender reads a reverse-path; empty and "<>" are the null one, which notices
// have.
func parseSender(s string) (smtp.Path, error) {
	if s == "" || s == "<>" {
		return smtp.Path{}, nil
	}
	return parseTarget(s)
}

// ruleOf says what decides where mail goes, as the configuration writes it.
func (r *Relay) ruleOf(p *route.Plan) string {
	switch {
	case p.From != "":
		return fmt.Sprintf("[[route]] to = %q, from = %q", p.Rule, p.From)
	case p.Rule != "":
		return fmt.Sprintf("[[route]] to = %q", p.Rule)
	case r.inbox != nil && r.config.Server.IsZero():
		return "the inbox of weir serve --dev"
	case r.config.Smarthost != "":
		return fmt.Sprintf("smarthost = %q", string(r.config.Smarthost))
	case len(r.config.NextHop) > 0:
		return "next_hop"
	case r.config.Deliver == config.DeliverDirect:
		return `deliver = "direct"`
	}
	return "nothing"
}

func (r *Relay) isDirect(p *route.Plan) bool {
	return p.Rule == "" && r.config.Server.IsZero() && r.config.Deliver == config.DeliverDirect
}

// tlsSource says which key the policy of a route is from.
func (r *Relay) tlsSource(p *route.Plan) string {
	if p.Overridden {
		return "[[tls_policy]]"
	}
	for i := range r.config.Routes {
		rule := &r.config.Routes[i]
		if p.Rule == "" || rule.TLS == "" || !namesFold(rule.Domains(), p.Rule) {
			continue
		}
		switch {
		case p.From == "" && len(rule.From) == 0:
			return fmt.Sprintf("tls of [[route]] to = %q", p.Rule)
		case p.From != "" && namesFold(rule.From, p.From):
			return fmt.Sprintf("tls of [[route]] to = %q, from = %q", p.Rule, p.From)
		}
	}
	return "[delivery] tls"
}

func namesFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}

func hostOf(h *route.PlannedHost, policy api.RouteTLS, direct bool) api.RouteHost {
	a := api.RouteHost{
		Name: h.String(), Protocol: "smtp", Port: h.Port, Group: h.Group + 1,
		Addresses: []string{}, TLS: policy, Problem: problemOf(h.Err),
	}
	switch {
	case h.Protocol == route.LMTP:
		a.Protocol = "lmtp"
	case h.Implicit:
		a.Protocol = "smtps"
	}
	if h.STS {
		a.TLS = api.RouteTLS{Policy: "verified", Source: "MTA-STS"}
	}
	if len(h.Addresses) > 0 && h.Addresses[0].DANE != nil {
		addDANE(&a, h.Addresses[0].DANE)
	}
	if direct {
		a.Preference = &h.Preference
	}
	if l := h.Login; l != nil {
		a.SignsInAs = l.Username
		if a.TLS.Policy == "opportunistic" && !l.AllowPlainText {
			a.TLS = api.RouteTLS{Policy: "verified", Source: "the password or token needs it"}
		}
	}
	a.Fallback = h.Backup
	for _, address := range h.Addresses {
		if address.Network == "tcp" {
			a.Addresses = append(a.Addresses, address.Addr)
		}
	}
	return a
}

// problemOf says what is wrong with a way; nil where nothing is.
func problemOf(err error) *api.RouteProblem {
	if err == nil {
		return nil
	}
	p := &api.RouteProblem{Text: err.Error()}
	var e *route.Error
	if errors.As(err, &e) {
		p.Permanent, p.Reason = e.Permanent, e.Reason
		class := "4"
		if e.Permanent {
			class = "5"
		}
		p.Status = class + strings.TrimPrefix(e.Status.String(), "X")
	}
	return p
}
