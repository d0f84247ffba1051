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
	// the default. From is the sender of the rule; empty where it is for all.
	Rule, From string
	// Route is the way; nil where there is none, and Err says why.
	Route *Route
	Err   error
	// TLS is the policy of the rule, or of the override for the domain.
	TLS TLSPolicy
	// Overridden tells that it is of the latter.
	Overridden bool
	// Hosts are those of the route in the order in which they are tried. Those
	// of the same preference are tried in an order that each attempt draws anew.
	Hosts []PlannedHost
}

// PlannedHost is a host of a [Plan].
type PlannedHost struct {
	Host
	// Group is the index of the group of equals to which it belongs, and Backup
	// tells that it is tried only when none of those before it takes the session.
	Group  int
	Backup bool
	// Addresses are what it is reached by; none where Err says why.
	Addresses []Address
	Err       error
}

// Plan finds out what would be done with mail from a reverse-path to a forward-path, and asks the
// DNS for that as a delivery would. Nobody is connected to. The error is that of
// the context; what is wrong with the way is in the plan.
func (t *Table) Plan(ctx context.Context, from, p smtp.Path) (Plan, error) {
	domain, c := t.find(from, p)
	plan := Plan{Domain: domain}
	if c != nil {
		plan.Rule, plan.From = c.domain, c.from
		plan.TLS = t.policyFor(domain, c.to.tls)
		plan.Overridden = plan.TLS != c.to.tls
	}
	plan.Route, plan.Err = t.Lookup(ctx, from, p)
	if plan.Err != nil {
		return plan, ctx.Err()
	}
	if plan.Route.stop != nil {
		plan.Err = plan.Route.stop
	}
	for n, group := range plan.Route.Groups {
		for _, h := range group {
			addresses, err := t.Addresses(ctx, h)
			plan.Hosts = append(plan.Hosts, PlannedHost{Host: h, Group: n, Backup: n >= plan.Route.Backup, Addresses: addresses, Err: err})
		}
	}
	return plan, ctx.Err()
}
