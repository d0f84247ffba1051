package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// field is a key of a section: a field of its struct that has a toml tag.
type field struct {
	key     string
	name    string // of the Go field
	typ     reflect.Type
	index   int
	unit    string
	example string
}

// fieldsOf lists the keys of a section.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("toml")
		if key == "" || key == "-" {
			continue
		}
		fields = append(fields, field{
			key: key, name: f.Name, typ: f.Type, index: i,
			unit: f.Tag.Get("unit"), example: f.Tag.Get("example"),
		})
	}
	return fields
}

// fieldOf finds a key of a section.
func fieldOf(t reflect.Type, key string) (field, bool) {
	for _, f := range fieldsOf(t) {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

// isSection says whether a field is a [section].
func (f field) isSection() bool { return isTable(f.typ) }

// isSectionList says whether a field is a list of [[sections]].
func (f field) isSectionList() bool { return f.typ.Kind() == reflect.Slice && isTable(f.typ.Elem()) }

// header is how a section begins in the file.
func (f field) header() string {
	if f.isSectionList() {
		return "[[" + f.key + "]]"
	}
	return "[" + f.key + "]"
}

// isTable says whether a type is a section and not a value, such as a network,
// that happens to be a struct.
func isTable(t reflect.Type) bool { return t.Kind() == reflect.Struct && len(fieldsOf(t)) > 0 }

// prototype is what a new element of a list of sections starts from.
func prototype(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	if t == reflect.TypeFor[Listener]() {
		v.Set(reflect.ValueOf(defaultListener()))
	}
	return v
}

// sectionsWith lists the sections that have a key, as they begin in the file.
// The top of the file is "".
func sectionsWith(root reflect.Type, key string) []string {
	var found []string
	for _, f := range fieldsOf(root) {
		inner := f.typ
		switch {
		case f.key == key:
			found = append(found, "")
			continue
		case f.isSectionList():
			inner = f.typ.Elem()
		case !f.isSection():
			continue
		}
		if _, ok := fieldOf(inner, key); ok {
			found = append(found, f.header())
		}
	}
	return found
}

// keysOf lists the names of the keys of a section.
func keysOf(t reflect.Type) []string {
	var keys []string
	for _, f := range fieldsOf(t) {
		keys = append(keys, f.key)
	}
	return keys
}

// join appends a key to the path of its section.
func join(section, key string) string {
	if section == "" {
		return key
	}
	return section + "." + key
}

// at appends an index to a path.
func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// nearest returns the candidate that is closest to word, if one is close
// enough to be what was meant.
func nearest(word string, candidates []string) (string, bool) {
	best, bestDistance := "", 1+len(word)/3
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), c); d <= bestDistance && d < max(len(word), len(c)) && (best == "" || d < bestDistance) {
			best, bestDistance = c, d
		}
	}
	return best, best != ""
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func distance(a, b string) int {
	before, previous := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current := make([]int, len(b)+1)
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous = previous, current
	}
	return previous[len(b)]
}

// foreign returns where a setting of Postfix is found here, for those who come
// from there.
func foreign(key string) (string, bool) {
	names := map[string]string{
		"myhostname":                            "hostname",
		"relayhost":                             "next_hop",
		"relay_domains":                         "accept_for",
		"mynetworks":                            "allow under [clients]",
		"transport_maps":                        "a [[route]] for each domain",
		"inet_interfaces":                       "address under [[listener]]",
		"queue_directory":                       "state_dir",
		"message_size_limit":                    "max_message_size under [smtp]",
		"smtpd_recipient_limit":                 "max_recipients under [smtp]",
		"hopcount_limit":                        "max_received under [smtp]",
		"smtpd_hard_error_limit":                "max_errors under [smtp]",
		"maximal_queue_lifetime":                "expire under [retry]",
		"bounce_queue_lifetime":                 "expire under [retry]",
		"delay_warning_time":                    "delay_notice under [retry]",
		"minimal_backoff_time":                  "first under [retry]",
		"maximal_backoff_time":                  "max under [retry]",
		"smtp_tls_security_level":               "tls under [delivery]",
		"default_destination_concurrency_limit": "connections under [delivery]",
		"smtp_bind_address":                     "source_address under [delivery]",
		"smtp_helo_name":                        "ehlo under [delivery]",
		"smtpd_tls_cert_file":                   "certificate under [tls]",
		"smtpd_tls_key_file":                    "key under [tls]",
	}
	here, ok := names[key]
	return here, ok
}

// oneOf writes choices as a person would: off, auto or implicit.
func oneOf(choices []string) string {
	quoted := slices.Clone(choices)
	for i := range quoted {
		quoted[i] = strconv.Quote(quoted[i])
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
