package config

import (
	"fmt"
	"strings"
)

// checkDestinations looks at where mail goes.
func checkDestinations(d *decoder, c *Config) {
	if len(c.NextHop) > 0 && c.Deliver == DeliverDirect {
		d.wrong("deliver", "next_hop takes all mail, so none is left to deliver directly", "remove one of the two")
	}
	if len(c.NextHop) == 0 && c.Deliver == DeliverHold && !c.Dev && !d.broken && !coversAll(c.Routes) {
		d.doubt("next_hop", heldWarning(c), `set next_hop, or deliver = "direct"`)
	}
	checkHops(d, c, "next_hop", c.NextHop, c.Delivery.TLS, false)
	seen := map[string]int{}
	for i, r := range c.Routes {
		checkRoute(d, c, at("route", i), i, r, seen)
	}
	checkAcceptFor(d, c)
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
		for _, to := range r.To {
			if to == "*" {
				return true
			}
		}
	}
	return false
}

// checkRoute looks at one route; seen holds the domains of those before it.
func checkRoute(d *decoder, c *Config, key string, index int, r Route, seen map[string]int) {
	if len(r.To) == 0 {
		d.lacks(key+".to", "the route names no domains", `write to = ["example.org"]`)
	}
	if len(r.NextHop) == 0 {
		d.lacks(key+".next_hop", "the route names no server", `write next_hop = "smtp://host:25"`)
	}
	for i, to := range r.To {
		toKey := at(key+".to", i)
		if err := checkPattern(to); err != nil {
			d.wrong(toKey, err.Error(), "")
		}
		folded := strings.ToLower(to)
		if first, twice := seen[folded]; twice {
			d.wrong(toKey, fmt.Sprintf("%q is in route %d already", to, first+1), "")
		}
		if to == "*" && (len(c.NextHop) > 0 || c.Deliver == DeliverDirect) {
			d.wrong(toKey, `the route to "*" and the top of the file both say where all other mail goes`, "remove next_hop and deliver at the top")
		}
		seen[folded] = index
	}
	policy, own := c.Delivery.TLS, r.TLS != ""
	if own {
		policy = r.TLS
	}
	checkHops(d, c, key+".next_hop", r.NextHop, policy, own)
}

// checkHops looks at the servers of a route or of the top. A policy of their
// own has to fit them; the general one is only a wish.
func checkHops(d *decoder, c *Config, key string, hops []NextHop, policy TLSPolicy, own bool) {
	for i, h := range hops {
		hopKey := at(key, i)
		switch {
		case h.Socket != "" && own && (policy == TLSEncrypted || policy == TLSVerified):
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
		for _, to := range r.To {
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
