package sign

import (
	"strings"

	"github.com/weirmail/weir/internal/dns"
)

// authors returns the domains of the addresses in a From field (RFC 5322 section
// 3.6.2), as the DNS knows them, each once. ok is false where the value is not a
// list of mailboxes, so that nobody can say whose mail it is: what two programs could
// read in two ways is signed for none of them.
func authors(value string) (domains []string, ok bool) {
	p := authorParser{rest: value}
	for p.next() {
		domain, err := dns.ToASCII(p.domain)
		if err != nil {
			return nil, false
		}
		known := false
		for _, d := range domains {
			known = known || d == domain
		}
		if !known {
			domains = append(domains, domain)
		}
	}
	return domains, !p.broken && len(domains) > 0
}

// authorParser goes from mailbox to mailbox.
type authorParser struct {
	rest   string
	domain string // of the mailbox at which it is
	broken bool
	group  bool // within a group
}

// next goes to the next mailbox. It returns false at the end, and where the value is
// broken.
func (p *authorParser) next() bool {
	for p.rest != "" {
		bare, angle, has := p.mailbox()
		switch {
		case p.broken:
			return false
		case !has && strings.TrimSpace(bare) == "":
			continue // RFC 5322 section 4.4 has empty elements
		case !has:
			angle = strings.TrimSpace(bare)
		}
		if p.domain, has = domainOf(angle); !has {
			p.broken = true
			return false
		}
		return true
	}
	p.broken = p.broken || p.group
	return false
}

// mailbox reads up to the end of an element of the list: what stands outside of
// angle brackets, with quoted strings as "q" and without comments, and what stands
// within.
func (p *authorParser) mailbox() (bare, angle string, has bool) {
	var b strings.Builder
	for p.rest != "" && !p.broken {
		c := p.rest[0]
		p.rest = p.rest[1:]
		switch c {
		case ',':
			return b.String(), angle, has
		case ';':
			p.broken = p.broken || !p.group
			p.group = false
			return b.String(), angle, has
		case ':':
			p.broken = p.broken || p.group || has
			p.group = true
			b.Reset()
		case '(':
			p.skipComment()
		case '"':
			p.skipQuoted()
			b.WriteByte('q')
		case '<':
			p.broken = p.broken || has
			angle, has = p.angle(), true
		case '>', ')', '\\':
			p.broken = true
		default:
			if has && c != ' ' && c != '\t' && c != '\r' && c != '\n' {
				p.broken = true // a word behind the address
			}
			b.WriteByte(c)
		}
	}
	return b.String(), angle, has
}

// angle reads what stands between angle brackets.
func (p *authorParser) angle() string {
	var b strings.Builder
	for p.rest != "" {
		c := p.rest[0]
		p.rest = p.rest[1:]
		switch c {
		case '>':
			return strings.TrimSpace(b.String())
		case '"':
			p.skipQuoted()
			b.WriteByte('q')
		case '(':
			p.skipComment()
		case '<', ',', ';', ':', '\\': // a source route is of another time
			p.broken = true
			return ""
		default:
			b.WriteByte(c)
		}
	}
	p.broken = true
	return ""
}

// skipQuoted reads to the end of a quoted string.
func (p *authorParser) skipQuoted() {
	for i := 0; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '"':
			p.rest = p.rest[i+1:]
			return
		}
	}
	p.broken = true
}

// skipComment reads to the end of a comment, which may have others in it.
func (p *authorParser) skipComment() {
	depth := 1
	for i := 0; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				p.rest = p.rest[i+1:]
				return
			}
		}
	}
	p.broken = true
}

// domainOf returns the domain of an address without comments. An address literal is
// no domain that could have a key.
func domainOf(address string) (string, bool) {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || strings.TrimSpace(local) == "" || strings.ContainsAny(strings.TrimSpace(address), " \t\r\n") {
		return "", false
	}
	return domain, domain != "" && !strings.Contains(domain, "@")
}
