package config

import (
	"cmp"
	"slices"
	"strings"
)

// RouteLine is what is decided for some mail.
type RouteLine struct {
	// To is the domain of the recipients, "*" for all; From the sender, empty for
	// all.
	To   string `json:"to"`
	From string `json:"from,omitempty"`
	// Servers are where the mail goes, as they are written; Fallback those that
	// are tried after them.
	Servers  []string `json:"servers"`
	Fallback []string `json:"fallback,omitempty"`
}

// RouteLines returns what is decided for all mail, in the order in which it is
// looked through: the first line that fits holds. The last is for all that no
// [[route]] is about.
func (c *Config) RouteLines() []RouteLine {
	var all []RouteLine
	covered := false
	for i := range c.Routes {
		r := &c.Routes[i]
		for _, to := range r.Domains() {
			for _, from := range r.Senders() {
				all = append(all, RouteLine{To: to, From: from, Servers: r.Server.shown(), Fallback: shownFallback(r.Fallback)})
				covered = covered || to == "*" && from == ""
			}
		}
	}
	slices.SortStableFunc(all, func(a, b RouteLine) int {
		return cmp.Or(comparePatterns(a.To, b.To), compareSenders(a.From, b.From))
	})
	if covered {
		return all
	}
	rest := RouteLine{To: "*", Servers: c.Server.shown(), Fallback: shownFallback(c.Fallback)}
	switch {
	case !c.IsZero():
	case c.Deliver == DeliverDirect:
		rest.Servers = []string{"the hosts that the DNS names"}
	case c.Dev:
		rest.Servers = []string{"the inbox"}
	default:
		rest.Servers = []string{"the queue, until something says where it goes"}
	}
	return append(all, rest)
}

// comparePatterns puts names before what is below names, the nearest of those
// first, and "*" last.
func comparePatterns(a, b string) int {
	kind := func(s string) int {
		switch {
		case s == "*":
			return 2
		case strings.HasPrefix(s, "."):
			return 1
		}
		return 0
	}
	return cmp.Or(kind(a)-kind(b), strings.Count(b, ".")-strings.Count(a, "."), strings.Compare(strings.ToLower(a), strings.ToLower(b)))
}

// compareSenders puts addresses first, then the empty sender, then domains, and
// all others last.
func compareSenders(a, b string) int {
	kind := func(s string) int {
		switch {
		case s == "":
			return 3
		case strings.Contains(s, "@"):
			return 0
		case s == "<>":
			return 1
		}
		return 2
	}
	return cmp.Or(kind(a)-kind(b), comparePatterns(a, b))
}

// shown are the servers as they are written, with whom the relay signs in as.
func (s *Server) shown() []string {
	as := ""
	if s.SignsIn() {
		as = " as " + s.SignsInAs()
	}
	if s.Smarthost != "" {
		return []string{string(s.Smarthost) + as}
	}
	var all []string
	for _, h := range s.NextHop {
		all = append(all, h.String()+as)
	}
	return all
}

func shownFallback(list []Fallback) (all []string) {
	for i := range list {
		all = append(all, list[i].shown()...)
	}
	return all
}
