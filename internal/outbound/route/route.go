package route

import (
	"crypto/tls"
	"net/netip"

	"github.com/weirmail/weir/internal/outbound/dane"
	"github.com/weirmail/weir/internal/outbound/profile"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtpclient"
)

// Route is where mail for a domain goes. It is shared and must not be changed.
type Route struct {
	// Lane names the destination: routes that lead to the same hosts by the
	// same rules have the same. Next hops of the configuration are written as
	// there; hosts that the DNS names are a sorted list of names. The two never
	// meet, so that nobody's record borrows a connection to a host that only
	// the operator may name. Hosts of one operator, as a profile knows them, are
	// named by that: "@google".
	Lane string
	// Source is where the connections come from.
	Source Source
	// Profile says what the destination bears, as far as that is known before the
	// first connection; nil where nothing is.
	Profile *profile.Profile
	// Groups are the hosts in the order in which they are tried. Those of one
	// group are equals, between whom the load is spread.
	Groups [][]Host
	// Backup is the index of the first group that is tried only when none of those
	// before it takes the session; len(Groups) where there is no such group.
	Backup int
	// TLS is what the hosts have to speak.
	TLS TLSPolicy
	// Protected is set where the hosts have to offer REQUIRETLS as well.
	Protected bool
	// Final is set where the hosts are the last stop, which is so for LMTP:
	// the Return-Path field is added (RFC 5321 section 4.4).
	Final bool
	// Asked is what the domain whose records name the hosts asks of its senders;
	// nil where the operator names them.
	Asked *Asked

	shared  bool   // see Has
	stop    *Error // why no host may have the mail
	relaxed *Route // in spite of what the domain asks; nil where that is the same
}

// Has tells whether a connection to a host of the given name may carry mail of
// the route. A lane is shared by routes to different hosts of one operator, who
// may treat them differently; a connection is not.
func (r *Route) Has(host string) bool {
	if !r.shared {
		return true
	}
	for _, group := range r.Groups {
		for i := range group {
			if group[i].Name == host {
				return true
			}
		}
	}
	return false
}

// PolicyFor returns what a host of the route has to speak.
func (r *Route) PolicyFor(h *Host) TLSPolicy {
	if h.TLS != nil && !r.Protected {
		return h.TLS.asked()
	}
	return r.TLS
}

// HasChoice tells that there is more than one host.
func (r *Route) HasChoice() bool {
	return len(r.Groups) > 1 || len(r.Groups) == 1 && len(r.Groups[0]) > 1
}

// Shared tells that the lane is for routes to different hosts.
func (r *Route) Shared() bool { return r.shared }

// Protect returns the route for mail that has to travel protected (RFC 8689): to
// the same hosts, whose certificates have to be valid whatever the policy asks,
// in a lane of its own.
func (r *Route) Protect() *Route {
	p := *r
	p.TLS, p.Protected = TLSVerified, true
	p.Lane += " requiretls"
	return &p
}

// Protocol is what a host speaks.
type Protocol uint8

// The protocols.
const (
	SMTP Protocol = iota // RFC 5321
	LMTP                 // RFC 2033
)

// TLSPolicy says what TLS the hosts of a route have to speak.
type TLSPolicy uint8

// The policies.
const (
	TLSOff           TLSPolicy = iota // none
	TLSOpportunistic                  // where it is offered
	TLSEncrypted                      // always, whatever the certificate
	TLSVerified                       // always, with a valid certificate for the host
	TLSDANE                           // always, with TLSA records for the host

	// TLSAuto is where it is offered, and what the domain of the recipient asks for
	// beyond that. It is the policy of rules, never of a route.
	TLSAuto
)

// String returns the policy as the configuration writes it.
func (p TLSPolicy) String() string {
	switch p {
	case TLSOff:
		return "off"
	case TLSOpportunistic:
		return "opportunistic"
	case TLSEncrypted:
		return "encrypted"
	case TLSVerified:
		return "verified"
	case TLSDANE:
		return "dane"
	case TLSAuto:
		return "auto"
	}
	return "invalid"
}

// Host is one host of a route: a name or an IP address and a port, or a Unix
// socket.
type Host struct {
	Protocol Protocol
	// Implicit is TLS from the first byte (RFC 8314).
	Implicit bool
	// Name is the host name or the IP address without brackets; empty with
	// Socket.
	Name string
	Port uint16 // unused with Socket
	// Socket is the path of a Unix socket.
	Socket string
	// Inside is set for a server within this program.
	Inside bool
	// Preference is that of the MX record that names the host, 0 where there is
	// none (RFC 5321 section 5.1).
	Preference uint16
	// TLSConfig is what a handshake with the host is made with; nil is as usual.
	TLSConfig *tls.Config
	// Login signs in to the host; nil does without.
	Login *smtpclient.Login
	// TLS is what this host has to speak in place of what the route says; nil
	// where that holds.
	TLS *TLSPolicy

	// DANE is set where the host has TLSA records (RFC 7672), or may have some.
	DANE bool
	// STS is set where an MTA-STS policy names the host and is to be enforced: its
	// certificate has to be valid (RFC 8461 section 4.1).
	STS bool

	// unproven is set where anybody may have named the host who can forge an answer
	// of the DNS.
	unproven bool
	// foreign is set where a stranger names the host, by a record in the DNS
	// or as the domain of an address. It then must not lead to this machine,
	// and where it does not exist that is not the operator's mistake.
	foreign bool
}

// String returns what a person calls the host: its name, its IP address, or
// the path of its socket.
func (h Host) String() string {
	if h.Socket != "" {
		return h.Socket
	}
	return h.Name
}

// Address is one address of a host.
type Address struct {
	// Network and Addr are as for net.Dial.
	Network, Addr string
	// Host is the name for TLS and for the log.
	Host string
	// DANE is what the DNS says of the certificate; nil where it says nothing.
	DANE *dane.Policy
}

// IsLocal tells that nothing leaves this machine by an address of the host: that of
// a server within this program, a Unix socket, or the store of mailboxes on
// loopback. What another server on loopback relays does leave.
func (h Host) IsLocal(a Address) bool {
	if h.Inside || a.Network == "unix" {
		return true
	}
	addr, err := netip.ParseAddrPort(a.Addr)
	return err == nil && h.Protocol == LMTP && addr.Addr().IsLoopback()
}

// Error says that there is no way for a forward-path, or to a host.
type Error struct {
	// Permanent is set where trying again is of no use.
	Permanent bool
	// Status is the enhanced status code without its class.
	Status reply.Status
	// Reason is the primary cause, one word of the vocabulary of verdicts.
	Reason string
	// Err says what is wrong, in a sentence that the sender may read.
	Err error
}

// Error returns what is wrong.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }
