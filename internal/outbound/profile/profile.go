package profile

import (
	"net/netip"
	"strings"
)

// Limits are what an operator bears. What is zero is not limited by the profile.
type Limits struct {
	// Connections is how many may be open at once.
	Connections int
	// Pace is how many messages a second are sent at most.
	Pace float64
	// Messages is how many go over one connection.
	Messages int
	// Recipients is how many are named in one transaction.
	Recipients int
}

// Profile is one destination as its operator sees it.
type Profile struct {
	// Name is what the destination is called, in lower case.
	Name string
	// Hosts are the names of its mail exchangers, and Domains those of the
	// recipients whose mail goes there: "example.net" is that name alone,
	// ".example.net" are all names below it.
	Hosts, Domains []string
	Limits
	// Configured is set where the operator has set it up. What is built in never
	// allows more than the configuration does.
	Configured bool
	// Sources are the addresses that connections are made from, in place of those
	// for all.
	Sources []netip.Addr
}

// Set is profiles by the names that they are about. It is not changed, and may
// be read by many goroutines. The nil set is empty.
type Set struct {
	hosts, domains map[string]*Profile
	all            []*Profile
}

// New returns a set of profiles. Of those that are about the same name the first
// one counts.
func New(profiles ...Profile) *Set {
	s := &Set{hosts: make(map[string]*Profile), domains: make(map[string]*Profile)}
	for i := range profiles {
		p := &profiles[i]
		s.all = append(s.all, p)
		add(s.hosts, p.Hosts, p)
		add(s.domains, p.Domains, p)
	}
	return s
}

func add(to map[string]*Profile, names []string, p *Profile) {
	for _, name := range names {
		name = strings.ToLower(name)
		if to[name] == nil {
			to[name] = p
		}
	}
}

// All returns the profiles in their order.
func (s *Set) All() []*Profile {
	if s == nil {
		return nil
	}
	return s.all
}

// Find returns the profile for mail to a domain that goes to the given hosts, or
// nil. The domain's own goes first. Of the hosts each must be of the same
// profile: who has a server of his own beside those of a provider is another
// destination. Names are in lower case.
func (s *Set) Find(domain string, hosts []string) *Profile {
	if s == nil {
		return nil
	}
	if p := find(s.domains, domain); p != nil {
		return p
	}
	var all *Profile
	for i, host := range hosts {
		p := find(s.hosts, host)
		if p == nil || i > 0 && p != all {
			return nil
		}
		all = p
	}
	return all
}

// find looks a name up, and then what it is below, the nearest first.
func find(in map[string]*Profile, name string) *Profile {
	if len(in) == 0 || name == "" {
		return nil
	}
	if p := in[name]; p != nil {
		return p
	}
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		if p := in[name[i:]]; p != nil {
			return p
		}
	}
	return nil
}
