package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkDestinations looks at where mail goes.
func checkDestinations(d *decoder, c *Config) {
	if !c.IsZero() && c.Deliver == DeliverDirect {
		d.wrong("deliver", d.setOf("next_hop", "smarthost")+" takes all mail, so none is left to deliver directly", "remove one of the two")
	}
	if len(c.Fallback) > 0 && c.IsZero() && c.Deliver == DeliverHold {
		d.wrong("fallback", "there is nothing before it that it could take the place of", `set next_hop, smarthost, or deliver = "direct"`)
	}
	if c.IsZero() && c.Deliver == DeliverHold && !c.Dev && !d.broken && !d.faulty("smarthost") && !coversAll(c.Routes) {
		d.doubt("next_hop", heldWarning(c), `set next_hop or smarthost, or deliver = "direct"`)
	}
	seen := map[string]int{}
	for i, r := range c.Routes {
		checkRoute(d, c, at("route", i), i, r, seen)
	}
	checkTLSPolicies(d, c)
	checkAcceptFor(d, c)
}

// checkTLSPolicies looks at what is asked of the hosts of single domains.
func checkTLSPolicies(d *decoder, c *Config) {
	seen := map[string]int{}
	for i, p := range c.TLSPolicies {
		key := at("tls_policy", i)
		if len(p.To) == 0 {
			d.lacks(key+".to", "the TLS policy names no domains", `write to = ["example.org"]`)
		}
		if p.TLS == "" {
			d.lacks(key+".tls", "the TLS policy says nothing", `write tls = "verified"`)
		}
		for k, to := range p.To {
			toKey := at(key+".to", k)
			switch err := checkPattern(to); {
			case err != nil:
				d.wrong(toKey, err.Error(), "")
			case to == "*":
				d.wrong(toKey, `a TLS policy for "*" is that of [delivery] tls`, "set that")
			}
			folded := strings.ToLower(to)
			if first, twice := seen[folded]; twice {
				d.wrong(toKey, fmt.Sprintf("%q is in TLS policy %d already", to, first+1), "")
			}
			seen[folded] = i
		}
	}
	checkTrust(d, c)
}

// checkTrust finds policies that ask for DANE where no resolver can prove anything.
func checkTrust(d *decoder, c *Config) {
	if c.DNS.Validating != ValidatingNo {
		return
	}
	asks := map[string]TLSPolicy{"delivery.tls": c.Delivery.TLS}
	for i := range c.Routes {
		asks[at("route", i)+".tls"] = c.Routes[i].TLS
	}
	for i := range c.TLSPolicies {
		asks[at("tls_policy", i)+".tls"] = c.TLSPolicies[i].TLS
	}
	for _, key := range slices.Sorted(maps.Keys(asks)) {
		if asks[key] == TLSDANE {
			d.wrong(key, `"dane" needs a resolver that checks signatures, and [dns] validating is "no"`, "")
		}
	}
}

// heldWarning says which mail will stay in the queue.
func heldWarning(c *Config) string {
	if len(c.Routes) > 0 {
		return "mail for domains without a [[route]] is kept in the queue, because nothing says where it goes"
	}
	return "mail is taken and kept in the queue, because nothing says where it goes"
}

// coversAll says whether a route takes what no other does.
func coversAll(routes []Route) bool {
	for _, r := range routes {
		for _, to := range r.Domains() {
			if to == "*" && len(r.From) == 0 {
				return true
			}
		}
	}
	return false
}

// Domains are those of a route, "*" where it names senders alone.
func (r *Route) Domains() []string {
	if len(r.To) == 0 && len(r.From) > 0 {
		return []string{"*"}
	}
	return r.To
}

// Senders are those of a route; "" stands for all.
func (r *Route) Senders() []string {
	if len(r.From) == 0 {
		return []string{""}
	}
	return r.From
}

// checkRoute looks at one route; seen holds the domains and senders of those
// before it.
func checkRoute(d *decoder, c *Config, key string, index int, r Route, seen map[string]int) {
	if len(r.To) == 0 && len(r.From) == 0 {
		d.lacks(key+".to", "the route names neither domains nor senders", `write to = ["example.org"], or from = ["example.org"]`)
	}
	if r.IsZero() {
		d.lacks(key+".next_hop", "the route names no server", `write next_hop = "smtp://host:25", or smarthost = "…"`)
	}
	for i, from := range r.From {
		if err := checkSender(from); err != nil {
			d.wrong(at(key+".from", i), err.Error(), hintOf(err))
		}
	}
	for i, to := range r.To {
		toKey := at(key+".to", i)
		if err := checkPattern(to); err != nil {
			d.wrong(toKey, err.Error(), "")
		}
		if to == "*" && len(r.From) == 0 && (!c.IsZero() || c.Deliver == DeliverDirect) {
			d.wrong(toKey, `the route to "*" and the top of the file both say where all other mail goes`, "remove "+d.setOf("next_hop", "smarthost", "deliver")+" at the top")
		}
	}
	checkTwice(d, key, index, r, seen)
}

// checkTwice finds what two routes, or one of them twice, would decide.
func checkTwice(d *decoder, key string, index int, r Route, seen map[string]int) {
	for i, to := range r.Domains() {
		for k, from := range r.Senders() {
			name := strings.ToLower(to + "\n" + from)
			first, twice := seen[name]
			seen[name] = index
			switch {
			case !twice:
			case from == "":
				d.wrong(at(key+".to", i), fmt.Sprintf("%q is in route %d already", to, first+1), "")
			default:
				d.wrong(at(key+".from", k), fmt.Sprintf("%q to %q is in route %d already", from, to, first+1), "")
			}
		}
	}
}

// checkSender holds a sender of a route to its forms.
func checkSender(s string) error {
	switch local, domain, address := strings.Cut(s, "@"); {
	case s == "<>":
		return nil
	case s == "*":
		return hint{errors.New(`a route without from is for all senders`), "leave it out"}
	case address && local == "":
		return hint{fmt.Errorf("%q: all of a domain are written without the @", s), fmt.Sprintf("write %q", domain)}
	case address && (strings.ContainsAny(local, " <>,") || strings.HasPrefix(domain, ".")):
		return fmt.Errorf("%q is no address", s)
	case address:
		return checkDomain(domain)
	}
	return checkPattern(s)
}

// checkHops looks at the servers of a route or of the top. A policy of their
// own has to fit them; the general one is only a wish.
func checkHops(d *decoder, c *Config, key string, hops []NextHop, policy TLSPolicy, own bool) {
	for i, h := range hops {
		hopKey := at(key, i)
		switch {
		case h.Socket != "" && own && (policy == TLSEncrypted || policy == TLSVerified || policy == TLSDANE):
			d.wrong(hopKey, "a Unix socket has no TLS, which the route asks for", `write tls = "off"`)
		case h.Implicit && own && policy == TLSOff:
			d.wrong(hopKey, "smtps is TLS from the first byte, which the route turns off", "write smtp://")
		case h.Port == 465 && !h.Implicit:
			d.doubt(hopKey, "servers speak TLS from the first byte on port 465", "write smtps://"+h.Address())
		case h.Implicit && (h.Port == 25 || h.Port == 587):
			d.doubt(hopKey, fmt.Sprintf("servers begin in plain text on port %d", h.Port), "write smtp://"+h.Address())
		}
		if h.Socket == "" {
			checkNotSelf(d, c, hopKey, h.Address())
			continue
		}
		if err := checkSocket(h.Socket); err != nil {
			d.wrong(hopKey, err.Error(), "")
		}
		checkNotSelf(d, c, hopKey, "unix:"+h.Socket)
	}
}

// checkNotSelf finds the shortest of all mail loops.
func checkNotSelf(d *decoder, c *Config, key, address string) {
	address = strings.Replace(address, "localhost:", "127.0.0.1:", 1)
	for _, l := range c.Listeners {
		own := strings.Replace(l.Address, "localhost:", "127.0.0.1:", 1)
		if strings.HasPrefix(own, ":") {
			own = "127.0.0.1" + own
		}
		if own == address {
			d.wrong(key, fmt.Sprintf("this is the listener %q of this relay: mail would go in a circle", l.Label()), "")
		}
	}
}

// checkAcceptFor looks at the domains that strangers may send to.
func checkAcceptFor(d *decoder, c *Config) {
	for i, domain := range c.AcceptFor {
		key := at("accept_for", i)
		if domain == "*" {
			d.wrong(key, "to take mail from anyone to anywhere makes an open relay", "name the domains")
			continue
		}
		if err := checkPattern(domain); err != nil {
			d.wrong(key, err.Error(), "")
			continue
		}
		if c.Deliver == DeliverDirect && !routed(c.Routes, domain) {
			d.doubt(key, fmt.Sprintf("no [[route]] says where mail for %s goes: the DNS is asked, and may name this relay", domain),
				fmt.Sprintf("add a [[route]] with to = [%q]", domain))
		}
	}
}

// routed says whether a route covers a domain or all names below one.
func routed(routes []Route, domain string) bool {
	for _, r := range routes {
		for _, to := range r.Domains() {
			if to == "*" || strings.EqualFold(to, domain) || strings.HasPrefix(to, ".") && hasSuffixFold(domain, to) {
				return true
			}
		}
	}
	return false
}

func hasSuffixFold(s, suffix string) bool {
	return strings.HasSuffix(strings.ToLower(s), strings.ToLower(suffix))
}

// checkPattern holds a domain of a route to its forms: a name, ".name", "*".
func checkPattern(s string) error {
	if s == "*" {
		return nil
	}
	if strings.Contains(s, "@") {
		return fmt.Errorf("%q is an address: write the domain alone", s)
	}
	if rest, ok := strings.CutPrefix(s, "*."); ok {
		return fmt.Errorf("%q: names below a domain are written %q", s, "."+rest)
	}
	return checkDomain(strings.TrimPrefix(s, "."))
}
