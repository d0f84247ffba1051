package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// unknownSection reports a header that names nothing.
func (d *decoder) unknownSection(doc *document, p part) {
	root := d.root().table.Type()
	suggestion := ""
	if near, ok := nearest(p.name, sectionKeys(root)); ok {
		f, _ := fieldOf(root, near)
		suggestion = fmt.Sprintf("did you mean %s?", f.header(""))
	}
	d.fault(doc, p.at, p.name, fmt.Sprintf("there is no section %q", p.name), suggestion)
}

// sectionKeys lists the names of the sections.
func sectionKeys(root reflect.Type) []string {
	var keys []string
	for _, f := range fieldsOf(root) {
		if f.isSection() || f.isSectionList() {
			keys = append(keys, f.key)
		}
	}
	return keys
}

// unknownKey reports a key that its section does not have, and looks for what
// was meant.
func (d *decoder) unknownKey(doc *document, s section, p part) {
	where := "at the top"
	if s.header != "" {
		where = "in " + s.header
	}
	d.fault(doc, p.at, join(s.path, p.name), fmt.Sprintf("unknown key %q %s", p.name, where),
		suggestKey(d.root().table.Type(), s.table.Type(), p.name))
}

// suggestKey says what an unknown key of a section was probably meant to be:
// the same name elsewhere, a similar name here, a similar name elsewhere, or
// what Postfix calls it.
func suggestKey(root, here reflect.Type, name string) string {
	if f, ok := fieldOf(root, name); ok && (f.isSection() || f.isSectionList()) {
		return fmt.Sprintf("%s is a section: write %s and its keys below it", name, f.header(""))
	}
	if homes := sectionsWith(root, strings.ToLower(name)); len(homes) > 0 && !slices.Contains(keysOf(here), strings.ToLower(name)) {
		return fmt.Sprintf("%s belongs %s", strings.ToLower(name), home(homes))
	}
	if near, ok := nearest(name, keysOf(here)); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if key, ok := foreign(name); ok {
		return "Postfix has this name; here it is " + key
	}
	var all []string
	for _, f := range fieldsOf(root) {
		all = append(all, f.key)
		if f.isSection() {
			all = append(all, keysOf(f.typ)...)
		} else if f.isSectionList() {
			all = append(all, keysOf(f.typ.Elem())...)
		}
	}
	if near, ok := nearest(name, all); ok {
		return fmt.Sprintf("did you mean %q? It belongs %s", near, home(sectionsWith(root, near)))
	}
	return ""
}

// home says where in the file the sections are that have a key.
func home(sections []string) string {
	if slices.Contains(sections, "") {
		return "at the top of the file, before the first section"
	}
	return "under " + strings.Join(sections, " or ")
}

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
