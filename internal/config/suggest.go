package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// unknownSection reports a header that names nothing.
func (d *decoder) unknownSection(doc *document, parent section, p part) {
	name, suggestion := join(parent.path, p.name), ""
	if header, ok := nearestSection(d.root().table.Type(), name); ok {
		suggestion = fmt.Sprintf("did you mean %s?", header)
	}
	d.fault(doc, p.at, name, fmt.Sprintf("there is no section %q", name), suggestion)
}

// nearestSection finds the section that was meant by a name, which may lack
// that of the section around it.
func nearestSection(root reflect.Type, name string) (header string, found bool) {
	headers, names := map[string]string{}, []string(nil)
	for _, t := range (table{typ: root}).all() {
		for _, known := range []string{t.path, lastName(t.path)} {
			if _, taken := headers[known]; !taken && known != "" {
				headers[known] = t.header
				names = append(names, known)
			}
		}
	}
	if header, found = headers[name]; found {
		return header, true
	}
	near, found := nearest(name, names)
	return headers[near], found
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
	for _, t := range (table{typ: root}).all() {
		all = append(all, keysOf(t.typ)...)
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
		"relayhost":                             "next_hop, or smarthost for a provider",
		"smtp_sasl_password_maps":               "username and password_file beside next_hop or smarthost",
		"smtp_fallback_relay":                   "fallback",
		"sender_dependent_relayhost_maps":       "from of a [[route]]",
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
		"smtpd_client_connection_count_limit":   "connections under [clients]",
		"smtpd_client_connection_rate_limit":    "connection_rate under [clients]",
		"smtpd_client_message_rate_limit":       "message_rate under [clients]",
		"smtpd_client_recipient_rate_limit":     "recipient_rate under [clients]",
		"smtpd_client_event_limit_exceptions":   "exempt under [clients]",
		"default_process_limit":                 "max_connections under [admission]",
		"smtpd_tls_cert_file":                   "certificate under [tls]",
		"smtpd_tls_key_file":                    "key under [tls]",
	}
	here, ok := names[key]
	return here, ok
}
