package smtp

// Capability is one line of the answer to EHLO (RFC 5321 section 4.1.1.1).
type Capability struct {
	Keyword string   // in upper case
	Args    []string // as sent
}

// Capabilities is the answer to EHLO as a client reads it. The zero value has
// none. It is not changed after [ParseCapabilities], so it may be copied and read
// by several goroutines.
type Capabilities struct {
	list []Capability
}

// ParseCapabilities reads the text lines of the 250 reply to EHLO after the first,
// which is the greeting. It never fails: what is not a keyword is left out, as is
// everything after [MaxCapabilities] keywords.
func ParseCapabilities(lines []string) Capabilities { return Capabilities{} }

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
// it offered SIZE. Zero means that it named no limit (RFC 1870 section 4).
func (c Capabilities) Size() (int64, bool) { return 0, false }

// Auth returns the SASL mechanisms in upper case in the order of the answer, from
// "AUTH PLAIN LOGIN" and from the older "AUTH=PLAIN LOGIN", each once.
func (c Capabilities) Auth() []string { return nil }
