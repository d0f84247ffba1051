package route

import (
	"context"
	"fmt"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// noRoute is for mail that nothing says the way of.
func noRoute(domain string) error {
	return &Error{
		Status: reply.NewStatus(4, 4), Reason: "local-error",
		Err: fmt.Errorf("no route: nothing says where mail for %s goes: set next_hop, a [[route]], or deliver = \"direct\"; it waits in the queue", domain),
	}
}

// noDomain is for an address without a domain that is not the bare Postmaster.
func noDomain(p smtp.Path) error {
	return &Error{
		Permanent: true, Status: reply.NewStatus(1, 3), Reason: "address-syntax",
		Err: fmt.Errorf("the address %s names no domain", p),
	}
}

func noSuchDomain(domain, why string) error {
	return &Error{
		Permanent: true, Status: reply.NewStatus(1, 2), Reason: "domain-not-found",
		Err: fmt.Errorf("no mail can be sent to the domain %s: %s", domain, why),
	}
}

func nullMX(domain string) error {
	return &Error{
		Permanent: true, Status: reply.NewStatus(1, 10), Reason: "domain-no-mail",
		Err: fmt.Errorf("the domain %s takes no mail: it has a null MX record (RFC 7505)", domain),
	}
}

// loop is for what leads back to this relay.
func loop(err error) error {
	return &Error{Permanent: true, Status: reply.NewStatus(4, 6), Reason: "routing-loop", Err: err}
}

// unroutable is for records that are there and lead nowhere.
func unroutable(err error) error {
	return &Error{Permanent: true, Status: reply.NewStatus(4, 4), Reason: "domain-not-found", Err: err}
}

// later is the error for what the DNS could not say now.
func later(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Error{Status: reply.NewStatus(4, 3), Reason: "dns-problem", Err: err}
}
