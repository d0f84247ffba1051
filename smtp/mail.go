package smtp

// Param is a parameter of MAIL or RCPT (esmtp-param, RFC 5321 section 4.1.2).
type Param struct {
	Keyword  string // in upper case
	Value    string // as sent, without any decoding
	HasValue bool   // there was an "="
}

// ParseMail reads the arguments of MAIL, "FROM:<reverse-path> KEYWORD=value …"
// (RFC 5321 section 4.1.1.2), and appends the parameters to params, which may be
// nil. The null path is allowed, a local part without a domain is not. A
// parameter that comes twice is an error. Errors are of type *[SyntaxError].
func ParseMail(args []byte, params []Param) (Path, []Param, error) {
	return Path{}, params, syntaxError(PartCommand, 0, "not implemented")
}

// ParseRcpt reads the arguments of RCPT, "TO:<forward-path> KEYWORD=value …"
// (RFC 5321 section 4.1.1.3), and appends the parameters to params, which may be
// nil. The null path is refused; of paths without a domain only <Postmaster> is
// allowed. A parameter that comes twice is an error. Errors are of type
// *[SyntaxError].
func ParseRcpt(args []byte, params []Param) (Path, []Param, error) {
	return Path{}, params, syntaxError(PartCommand, 0, "not implemented")
}
