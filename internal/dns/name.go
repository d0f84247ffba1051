package dns

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// ToASCII returns a domain as the DNS knows it: in lower case, its labels as
// A-labels (RFC 5890), without the final dot. It fails for what cannot be a
// domain.
func ToASCII(domain string) (string, error) {
	domain = strings.TrimSuffix(domain, ".")
	if ascii(domain) {
		return strings.ToLower(domain), nil
	}
	name, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("%q is not an internationalized domain name: %w", domain, err)
	}
	return name, nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
