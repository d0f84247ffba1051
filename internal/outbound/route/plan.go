package route

import (
	"context"

	"github.com/weirmail/weir/smtp"
)

// Plan is what would be done with mail for a forward-path, for a person to read.
type Plan struct {
	// Domain is the domain as the table has it.
	Domain string
	// Rule is the domain of the rule that decides, as the rule has it; empty for
	// the default.
	Rule string
	// Route is the way; nil where there is none, and Err says why.
	Route *Route
	Err   error
	// Hosts are those of the route in the order in which they are tried. Those
	// of the same preference are tried in an order that each attempt draws anew.
	Hosts []PlannedHost
}

// PlannedHost is a host of a [Plan].
type PlannedHost struct {
	Host
	// Group is the index of the group of equals to which it belongs.
	Group int
	// Addresses are what it is reached by; none where Err says why.
	Addresses []Address
	Err       error
}

// Plan finds out what would be done with mail for a forward-path, and asks the
// DNS for that as a delivery would. Nobody is connected to. The error is that of
// the context; what is wrong with the way is in the plan.
func (t *Table) Plan(ctx context.Context, p smtp.Path) (Plan, error) {
	domain, to := t.find(p)
	plan := Plan{Domain: domain, Rule: t.ruleFor(domain, to)}
	plan.Route, plan.Err = t.Lookup(ctx, p)
	if plan.Err != nil {
		return plan, ctx.Err()
	}
	for n, group := range plan.Route.Groups {
		for _, h := range group {
			addresses, err := t.Addresses(ctx, h)
			plan.Hosts = append(plan.Hosts, PlannedHost{Host: h, Group: n, Addresses: addresses, Err: err})
		}
	}
	return plan, ctx.Err()
}

// ruleFor returns the domain by which a rule is found.
func (t *Table) ruleFor(domain string, to *target) string {
	if to == nil {
		return ""
	}
	if to == t.fallback {
		if to.any {
			return "*"
		}
		return ""
	}
	best := ""
	for name, other := range t.domains {
		if other == to && len(name) > len(best) && covers(name, domain) {
			best = name
		}
	}
	return best
}

// covers tells whether the domain of a rule, "example.org" or ".example.org", is
// about a domain.
func covers(rule, domain string) bool {
	if rule == domain {
		return true
	}
	return rule[0] == '.' && len(domain) > len(rule) && domain[len(domain)-len(rule):] == rule
}
