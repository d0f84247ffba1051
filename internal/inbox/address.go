package inbox

import "strings"

// address is one mailbox of a header, for people to read: nothing is sent to
// it.
type address struct {
	Name    string
	Address string
}

// String returns name and address.
func (a address) String() string {
	if a.Name == "" {
		return a.Address
	}
	return a.Name + " <" + a.Address + ">"
}

// short returns the name, or the address where there is none.
func (a address) short() string {
	if a.Name == "" {
		return a.Address
	}
	return a.Name
}

// maxAddresses bounds the mailboxes of one field.
const maxAddresses = 500

// parseAddresses reads a list of mailboxes (RFC 5322 section 3.4). It takes
// whatever is written there, and makes the best of it: a message with a broken
// header is what a developer wants to see.
func parseAddresses(s string) []address {
	var list []address
	for _, item := range splitAddresses(s) {
		if a := parseAddress(item); a != (address{}) && len(list) < maxAddresses {
			list = append(list, a)
		}
	}
	return list
}

// splitAddresses parts a list at its commas, and takes off the names of groups.
func splitAddresses(s string) []string {
	var items []string
	start := 0
	scan := addressScanner{}
	for i := range len(s) {
		if !scan.outside(s[i]) {
			continue
		}
		switch s[i] {
		case ',', ';':
			items = append(items, s[start:i])
			start = i + 1
		case ':':
			start = i + 1
		}
	}
	return append(items, s[start:])
}

// addressScanner knows whether a character stands outside of quotes, comments
// and angle brackets.
type addressScanner struct {
	quoted, escaped, angle bool
	comment                int
}

// outside takes the next character.
func (a *addressScanner) outside(c byte) bool {
	switch {
	case a.escaped:
		a.escaped = false
	case c == '\\' && (a.quoted || a.comment > 0):
		a.escaped = true
	case a.quoted:
		a.quoted = c != '"'
	case a.comment > 0:
		a.nest(c)
	case c == '"':
		a.quoted = true
	case c == '(':
		a.comment++
	case c == '<':
		a.angle = true
	case c == '>':
		a.angle = false
	default:
		return !a.angle
	}
	return false
}

// nest counts the parentheses of a comment.
func (a *addressScanner) nest(c byte) {
	switch c {
	case '(':
		a.comment++
	case ')':
		a.comment--
	}
}

// parseAddress reads one mailbox.
func parseAddress(s string) address {
	s, comment := cutComment(strings.TrimSpace(s))
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		name := decodeWords(unquote(strings.TrimSpace(s[:i])))
		inside, _, _ := strings.Cut(s[i+1:], ">")
		return address{Name: name, Address: fromUnknown([]byte(strings.TrimSpace(inside)))}
	}
	return address{Name: decodeWords(comment), Address: fromUnknown([]byte(s))}
}

// cutComment takes the comments off, and returns the last of them: some
// senders put the name there.
func cutComment(s string) (rest, comment string) {
	var b strings.Builder
	scan := addressScanner{}
	start := 0
	for i := range len(s) {
		before := scan.comment
		scan.outside(s[i])
		switch {
		case before == 0 && scan.comment == 1:
			start = i + 1
		case before == 1 && scan.comment == 0:
			comment = s[start:i]
		case scan.comment == 0:
			b.WriteByte(s[i])
		}
	}
	return strings.TrimSpace(b.String()), strings.TrimSpace(comment)
}

// unquote takes the quotes and backslashes off a name.
func unquote(s string) string {
	if !strings.ContainsAny(s, `"\`) {
		return s
	}
	var b strings.Builder
	escaped := false
	for i := range len(s) {
		switch {
		case escaped:
			b.WriteByte(s[i])
			escaped = false
		case s[i] == '\\':
			escaped = true
		case s[i] != '"':
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// joinAddresses writes a list for people.
func joinAddresses(list []address) string {
	items := make([]string, len(list))
	for i, a := range list {
		items[i] = a.String()
	}
	return strings.Join(items, ", ")
}
