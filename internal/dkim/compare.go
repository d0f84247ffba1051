package dkim

import (
	"errors"
	"fmt"
)

// Compare says what is wrong with what the DNS has at the name of a key, for a key
// that signs: a sentence or two each. None means that signatures verify. The texts
// are those of all TXT records there, each joined.
func Compare(k *Key, texts []string) []string {
	if len(texts) == 0 {
		return []string{"There is no record. Receivers take signatures by this key as broken."}
	}
	var records []*Record
	var faults []error
	for _, text := range texts {
		r, err := ParseRecord(text)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		records = append(records, r)
	}
	switch {
	case len(records) > 1 || len(records) == 1 && len(faults) > 0 && !allForeign(faults):
		return []string{fmt.Sprintf("There are %d records, and receivers may take any one of them, or none. Leave one.", len(texts))}
	case len(records) == 0:
		return []string{"The record cannot be used: " + faults[0].Error() + "."}
	case len(faults) > 0:
		return append([]string{fmt.Sprintf("There are %d records, of which only one is of a key. Some receivers take the wrong one: leave the one.", len(texts))}, problems(k, records[0])...)
	}
	return problems(k, records[0])
}

// allForeign tells of texts that are none of a key at all, as a wildcard record for
// another purpose gives them.
func allForeign(faults []error) bool {
	for _, err := range faults {
		if !errors.Is(err, ErrNotARecord) {
			return false
		}
	}
	return true
}

func problems(k *Key, r *Record) []string {
	var all []string
	for _, text := range []string{r.Problem(k), r.Warning()} {
		if text != "" {
			all = append(all, text)
		}
	}
	return all
}
