package inbox

import "strings"

// term is one thing that a search asks for.
type term struct {
	where string // "from", "to", "subject", or empty for anywhere
	what  string // in lower case
}

// parseQuery reads a search: words that all have to be there, "several words"
// in quotes, and from:, to: and subject: in front of a word.
func parseQuery(query string) []term {
	var terms []term
	for _, word := range splitWords(strings.ToLower(cut(query, 1000))) {
		t := term{what: word}
		if where, what, found := strings.Cut(word, ":"); found && (where == "from" || where == "to" || where == "subject") {
			t = term{where: where, what: what}
		}
		if t.what = strings.ReplaceAll(t.what, `"`, ""); t.what != "" {
			terms = append(terms, t)
		}
	}
	return terms
}

// splitWords parts at the spaces that are not in quotes.
func splitWords(s string) []string {
	quoted := false
	return strings.FieldsFunc(s, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
}

// fits says whether a message has all terms.
func (m *message) fits(terms []term) bool {
	for _, t := range terms {
		if !strings.Contains(m.searchIn(t.where), t.what) {
			return false
		}
	}
	return true
}

// searchIn returns the text of one place, in lower case.
func (m *message) searchIn(where string) string {
	s := &m.summary
	switch where {
	case "from":
		return strings.ToLower(joinAddresses(s.from) + "\n" + m.envelope.mail.Path.Address())
	case "to":
		return strings.ToLower(joinAddresses(s.to) + "\n" + joinAddresses(s.cc) + "\n" + joinAddresses(s.bcc))
	case "subject":
		return strings.ToLower(s.subject)
	}
	return s.text
}
