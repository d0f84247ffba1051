package mtasts

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weirmail/weir/internal/dns"
)

// Mode says what follows from a policy (RFC 8461 section 5).
type Mode string

// The modes.
const (
	Enforce Mode = "enforce" // what does not fit gets no mail
	Testing Mode = "testing" // what does not fit is reported only
	None    Mode = "none"    // there is no policy any more
)

// The bounds on a policy.
const (
	maxPolicy = 64 << 10 // bytes, as RFC 8461 section 3.3 advises
	maxMX     = 64
	longest   = 31557600 * time.Second // a year (RFC 8461 section 3.2)
)

// Policy is what a domain says of mail to it.
type Policy struct {
	Mode Mode
	// MX are the patterns for hosts, in lower case: "mx.example.org", or
	// "*.example.org" for the names with one label more.
	MX []string
	// MaxAge is how long the policy holds after it was fetched.
	MaxAge time.Duration
}

// ParsePolicy reads the text of a policy (RFC 8461 section 3.2). Fields that are
// not known are passed over, and of fields that stand there twice the first counts.
func ParsePolicy(text []byte) (*Policy, error) {
	if len(text) > maxPolicy {
		return nil, fmt.Errorf("the policy is longer than %d bytes", maxPolicy)
	}
	if !utf8.Valid(text) {
		return nil, errors.New("the policy is no text")
	}
	p := policyText{fields: map[string]string{}}
	for line := range strings.SplitSeq(string(text), "\n") {
		if err := p.add(strings.Trim(strings.TrimSuffix(line, "\r"), " \t")); err != nil {
			return nil, err
		}
	}
	return p.policy()
}

// policyText is the text of a policy as it is read.
type policyText struct {
	fields map[string]string
	mx     []string
}

// add takes a line over. Empty lines are passed over: files end with one.
func (p *policyText) add(line string) error {
	if line == "" {
		return nil
	}
	name, value, ok := strings.Cut(line, ":")
	value = strings.Trim(value, " \t")
	switch _, twice := p.fields[name]; {
	case !ok || !isName(name):
		return fmt.Errorf("the policy has the line %q, which is no field", shortened(line))
	case name == "mx" && len(p.mx) == maxMX:
		return fmt.Errorf("the policy names more than %d hosts", maxMX)
	case name == "mx":
		p.mx = append(p.mx, value)
	case !twice:
		p.fields[name] = value
	}
	return nil
}

// policy checks what was read.
func (p *policyText) policy() (*Policy, error) {
	if got := p.fields["version"]; got != version {
		return nil, fmt.Errorf("the policy has the version %q, not %s", shortened(got), version)
	}
	mode := Mode(p.fields["mode"])
	if mode != Enforce && mode != Testing && mode != None {
		return nil, fmt.Errorf("the policy has the mode %q, which is none of enforce, testing and none", shortened(string(mode)))
	}
	age, err := parseAge(p.fields["max_age"])
	if err != nil {
		return nil, err
	}
	patterns := make([]string, 0, len(p.mx))
	for _, mx := range p.mx {
		pattern, err := parsePattern(mx)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, pattern)
	}
	if len(patterns) == 0 && mode != None {
		return nil, errors.New("the policy names no hosts")
	}
	return &Policy{Mode: mode, MX: patterns, MaxAge: age}, nil
}

// parseAge reads the seconds for which a policy holds.
func parseAge(s string) (time.Duration, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || len(s) > 10 || s[0] == '+' {
		return 0, fmt.Errorf("the policy has the max_age %q, which is not a number of seconds", shortened(s))
	}
	return time.Duration(min(n, uint64(longest/time.Second))) * time.Second, nil
}

// parsePattern reads the name of a host, or of those below a domain.
func parsePattern(s string) (string, error) {
	domain, wild := strings.CutPrefix(s, "*.")
	name, err := dns.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("the policy names the host %q, which is none", shortened(s))
	}
	if wild {
		name = "*." + name
	}
	return name, nil
}

// Matches tells whether the policy is for a host, whose name is in lower case and
// without the final dot (RFC 8461 section 4.1).
func (p *Policy) Matches(host string) bool {
	return slices.ContainsFunc(p.MX, func(pattern string) bool {
		domain, wild := strings.CutPrefix(pattern, "*.")
		if !wild {
			return host == pattern
		}
		label, rest, ok := strings.Cut(host, ".")
		return ok && label != "" && rest == domain
	})
}

// Lines returns the policy as its text has it, for reports.
func (p *Policy) Lines() []string {
	lines := []string{"version: " + version, "mode: " + string(p.Mode), "max_age: " + strconv.Itoa(int(p.MaxAge/time.Second))}
	for _, mx := range p.MX {
		lines = append(lines, "mx: "+mx)
	}
	return lines
}

// shortened is what of a text of strangers goes into an error.
func shortened(s string) string {
	const most = 60
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
