package conformance

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// response is one reply of a server.
type response struct {
	code  string
	lines []string // without code and separator
}

func (r *response) String() string { return r.code + " " + strings.Join(r.lines, `\n`) }

// expectation is what a reply has to be.
type expectation struct {
	source    string
	times     string // how many of them: a number, or a variable
	not       bool
	codes     []string // "250", or "5yz" for a class
	mayClose  bool
	enhanced  string // "5.5.4", "5.*.*"; "" for any
	fragments []string
}

// parseExpectation reads what stands behind "S:".
func parseExpectation(source string) (e expectation, err error) {
	e = expectation{source: source, times: "1"}
	words := strings.Fields(source)
	if len(words) > 2 && words[1] == "x" {
		e.times, words = words[0], words[2:]
		if _, err := strconv.Atoi(e.times); err != nil {
			if _, _, err := parseVariable(e.times); err != nil {
				return e, err
			}
		}
	}
	if len(words) > 1 && words[0] == "not" {
		e.not, words = true, words[1:]
	}
	if len(words) == 0 {
		return e, errors.New("a code is missing")
	}
	for _, code := range strings.Split(words[0], "|") {
		switch {
		case code == "closed":
			e.mayClose = true
		case isCode(code):
			e.codes = append(e.codes, code)
		default:
			return e, fmt.Errorf("%q is no code and no class; write 250, 5yz, or closed", code)
		}
	}
	if len(e.codes) == 0 {
		return e, errors.New(`only closed; write it without "S:"`)
	}
	words = words[1:]
	if len(words) > 0 && isEnhanced(words[0]) {
		e.enhanced, words = words[0], words[1:]
	}
	if len(words) > 0 {
		e.fragments = strings.Split(strings.ToLower(strings.Join(words, " ")), "*")
	}
	return e, nil
}

func isCode(s string) bool {
	if len(s) != 3 || s[0] < '2' || s[0] > '5' {
		return false
	}
	return s[1:] == "yz" || isDigit(s[1]) && isDigit(s[2])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isEnhanced(s string) bool {
	parts := strings.Split(s, ".")
	for _, p := range parts {
		if _, err := strconv.Atoi(p); err != nil && p != "*" {
			return false
		}
	}
	return len(parts) == 3
}

// match says what is wrong with a reply; nil where nothing is.
func (e *expectation) match(r *response, enhanced bool) error {
	if e.hasCode(r.code) == e.not {
		return fmt.Errorf("got %q, want %s", r, e.source)
	}
	if e.enhanced != "" && enhanced && !e.hasStatus(r) {
		return fmt.Errorf("got %q, want the enhanced status code %s in each line", r, e.enhanced)
	}
	if len(e.fragments) > 0 && !e.hasText(r) {
		return fmt.Errorf("got %q, want %s", r, e.source)
	}
	return nil
}

func (e *expectation) hasCode(code string) bool {
	for _, c := range e.codes {
		if c == code || c[1:] == "yz" && c[0] == code[0] {
			return true
		}
	}
	return false
}

// hasStatus tells whether every line has the status: RFC 2034 section 4 asks for it
// in each.
func (e *expectation) hasStatus(r *response) bool {
	want := strings.Split(e.enhanced, ".")
	for _, line := range r.lines {
		word, _, _ := strings.Cut(line, " ")
		got := strings.Split(word, ".")
		if len(got) != len(want) || !isEnhanced(word) {
			return false
		}
		for i := range want {
			if want[i] != "*" && want[i] != got[i] {
				return false
			}
		}
	}
	return true
}

// hasText tells whether one line has all the fragments, in their order.
func (e *expectation) hasText(r *response) bool {
	for _, line := range r.lines {
		if containsInOrder(strings.ToLower(line), e.fragments) {
			return true
		}
	}
	return false
}

func containsInOrder(s string, fragments []string) bool {
	for _, f := range fragments {
		_, rest, found := strings.Cut(s, strings.TrimSpace(f))
		if !found {
			return false
		}
		s = rest
	}
	return true
}
