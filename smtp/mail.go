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
// parameter that comes twice is an error. Errors are of type *[SyntaxError]; with
// one, params comes back as it was given.
func ParseMail(args []byte, params []Param) (Path, []Param, error) {
	s := scanner{b: args}
	p, more, err := s.mail(params)
	if err != nil {
		return Path{}, params, err
	}
	return p, more, nil
}

// ParseRcpt reads the arguments of RCPT, "TO:<forward-path> KEYWORD=value …"
// (RFC 5321 section 4.1.1.3), and appends the parameters to params, which may be
// nil. The null path is refused; of paths without a domain only <Postmaster> is
// allowed. A parameter that comes twice is an error. Errors are of type
// *[SyntaxError]; with one, params comes back as it was given.
func ParseRcpt(args []byte, params []Param) (Path, []Param, error) {
	s := scanner{b: args}
	p, more, err := s.rcpt(params)
	if err != nil {
		return Path{}, params, err
	}
	return p, more, nil
}

func (s *scanner) mail(params []Param) (Path, []Param, *SyntaxError) {
	s.skipSpaces()
	if !s.acceptFold("FROM:") {
		return Path{}, nil, syntaxError(PartCommand, s.pos, "FROM: must follow MAIL")
	}
	s.skipSpaces() // RFC 5321 section 4.1.1.2 has none here, many clients do
	p, err := s.path()
	if err != nil {
		return p, nil, err
	}
	if p.Domain == "" && !p.IsNull() {
		return p, nil, syntaxError(PartDomain, s.pos-1, "the domain is missing")
	}
	params, err = s.params(params)
	return p, params, err
}

func (s *scanner) rcpt(params []Param) (Path, []Param, *SyntaxError) {
	s.skipSpaces()
	if !s.acceptFold("TO:") {
		return Path{}, nil, syntaxError(PartCommand, s.pos, "TO: must follow RCPT")
	}
	s.skipSpaces()
	start := s.pos
	p, err := s.path()
	switch {
	case err != nil:
		return p, nil, err
	case p.IsNull():
		return p, nil, syntaxError(PartPath, start, "the null path cannot be a recipient")
	case p.Domain == "" && !p.IsPostmaster():
		return p, nil, syntaxError(PartDomain, s.pos-1, "the domain is missing")
	}
	params, err = s.params(params)
	return p, params, err
}

// params reads Mail-parameters or Rcpt-parameters up to the end of the line and
// appends them to list.
func (s *scanner) params(list []Param) ([]Param, *SyntaxError) {
	given := len(list)
	for !s.end() {
		if !s.accept(' ') {
			return nil, syntaxError(PartParam, s.pos, "a space must follow the closing angle bracket")
		}
		s.skipSpaces()
		if s.end() {
			break
		}
		start := s.pos
		p, err := s.param()
		if err != nil {
			return nil, err
		}
		if hasKeyword(list[given:], p.Keyword) {
			return nil, syntaxError(PartParam, start, "the same parameter twice")
		}
		if len(list)-given == MaxParams {
			return nil, syntaxError(PartParam, start, "too many parameters")
		}
		list = append(list, p)
	}
	return list, nil
}

func hasKeyword(list []Param, keyword string) bool {
	for i := range list {
		if list[i].Keyword == keyword {
			return true
		}
	}
	return false
}

// param reads esmtp-param up to the next space.
func (s *scanner) param() (Param, *SyntaxError) {
	start := s.pos
	for isAlnum(s.peek()) || s.peek() == '-' && s.pos > start {
		s.pos++
	}
	p := Param{Keyword: keyword(s.b[start:s.pos])}
	switch {
	case s.end() || s.peek() == ' ':
		return p, nil
	case p.Keyword == "":
		return p, syntaxError(PartParam, s.pos, "a parameter name starts with a letter or digit")
	case !s.accept('='):
		return p, syntaxError(PartParam, s.pos, "character not allowed in a parameter name")
	}
	var err *SyntaxError
	p.HasValue = true
	p.Value, err = s.paramValue()
	return p, err
}

// paramValue reads esmtp-value: no control character, space or "=", with UTF-8
// added by RFC 6531 section 3.3.
func (s *scanner) paramValue() (string, *SyntaxError) {
	start := s.pos
	for !s.end() && s.peek() != ' ' {
		if c := s.peek(); c == '=' || isControl(c) {
			return "", syntaxError(PartParam, s.pos, "character not allowed in a parameter value")
		}
		s.pos++
	}
	if s.pos == start {
		return "", syntaxError(PartParam, start, "the value after the equals sign is missing")
	}
	if err := s.checkUTF8(PartParam, start); err != nil {
		return "", err
	}
	return string(s.b[start:s.pos]), nil
}

// knownKeywords are the parameters that come with nearly all mail: their names
// need no memory of their own.
var knownKeywords = [...]string{
	"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "NOTIFY", "ORCPT", "AUTH",
	"REQUIRETLS", "BY", "MT-PRIORITY", "HOLDFOR", "HOLDUNTIL",
}

// keyword returns b in upper case.
func keyword(b []byte) string {
	for _, known := range knownKeywords {
		if equalFold(b, known) {
			return known
		}
	}
	up := make([]byte, len(b))
	for i, c := range b {
		up[i] = upper(c)
	}
	return string(up)
}
