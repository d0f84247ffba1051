package conformance

import (
	"slices"
	"strconv"
	"strings"
)

// capabilities are the keywords of an answer to EHLO, each with the words behind
// it, all in upper case.
type capabilities map[string][]string

func parseCapabilities(r *response) capabilities {
	all := capabilities{}
	for i, line := range r.lines {
		words := strings.Fields(strings.ToUpper(line))
		if i > 0 && len(words) > 0 {
			all[words[0]] = append(all[words[0]], words[1:]...)
		}
	}
	return all
}

// meets tells whether a condition holds.
func (c capabilities) meets(n need) bool {
	words, offered := c[strings.ToUpper(n.keyword)]
	if n.word != "" {
		offered = offered && slices.Contains(words, strings.ToUpper(n.word))
	}
	return offered != n.not
}

// values are the numbers that servers tell by their keywords. A maximum of 0 is
// none (RFC 1870 section 4).
func (c capabilities) values() map[string]string {
	values := map[string]string{}
	if words := c["SIZE"]; len(words) > 0 && isPositive(words[0]) {
		values["size"] = words[0]
	}
	for _, word := range c["LIMITS"] {
		name, value, _ := strings.Cut(word, "=")
		if (name == "RCPTMAX" || name == "MAILMAX") && isPositive(value) {
			values[strings.ToLower(name)] = value
		}
	}
	return values
}

func isPositive(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0
}
