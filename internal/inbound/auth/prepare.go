package auth

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/xdg-go/stringprep"
)

// The longest names and passwords that are looked at, in octets. RFC 4616 lets names
// have 255; passwords are bounded so that their hashing is.
const (
	maxName     = 255
	maxPassword = 1024
)

// PrepareName brings the name of an account into the form in which names are
// compared: SASLprep (RFC 4013), and lower case, since that is what people mean who
// type an address.
func PrepareName(name string) (string, error) {
	if len(name) > maxName || !utf8.ValidString(name) {
		return "", errors.New("the name is too long, or no UTF-8")
	}
	prepared, err := stringprep.SASLprep.Prepare(name)
	if err != nil {
		return "", errors.New("the name has characters that no name can have")
	}
	prepared = strings.ToLower(prepared)
	if prepared == "" || len(prepared) > maxName || strings.ContainsAny(prepared, " \t\r\n") {
		return "", errors.New("the name is empty, too long, or has spaces")
	}
	return prepared, nil
}

// preparePassword brings a password into the form in which it is hashed: SASLprep. One
// that has none stays as it is; it has been the same when it was set.
func preparePassword(password string) string {
	if prepared, err := stringprep.SASLprep.Prepare(password); err == nil && prepared != "" {
		return prepared
	}
	return password
}

// checkPassword holds a password to what can be one.
func checkPassword(password string) error {
	switch {
	case password == "":
		return errors.New("the password is empty")
	case len(password) > maxPassword:
		return errors.New("the password is longer than 1024 octets")
	case strings.IndexByte(password, 0) >= 0:
		return errors.New("the password has a NUL in it")
	}
	return nil
}
