package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirmail/weir/internal/dkim"
)

// checkDKIM looks at the keys that sign, so that a wrong one is heard of now.
func checkDKIM(d *decoder, c *Config, src Source) {
	seen := map[string]bool{}
	for i := range c.DKIM {
		k, key := &c.DKIM[i], at("dkim", i)+"."
		checkDKIMName(d, key, k)
		checkDKIMKey(d, src, key+"key_file", k.KeyFile)
		checkDKIMHeaders(d, key+"headers", k.Headers)
		if k.Expire < 0 || k.Expire > 0 && k.Expire < c.Retry.Expire {
			d.wrong(key+"expire", fmt.Sprintf("a signature of %s ends before mail is given up (retry.expire is %s)", FormatDuration(k.Expire), FormatDuration(c.Retry.Expire)), "take it out, or write a longer time")
		}
		name := strings.ToLower(dkim.Name(k.Selector, strings.TrimSuffix(k.Domain, ".")))
		if seen[name] {
			d.wrong(key+"selector", fmt.Sprintf("%s has a key by this selector already", k.Domain), "give each key of a domain a selector of its own")
		}
		seen[name] = true
	}
}

// checkDKIMName looks at where the record of a key is.
func checkDKIMName(d *decoder, prefix string, k *DKIM) {
	if k.Domain == "" {
		d.lacks(prefix+"domain", "a key needs the domain that it signs for", "")
	} else if err := checkDomain(k.Domain); err != nil {
		d.wrong(prefix+"domain", err.Error(), "")
	}
	if k.Selector == "" {
		d.lacks(prefix+"selector", "a key needs its selector, the name by which the DNS has it", "")
	} else if !isSelector(k.Selector) {
		d.wrong(prefix+"selector", fmt.Sprintf("%q is not a selector", k.Selector), `write letters, digits and hyphens, as "s2026"`)
	}
}

// isSelector tells whether s is a selector: labels of a name (RFC 6376 section 3.1).
func isSelector(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range label {
			if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
				return false
			}
		}
	}
	return len(s) < 200
}

// checkDKIMKey reads a key as signing does.
func checkDKIMKey(d *decoder, src Source, key, file string) {
	if file == "" {
		d.lacks(key, "the file of the private key is not named", "make one by: weir dkim generate DOMAIN")
		return
	}
	text, err := src.ReadFile(file)
	if err != nil {
		d.wrong(key, fmt.Sprintf("%s cannot be read: %v", file, plain(err)), "make a key by: weir dkim generate DOMAIN")
		return
	}
	if mode, err := src.mode(file); err == nil && mode.Perm()&0o007 != 0 {
		d.doubt(key, fmt.Sprintf("everyone on this machine may open %s, and so sign mail in the name of the domain", file), "chmod o-rwx "+file)
	}
	if _, err := dkim.ParseKey(text); err != nil {
		d.wrong(key, fmt.Sprintf("%s cannot be used: %v", file, err), "")
	}
}

// neverSigned are fields that servers on the way change, so that a signature over
// them would break.
var neverSigned = []string{"received", "return-path", "dkim-signature", "bcc", "resent-bcc", "authentication-results"}

// checkDKIMHeaders looks at the names of fields.
func checkDKIMHeaders(d *decoder, key string, names []string) {
	for i, name := range names {
		switch lower := strings.ToLower(name); {
		case name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' || r == ';' }):
			d.wrong(at(key, i), fmt.Sprintf("%q is not the name of a header field", name), "write the name alone, without a colon")
		case slices.Contains(neverSigned, lower):
			d.wrong(at(key, i), fmt.Sprintf("%s changes on the way: no signature that covers it would hold", name), "take it out")
		}
	}
}
