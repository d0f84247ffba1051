package smtp

import (
	"slices"
	"strings"
)

// Capability is one line of the answer to EHLO (RFC 5321 section 4.1.1.1).
type Capability struct {
	Keyword string   // in upper case
	Args    []string // as sent
}

// Capabilities is the answer to EHLO as a client reads it. The zero value has
// none. It does not change after [ParseCapabilities], so it may be copied and read
// by several goroutines.
type Capabilities struct {
	list []Capability
	auth []string
}

// ParseCapabilities reads the text lines of the 250 reply to EHLO after the first,
// which is the greeting. It never fails: a line that does not begin with a keyword
// is left out, as is everything after [MaxCapabilities] keywords. Of a keyword that
// comes twice the first counts, except that the mechanisms of all AUTH lines count.
func ParseCapabilities(lines []string) Capabilities {
	var c Capabilities
	for _, line := range lines {
		if len(c.list) == MaxCapabilities {
			break
		}
		c.add(line)
	}
	return c
}

func (c *Capabilities) add(line string) {
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) == 0 {
		return
	}
	// "AUTH=LOGIN PLAIN" is what servers sent before RFC 2554 was final; some still
	// send it beside the right form.
	if first, old := cutPrefixFold(words[0], "AUTH="); old {
		c.addAuth(append([]string{first}, words[1:]...))
		return
	}
	if !isKeyword(words[0]) {
		return
	}
	word, args := keyword([]byte(words[0])), words[1:]
	if word == "AUTH" {
		c.addAuth(args)
		return
	}
	if !c.Has(word) {
		c.list = append(c.list, Capability{Keyword: word, Args: args})
	}
}

// addAuth adds mechanisms to the one AUTH capability.
func (c *Capabilities) addAuth(mechanisms []string) {
	for _, m := range mechanisms {
		m = strings.ToUpper(m)
		if m != "" && len(c.auth) < MaxCapabilities && !slices.Contains(c.auth, m) {
			c.auth = append(c.auth, m)
		}
	}
	for i := range c.list {
		if c.list[i].Keyword == "AUTH" {
			c.list[i].Args = c.auth
			return
		}
	}
	c.list = append(c.list, Capability{Keyword: "AUTH", Args: c.auth})
}

// Has tells whether the keyword was offered. The case does not matter.
func (c Capabilities) Has(keyword string) bool {
	_, ok := c.Args(keyword)
	return ok
}

// Args returns the arguments of a keyword and whether it was offered. The caller
// must not change them.
func (c Capabilities) Args(keyword string) ([]string, bool) {
	for _, have := range c.list {
		if equalFold(have.Keyword, keyword) {
			return have.Args, true
		}
	}
	return nil, false
}

// All returns the capabilities in the order of the answer. The caller must not
// change them.
func (c Capabilities) All() []Capability { return c.list }

// Size returns the largest message that the server takes in octets, and whether
// it offered SIZE. Zero means that it named no limit (RFC 1870 section 4), or one
// that is not a number.
func (c Capabilities) Size() (int64, bool) {
	args, ok := c.Args("SIZE")
	if len(args) == 0 {
		return 0, ok
	}
	n, err := ParseSize(args[0])
	if err != nil {
		return 0, true
	}
	return n, true
}

// Auth returns the SASL mechanisms in upper case in the order of the answer, from
// "AUTH PLAIN LOGIN" and from the older "AUTH=PLAIN LOGIN", each once. The caller
// must not change them.
func (c Capabilities) Auth() []string { return c.auth }

// isKeyword tells an ehlo-keyword, to which it allows dots and underscores, as in
// some private ones.
func isKeyword(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && (i == 0 || c != '-' && c != '.' && c != '_') {
			return false
		}
	}
	return s != ""
}

func cutPrefixFold(s, prefix string) (after string, found bool) {
	if len(s) < len(prefix) || !equalFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
