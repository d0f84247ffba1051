package route

import (
	"net"
	"slices"
	"strconv"
	"strings"
)

// target is where a rule leads.
type target struct {
	hops []NextHop // none where the domain's own records name the hosts
	// backup are tried when none of the hosts takes the session.
	backup []NextHop
	name   string // of the hops, for lanes
	tls    TLSPolicy
	// fixed is the route where no record of the DNS has a say in it, which isFixed
	// tells.
	fixed   *Route
	isFixed bool
}

func newTarget(hops, backup []NextHop, tls TLSPolicy) *target {
	to := &target{hops: hops, backup: backup, tls: tls, isFixed: len(hops) > 0}
	sockets := true
	for i := range hops {
		sockets = sockets && hops[i].Socket != ""
		to.isFixed = to.isFixed && !hops[i].MX
	}
	for i := range backup {
		to.isFixed = to.isFixed && !backup[i].MX
	}
	if sockets && to.isFixed && len(backup) == 0 {
		to.tls = TLSOff // what never leaves the machine needs none
	}
	to.name = names(hops)
	if len(hops) > 0 && len(backup) > 0 {
		to.name += " else " + names(backup)
	}
	return to
}

// names are next hops as the name of a lane has them.
func names(hops []NextHop) string {
	all := make([]string, len(hops))
	for i := range hops {
		all[i] = hops[i].String()
		if l := hops[i].Login; l != nil {
			all[i] += " as " + l.Username
		}
		if hops[i].TLSName != "" {
			all[i] += " with " + hops[i].TLSName
		}
	}
	return strings.Join(all, ", ")
}

// cacheKey is what the route of a domain is kept by: that of next hops holds for
// each domain of the rule.
func (to *target) cacheKey(domain string) cacheKey {
	if len(to.hops) == 0 {
		return cacheKey{domain, to}
	}
	return cacheKey{"", to}
}

// cacheKey is a domain and where its mail goes, which may depend on the sender.
type cacheKey struct {
	domain string
	to     *target
}

// all are the next hops, and then those that take their place.
func (to *target) all() []NextHop {
	if len(to.backup) == 0 {
		return to.hops
	}
	return append(append([]NextHop(nil), to.hops...), to.backup...)
}

// route returns the route by the next hops, with the groups of hosts that were
// found for those whose hosts the DNS names, by their index.
func (to *target) route(found map[int][][]Host) *Route {
	r := &Route{TLS: to.tls.asked(), Final: true}
	for i, h := range to.all() {
		if i == len(to.hops) {
			r.Backup = len(r.Groups)
		}
		r.Final = r.Final && h.Protocol == LMTP
		if h.MX {
			r.Groups = append(r.Groups, found[i]...)
			continue
		}
		host := h.host()
		host.DANE = h.policy(to.tls) == TLSDANE
		r.Groups = append(r.Groups, []Host{host})
	}
	if len(to.backup) == 0 {
		r.Backup = len(r.Groups)
	}
	return r
}

// host is the host of a next hop without MX.
func (h *NextHop) host() Host {
	return Host{Protocol: h.Protocol, Implicit: h.Implicit, Name: h.Host, Port: h.Port, Socket: h.Socket, Inside: h.Inside, Login: h.Login, TLS: h.TLS, TLSConfig: h.TLSConfig}
}

// policy is that of the next hop, where the rule has the given one.
func (h *NextHop) policy(rule TLSPolicy) TLSPolicy {
	if h.TLS != nil {
		return *h.TLS
	}
	return rule
}

// String returns the next hop as the configuration writes it.
func (h NextHop) String() string {
	scheme := "smtp"
	switch {
	case h.Socket != "":
		return "lmtp+unix:" + h.Socket
	case h.MX:
		scheme = "smtp+mx"
	case h.Protocol == LMTP:
		scheme = "lmtp"
	case h.Implicit:
		scheme = "smtps"
	}
	return scheme + "://" + hostPort(h.Host, h.Port)
}

func hostPort(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// direct is the route to hosts that the DNS names, or that a domain is. Their
// preferences are no part of the lane: domains that share their hosts share it,
// whichever of them they prefer.
func (t *Table) direct(domain string, groups [][]Host, to *target, tls TLSPolicy) *Route {
	var names, shown []string
	for _, group := range groups {
		for _, h := range group {
			names = append(names, h.Name)
			shown = append(shown, h.shown())
		}
	}
	r := &Route{Groups: groups, Backup: len(groups), TLS: tls.asked(), Profile: t.options.Profiles.Find(domain, names)}
	for i := range to.backup {
		r.Groups = append(r.Groups, []Host{to.backup[i].host()})
	}
	destination := ""
	if r.Profile != nil {
		destination, r.shared = providerName(r.Profile.Name), true
	}
	t.name(r, destination, shown)
	return r
}

// shown is a host that the DNS names, as lanes have it.
func (h Host) shown() string {
	if h.Port == smtpPort {
		return h.Name
	}
	return hostPort(h.Name, h.Port)
}

// routeOf is the route by the next hops of a rule, with what was found for those
// whose hosts the DNS names.
func (t *Table) routeOf(to *target, found map[int][][]Host) *Route {
	r := to.route(found)
	var names []string
	for _, group := range r.Groups[:r.Backup] {
		for _, h := range group {
			names = append(names, h.Name)
		}
	}
	r.Profile = t.options.Profiles.Find("", names)
	t.name(r, to.name, nil)
	return r
}

// name gives a route its source and its lane: to a destination that has a name,
// or else to the hosts.
func (t *Table) name(r *Route, destination string, hosts []string) {
	policy := r.laneTLS()
	named := func(source string) string {
		if destination != "" {
			return laneName(source, policy, destination)
		}
		return LaneName(source, policy, hosts)
	}
	sources := t.sources
	if r.Profile != nil && len(r.Profile.Sources) > 0 {
		sources = newPool(r.Profile.Sources)
	}
	r.Lane = named("")
	r.Source = sources.choose(r.Lane)
	if sources.choice() {
		r.Lane = named(r.Source.String())
	}
}

// laneTLS is what the name of a lane says of TLS: connections are shared only
// where the same is asked of them. The usual policy goes without saying.
func (r *Route) laneTLS() string {
	var words []string
	if r.TLS != TLSOpportunistic {
		words = append(words, r.TLS.String())
	}
	for _, group := range r.Groups {
		for i := range group {
			if h := &group[i]; h.DANE && r.TLS != TLSDANE {
				words = append(words, "dane")
			} else if h.STS {
				words = append(words, "mta-sts")
			}
		}
	}
	if len(words) == 0 {
		return ""
	}
	slices.Sort(words)
	return "tls=" + strings.Join(slices.Compact(words), "+")
}

// asked is the policy of a route by that of its rule.
func (p TLSPolicy) asked() TLSPolicy {
	if p == TLSAuto {
		return TLSOpportunistic
	}
	return p
}
