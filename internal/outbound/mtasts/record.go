package mtasts

import (
	"errors"
	"fmt"
	"strings"
)

// version is the value of the field that every record and policy begins with.
const version = "STSv1"

// The errors of records.
var (
	errNoRecord    = errors.New("the domain has no MTA-STS record")
	errManyRecords = errors.New("the domain has more than one MTA-STS record, so that none counts")
)

// FindRecord returns the id of the one MTA-STS record among the texts of
// _mta-sts.DOMAIN. Texts of other kinds are passed over; with two records, or one
// that is wrong, the domain has no policy (RFC 8461 section 3.1).
func FindRecord(texts []string) (id string, err error) {
	var records []string
	for _, text := range texts {
		if strings.HasPrefix(text, "v="+version+";") {
			records = append(records, text)
		}
	}
	switch len(records) {
	case 0:
		return "", errNoRecord
	case 1:
		return parseRecord(records[0])
	}
	return "", errManyRecords
}

// maxID is how long an id may be.
const maxID = 32

// parseRecord returns the id of a record.
func parseRecord(text string) (id string, err error) {
	fields := strings.Split(text, ";")
	if last := len(fields) - 1; strings.Trim(fields[last], " \t") == "" {
		fields = fields[:last] // the final delimiter may be there or not
	}
	for _, field := range fields[1:] {
		name, value, ok := strings.Cut(strings.Trim(field, " \t"), "=")
		switch {
		case !ok || !isName(name) || !isValue(value):
			return "", fmt.Errorf("the MTA-STS record has %q, which is no field", field)
		case name == "id" && id != "":
			return "", errors.New("the MTA-STS record has two ids")
		case name == "id" && !isID(value):
			return "", fmt.Errorf("the id of the MTA-STS record, %q, is not up to %d letters and digits", value, maxID)
		case name == "id":
			id = value
		}
	}
	if id == "" {
		return "", errors.New("the MTA-STS record has no id")
	}
	return id, nil
}

func isID(s string) bool {
	return s != "" && len(s) <= maxID && strings.IndexFunc(s, func(r rune) bool { return !isAlnum(r) }) < 0
}

// isName tells whether a word can be the name of a field (RFC 8461 section 3.1):
// a letter or digit, then those, "_", "-" and "." as well.
func isName(s string) bool {
	for i, r := range s {
		if !isAlnum(r) && (i == 0 || r != '_' && r != '-' && r != '.') {
			return false
		}
	}
	return s != "" && len(s) <= 32
}

// isValue tells whether a text can be the value of a field: printable ASCII
// without blanks, "=" and ";".
func isValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '=' || c == ';' {
			return false
		}
	}
	return s != ""
}

func isAlnum(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
