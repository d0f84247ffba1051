package auth

import "bytes"

// plain is PLAIN (RFC 4616): the name to act for, the name and the password in one
// message, with NUL between them.
type plain struct{ base }

// Next takes the message.
func (p *plain) Next(response []byte) ([]byte, bool, error) {
	if response == nil {
		return []byte{}, false, nil
	}
	parts := bytes.Split(response, []byte{0})
	if len(parts) != 3 {
		return nil, false, malformed("the message is not one of PLAIN: two NULs part it")
	}
	err := p.checkPassword(string(parts[0]), string(parts[1]), string(parts[2]))
	return nil, err == nil, err
}

// login is LOGIN: the name and the password in two messages. What the challenges ask
// for is what clients of old look for.
type login struct {
	base
	asked bool // for the name
	named bool
	name  string
}

// Next takes the name, and then the password.
func (l *login) Next(response []byte) ([]byte, bool, error) {
	switch {
	case !l.asked && len(response) == 0: // an empty initial response is no name
		l.asked = true
		return []byte("Username:"), false, nil
	case !l.named:
		l.asked, l.named, l.name = true, true, string(response)
		return []byte("Password:"), false, nil
	}
	err := l.checkPassword("", l.name, string(response))
	return nil, err == nil, err
}
