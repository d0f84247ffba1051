package certificate

import (
	"crypto/tls"
	"errors"
)

// Source gives the certificate for a handshake, and nil where it has none.
type Source func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// errNone is what a listener without any certificate says, which the configuration
// does not allow.
var errNone = errors.New("there is no certificate")

// Choose returns a source that gives the first of the entries that the client can
// use and that is for the name it asks for; without such a one what otherwise gives,
// where that is not nil; and then the first entry. Most mail servers ask for no
// name, or look at none, so that some certificate is better than none.
func Choose(entries []*Entry, otherwise Source) Source {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		for _, e := range entries {
			if c := e.Certificate(); hello.SupportsCertificate(c) == nil {
				return c, nil
			}
		}
		if otherwise != nil {
			if c, err := otherwise(hello); err != nil || c != nil {
				return c, err
			}
		}
		if len(entries) == 0 {
			return nil, errNone
		}
		return entries[0].Certificate(), nil
	}
}
