package auth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirmail/weir/smtp"
)

// Senders are the reverse-paths that an account may use, as patterns:
//
//	ada@example.org   this address
//	@example.org      every address of the domain
//	@.example.org     every address of the domains below it
//	self              the address that the account is named by
//	<>                the null reverse-path, of notices and automatic answers
//	*                 all of these and every other
//
// Letters are compared without their case. None is no reverse-path at all.
type Senders []string

// The patterns that are words.
const (
	AnySender  = "*"
	SelfSender = "self"
	NullSender = "<>"
)

// ParseSenders reads patterns and brings them into the form in which they are
// compared.
func ParseSenders(patterns []string) (Senders, error) {
	senders := make(Senders, 0, len(patterns))
	for _, p := range patterns {
		s, err := parseSender(strings.ToLower(strings.TrimSpace(p)))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(senders, s) {
			senders = append(senders, s)
		}
	}
	return senders, nil
}

func parseSender(p string) (string, error) {
	if p == AnySender || p == SelfSender || p == NullSender {
		return p, nil
	}
	address := p
	switch {
	case strings.HasPrefix(p, "@."):
		address = "any@" + p[len("@."):]
	case strings.HasPrefix(p, "@"):
		address = "any" + p
	}
	path, err := smtp.ParseAddress(address)
	if err != nil || path.Domain == "" || strings.ContainsAny(p, " ,\"<>") {
		return "", fmt.Errorf("%q is no sender: write an address, @domain, @.domain, self, <> or *", p)
	}
	return p, nil
}

// Allow tells whether the account may use a reverse-path.
func (s Senders) Allow(account string, path smtp.Path) bool {
	if path.IsNull() {
		return slices.Contains(s, AnySender) || slices.Contains(s, NullSender)
	}
	address, domain := strings.ToLower(path.Address()), strings.ToLower(path.Domain)
	return slices.ContainsFunc(s, func(p string) bool {
		switch {
		case p == AnySender:
			return true
		case p == SelfSender:
			return address == account
		case strings.HasPrefix(p, "@."):
			return strings.HasSuffix(domain, p[1:]) && len(domain) > len(p)-1
		case strings.HasPrefix(p, "@"):
			return domain == p[1:]
		}
		return address == p
	})
}

// Any tells whether the account may use every reverse-path.
func (s Senders) Any() bool { return slices.Contains(s, AnySender) }

// shownSenders is how many patterns a reply names.
const shownSenders = 5

// Describe says in words what an account may use.
func (s Senders) Describe(account string) string {
	words := make([]string, 0, len(s))
	for _, p := range s {
		switch {
		case p == SelfSender && strings.Contains(account, "@"):
			p = account
		case p == SelfSender:
			continue // its name is no address
		}
		words = append(words, p)
	}
	if len(words) == 0 {
		return "no reverse-path"
	}
	if more := len(words) - shownSenders; more > 0 {
		words = append(words[:shownSenders], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, " ")
}
