package api

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Route is what would be done with mail for an address or a domain.
type Route struct {
	// To is what was asked for, Domain the domain of it as the DNS has it.
	To     string `json:"to"`
	Domain string `json:"domain"`
	// Rule is what decides, in the words of the configuration.
	Rule string `json:"rule"`
	// Direct is set where the DNS names the hosts.
	Direct bool `json:"direct"`
	// Lane is the name of the lane; absent where there is no way.
	Lane string `json:"lane,omitempty"`
	// TLS is what the hosts have to speak.
	TLS RouteTLS `json:"tls"`
	// DNSSEC is [DNSSECSecure] where the records that name the hosts are signed
	// and valid, [DNSSECInsecure] where they are not signed, and
	// [DNSSECUnchecked] where no resolver is trusted to say so. It is absent where
	// the DNS has no say.
	DNSSEC string `json:"dnssec,omitempty"`
	// MTASTS is the policy of the domain; absent where nobody asked for one.
	MTASTS *MTASTS `json:"mta_sts,omitempty"`
	// Hosts are tried in this order.
	Hosts []RouteHost `json:"hosts"`
	// Problem is why there is no way; absent where there is one.
	Problem *RouteProblem `json:"problem,omitempty"`
}

// The states of an answer of the DNS (RFC 4035 section 4.3).
const (
	DNSSECSecure    = "secure"
	DNSSECInsecure  = "insecure"
	DNSSECUnchecked = "unchecked"
)

// RouteTLS is the TLS that is asked of hosts.
type RouteTLS struct {
	// Policy is in the words of the configuration.
	Policy string `json:"policy"`
	// Source is where it is from: a key of the configuration, "MTA-STS" or "DANE".
	Source string `json:"source"`
}

// MTASTS is the policy of a domain (RFC 8461).
type MTASTS struct {
	// Mode is "enforce", "testing" or "none"; absent where there is no policy.
	Mode string `json:"mode,omitempty"`
	// ID is that of the record.
	ID string `json:"id,omitempty"`
	// MX are the patterns for the names of the hosts.
	MX []string `json:"mx,omitempty"`
	// Fetched is when the policy was fetched, and Expires when it is not used any
	// more.
	Fetched time.Time `json:"fetched,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
	// Problem is why there is no policy, or no fresh one, though the domain has a
	// record that says that there is.
	Problem string `json:"problem,omitempty"`
}

// RouteHost is one host of a route.
type RouteHost struct {
	// Name is its name, its IP address, or the path of its socket.
	Name string `json:"name"`
	// Protocol is "smtp", "smtps" or "lmtp".
	Protocol string `json:"protocol"`
	Port     uint16 `json:"port,omitempty"`
	// Group counts the groups of equals from 1; within one the order is drawn
	// anew for each attempt.
	Group int `json:"group"`
	// Preference is that of its MX record; absent where it has none.
	Preference *uint16 `json:"preference,omitempty"`
	// Addresses are what it is reached by.
	Addresses []string `json:"addresses"`
	// TLS is what is asked of this host.
	TLS RouteTLS `json:"tls"`
	// SignsInAs is whom the relay signs in to the host as; absent where it does
	// not.
	SignsInAs string `json:"signs_in_as,omitempty"`
	// Fallback is set where the host is tried only when none of those before it
	// takes the session.
	Fallback bool `json:"fallback,omitempty"`
	// DANE are the TLSA records of the host that can be used (RFC 7672).
	DANE []string `json:"dane,omitempty"`
	// Note says what else matters in words.
	Note string `json:"note,omitempty"`
	// Excluded is why the host is not tried; absent where it is.
	Excluded string `json:"excluded,omitempty"`
	// Problem is what would keep mail from the host.
	Problem *RouteProblem `json:"problem,omitempty"`
}

// RouteProblem is what would stop mail.
type RouteProblem struct {
	// Text says it in words.
	Text string `json:"text"`
	// Permanent is set where mail would go back to its sender.
	Permanent bool `json:"permanent"`
	// Status is the enhanced status code, and Reason the word for the cause.
	Status string `json:"status,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Route returns what would be done with mail for an address or a domain, by what
// the relay knows now; from is its sender, and empty for the null one. Nothing is
// sent.
func (c *Client) Route(ctx context.Context, from, to string) (Route, error) {
	var r Route
	query := url.Values{"to": {to}}
	if from != "" {
		query.Set("from", from)
	}
	err := c.call(ctx, http.MethodGet, "/v1/route?"+query.Encode(), nil, &r)
	return r, err
}
