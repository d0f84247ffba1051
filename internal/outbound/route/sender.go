package route

import (
	"strings"

	"github.com/weirmail/weir/smtp"
)

// rules are those for one domain of recipients: for single senders, and for all
// others.
type rules struct {
	from map[string]*choice // by "news@example.org", "example.org", ".example.org", "<>"
	all  *choice            // nil where there is no rule for all others
}

// choice is what a rule decides.
type choice struct {
	to *target
	// domain and from are the parts of the rule that decide, as it has them; empty
	// for the default, and for all senders.
	domain, from string
}

// add takes over a rule. The first one for a sender counts.
func (r *rules) add(domain string, from []string, to *target) {
	if len(from) == 0 {
		// The default of the table gives way.
		if r.all == nil || r.all.domain == "" {
			r.all = &choice{to: to, domain: pattern(domain)}
		}
		return
	}
	if r.from == nil {
		r.from = make(map[string]*choice)
	}
	for _, f := range from {
		name := senderPattern(f)
		if r.from[name] == nil {
			r.from[name] = &choice{to: to, domain: pattern(domain), from: name}
		}
	}
}

// senderPattern is a sender of a rule as the table has it.
func senderPattern(f string) string {
	if f == nullSender {
		return f
	}
	if at := strings.LastIndexByte(f, '@'); at >= 0 {
		return strings.ToLower(f[:at+1]) + key(f[at+1:])
	}
	return pattern(f)
}

// nullSender is the null reverse-path in a rule.
const nullSender = "<>"

// sender is a reverse-path that is looked for. Its names are made once, and only
// where there are rules for senders.
type sender struct {
	path            smtp.Path
	address, domain string
}

// names makes the names.
func (s *sender) names() {
	switch {
	case s.address != "":
	case s.path.IsNull():
		s.address = nullSender
	default:
		s.domain = key(s.path.Domain)
		s.address = strings.ToLower(s.path.Local) + "@" + s.domain
	}
}

// pick returns the most specific choice for a sender: the address before its
// domain before those that it is below, and the rule for all others last; nil
// where there is none.
func (r *rules) pick(s *sender) *choice {
	if r == nil {
		return nil
	}
	if len(r.from) == 0 {
		return r.all
	}
	s.names()
	if c := r.from[s.address]; c != nil {
		return c
	}
	if c := r.from[s.domain]; c != nil && s.domain != "" {
		return c
	}
	for i := range len(s.domain) {
		if s.domain[i] != '.' {
			continue
		}
		if c := r.from[s.domain[i:]]; c != nil {
			return c
		}
	}
	return r.all
}
