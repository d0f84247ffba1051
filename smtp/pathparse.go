package smtp

// path reads Reverse-path or Forward-path (RFC 5321 section 4.1.2): a mailbox in
// angle brackets, perhaps after a source route, or nothing. A local part without
// a domain comes back as such: whether it is allowed depends on the command.
func (s *scanner) path() (Path, *SyntaxError) {
	start := s.pos
	if !s.accept('<') {
		return Path{}, syntaxError(PartBrackets, s.pos, "the address must be in angle brackets")
	}
	if s.accept('>') {
		return Path{}, nil
	}
	if err := s.sourceRoute(); err != nil {
		return Path{}, err
	}
	p, err := s.mailbox()
	if err != nil {
		return Path{}, err
	}
	if !s.accept('>') {
		return Path{}, s.strayAfter(p)
	}
	if s.pos-start > MaxPath {
		return Path{}, syntaxError(PartPath, start, "longer than 256 octets")
	}
	return p, nil
}

// strayAfter says what is wrong where the mailbox p should have ended.
func (s *scanner) strayAfter(p Path) *SyntaxError {
	part := PartDomain
	if p.Domain == "" {
		part = PartLocal
	}
	switch c := s.peek(); {
	case s.end():
		return syntaxError(PartBrackets, s.pos, "the closing angle bracket is missing")
	case c == ' ':
		return syntaxError(part, s.pos, "space inside the address")
	case isControl(c):
		return syntaxError(part, s.pos, "control character")
	default:
		return syntaxError(part, s.pos, "character not allowed here")
	}
}

// sourceRoute reads "@one,@two:" if it is there. Servers must accept it and ignore
// it (RFC 5321 section 4.1.1.3 and appendix C).
func (s *scanner) sourceRoute() *SyntaxError {
	if s.peek() != '@' {
		return nil
	}
	for s.accept('@') {
		if _, err := s.domain(); err != nil {
			return err
		}
		if s.accept(':') {
			return nil
		}
		if s.peek() == '>' {
			return syntaxError(PartLocal, s.pos, "the local part is missing")
		}
		if !s.accept(',') {
			break
		}
	}
	return syntaxError(PartPath, s.pos, "malformed source route")
}

// mailbox reads Local-part, and "@" and the domain if they follow.
func (s *scanner) mailbox() (Path, *SyntaxError) {
	start := s.pos
	local, quoted, err := s.localPart()
	if err != nil {
		return Path{}, err
	}
	n := s.pos - start
	if n > MaxLocalPart {
		return Path{}, syntaxError(PartLocal, start, "longer than 64 octets")
	}
	if !s.accept('@') {
		return Path{Local: string(local)}, nil
	}
	domain, err := s.domain()
	if err != nil {
		return Path{}, err
	}
	if quoted {
		return Path{Local: string(local), Domain: string(domain)}, nil
	}
	both := string(s.b[start:s.pos]) // one allocation for the two
	return Path{Local: both[:n], Domain: both[n+1:]}, nil
}

// localPart reads Dot-string or Quoted-string. The result, decoded, may share
// memory with the input.
func (s *scanner) localPart() (local []byte, quoted bool, err *SyntaxError) {
	if s.peek() == '"' {
		local, err = s.quotedString()
		return local, true, err
	}
	start := s.pos
	if err := s.dotString(); err != nil {
		return nil, false, err
	}
	return s.b[start:s.pos], false, s.checkUTF8(PartLocal, start)
}

// dotString reads atoms joined by dots (RFC 5321 section 4.1.2), with UTF-8 taken
// for atom text (RFC 6531 section 3.3).
func (s *scanner) dotString() *SyntaxError {
	atom := s.pos
	for ; !s.end(); s.pos++ {
		c := s.b[s.pos]
		if isAtext(c) || c >= 0x80 {
			continue
		}
		if c != '.' {
			break
		}
		if s.pos == atom {
			return syntaxError(PartLocal, s.pos, "a dot at the start or next to another must be in quotes")
		}
		atom = s.pos + 1
	}
	if s.pos > atom {
		return nil
	}
	if s.pos > 0 && s.b[s.pos-1] == '.' {
		return syntaxError(PartLocal, s.pos-1, "a dot at the end must be in quotes")
	}
	switch c := s.peek(); {
	case s.end() || c == '@' || c == '>':
		return syntaxError(PartLocal, s.pos, "the local part is missing")
	case c == ' ':
		return syntaxError(PartLocal, s.pos, "space before the address")
	case isControl(c):
		return syntaxError(PartLocal, s.pos, "control character")
	}
	return syntaxError(PartLocal, s.pos, "character not allowed without quotes")
}

// quotedString reads Quoted-string and returns what it means.
func (s *scanner) quotedString() ([]byte, *SyntaxError) {
	start := s.pos
	s.pos++ // the opening quote
	var decoded []byte
	for ; !s.end(); s.pos++ {
		c := s.b[s.pos]
		switch {
		case c == '"':
			s.pos++
			return decoded, s.checkUTF8(PartLocal, start)
		case c == '\\':
			s.pos++
			if c = s.peek(); c < ' ' || c > '~' {
				return nil, syntaxError(PartLocal, s.pos, "a backslash must be followed by a printable character")
			}
		case isControl(c):
			return nil, syntaxError(PartLocal, s.pos, "control character")
		}
		decoded = append(decoded, c)
	}
	return nil, syntaxError(PartLocal, start, "the closing quote is missing")
}
