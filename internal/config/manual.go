package config

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
)

// introduction is the part of the manual that is not about single keys.
//
//go:embed introduction.md
var introduction string

// Manual writes docs/configuration.md: how a configuration is written, then
// every key, from the same comments as [Reference].
func Manual(w io.Writer) error {
	all, err := entries()
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(introduction)
	b.WriteString("\n## At the top of the file\n")
	for _, e := range all {
		if e.isSection() || e.isSectionList() {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n", e.section, e.doc)
			continue
		}
		writeKey(&b, e)
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// writeKey writes the explanation of one key.
func writeKey(b *strings.Builder, e entry) {
	fmt.Fprintf(b, "\n### `%s`\n\n%s\n\n", e.key, e.doc)
	fmt.Fprintf(b, "| takes | %s | environment |\n|---|---|---|\n", defaultHead(e))
	fmt.Fprintf(b, "| %s | `%s` | `%s` |\n", e.kind(), strings.TrimPrefix(e.assignment(), e.key+" = "), EnvName(e.path))
}

// defaultHead says what the middle column shows.
func defaultHead(e entry) string {
	if e.hasDefault() {
		return "default"
	}
	return "not set; for example"
}
