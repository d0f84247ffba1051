package bounce

import (
	"slices"
	"strings"

	"github.com/weirmail/weir/reply/catalog"
	"github.com/weirmail/weir/smtp"
)

// Languages say in which languages notices are written. The zero value is English
// for everybody. It is not changed once it is used.
type Languages struct {
	// Default is for everybody of whom Domains says nothing.
	Default []string
	// Domains is by the domain of whom a notice goes to, in lower case. One that
	// begins with a dot stands for the names below it.
	Domains map[string][]string
}

// For returns the languages for a reverse-path. The most specific domain wins.
func (l *Languages) For(reversePath smtp.Path) []string {
	domain := strings.ToLower(strings.TrimSuffix(reversePath.Domain, "."))
	if tags, ok := l.Domains[domain]; ok {
		return tags
	}
	for {
		_, below, ok := strings.Cut(domain, ".")
		if !ok {
			return l.Default
		}
		if tags, ok := l.Domains["."+below]; ok {
			return tags
		}
		domain = below
	}
}

// catalogs returns the catalogue in the languages of the notice, each once.
func (r *Report) catalogs() []*catalog.Catalog {
	var all []*catalog.Catalog
	for _, tag := range r.Languages {
		if c := catalog.In(tag); !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		all = append(all, catalog.In("en"))
	}
	return all
}

// tags names the languages of a notice for its header (RFC 3282).
func tags(all []*catalog.Catalog) string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Language.Tag
	}
	return strings.Join(names, ", ")
}
