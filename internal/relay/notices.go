package relay

import (
	"strings"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/outbound/bounce"
)

// noticeLanguages are the languages of notices as the configuration has them.
func noticeLanguages(n config.Notices) bounce.Languages {
	l := bounce.Languages{Default: n.Language, Domains: map[string][]string{}}
	for i := range n.Domains {
		for _, domain := range n.Domains[i].Of {
			l.Domains[strings.ToLower(domain)] = n.Domains[i].Language
		}
	}
	return l
}
