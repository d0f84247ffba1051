package smtp

import "bytes"

// MaxMechanism is the longest name of a SASL mechanism (RFC 4422 section 3.1).
const MaxMechanism = 20

// ParseAUTH reads the arguments of AUTH: the name of a mechanism, in upper case
// whatever its case was, and the initial response as it was sent, nil where there
// is none (RFC 4954 section 4). The response shares the memory of args. Errors are
// of type *[SyntaxError].
func ParseAUTH(args []byte) (mechanism string, initial []byte, err error) {
	name, rest, more := bytes.Cut(args, []byte(" "))
	switch {
	case len(name) == 0:
		return "", nil, syntaxError(PartArgument, 0, "the name of a mechanism must follow AUTH")
	case len(name) > MaxMechanism:
		return "", nil, syntaxError(PartArgument, MaxMechanism, "a mechanism has no more than 20 characters")
	}
	up := make([]byte, len(name))
	for i, b := range name {
		if !isAlnum(b) && b != '-' && b != '_' {
			return "", nil, syntaxError(PartArgument, i, "character not allowed in the name of a mechanism")
		}
		up[i] = upper(b)
	}
	if !more || len(rest) == 0 {
		return string(up), nil, nil
	}
	if i := bytes.IndexByte(rest, ' '); i >= 0 {
		return "", nil, syntaxError(PartArgument, len(name)+1+i, "AUTH has one initial response and no more")
	}
	return string(up), rest, nil
}
