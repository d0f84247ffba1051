package dns

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// The limits of a name (RFC 1035 section 2.3.4), as it is written.
const (
	maxName  = 253
	maxLabel = 63
)

// ToASCII returns a domain as the DNS knows it: in lower case, its labels as
// A-labels (RFC 5890), without the final dot. It fails for what cannot be the
// name of a domain or a host. It allocates nothing where there is nothing to
// change.
func ToASCII(domain string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(domain, "."))
	if !isASCII(name) {
		var err error
		if name, err = idna.Lookup.ToASCII(name); err != nil {
			return "", fmt.Errorf("%q is not an internationalized domain name: %w", domain, err)
		}
	}
	if err := checkName(name); err != nil {
		return "", fmt.Errorf("%q is not a domain name: %w", domain, err)
	}
	return name, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// checkName holds a name to letters, digits, hyphens and underscores. The
// last are no part of host names, but there are hosts that are called so.
func checkName(name string) error {
	if len(name) > maxName {
		return errors.New("it is too long")
	}
	label := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.':
			if label == 0 {
				return errors.New("a label is empty")
			}
			label = 0
			continue
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return fmt.Errorf("%q does not belong into it", c)
		}
		if label++; label > maxLabel {
			return errors.New("a label is too long")
		}
	}
	if label == 0 {
		return errors.New("a label is empty")
	}
	return nil
}
