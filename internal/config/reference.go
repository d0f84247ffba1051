package config

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// source is the files whose field comments are the manual.
//
//go:embed config.go server.go admission.go auth.go lane.go
var source embed.FS

// entry is a key or a section as the manual shows it.
type entry struct {
	field
	section string        // the header it stands under; "" at the top
	path    string        // "retry.expire", "listener[0].address"
	doc     string        // its comment, one line for each of the source
	value   reflect.Value // the default
}

// entries lists the manual in the order of the struct: the keys at the top,
// then each section followed by its keys.
func entries() ([]entry, error) {
	docs, err := comments()
	if err != nil {
		return nil, err
	}
	return inner(reflect.ValueOf(Default()).Elem(), "", "", docs), nil
}

// inner lists the keys of a section, then the sections below it.
func inner(table reflect.Value, path, header string, docs map[string]map[string]string) []entry {
	var keys, sections []entry
	for _, f := range fieldsOf(table.Type()) {
		e := entry{
			field: f, section: header, path: join(path, f.key),
			doc: docs[f.owner][f.name], value: table.FieldByIndex(f.index),
		}
		switch {
		case f.isSectionList():
			e.section = f.header(path)
			sections = append(append(sections, e), inner(prototype(f.typ.Elem()), at(e.path, 0), e.section, docs)...)
		case f.isSection():
			e.section = f.header(path)
			sections = append(append(sections, e), inner(e.value, e.path, e.section, docs)...)
		default:
			keys = append(keys, e)
		}
	}
	return append(keys, sections...)
}

// comments reads the comments of all fields from our own source: struct, field,
// text.
func comments() (map[string]map[string]string, error) {
	docs := map[string]map[string]string{}
	for _, name := range []string{"config.go", "server.go", "admission.go", "auth.go", "lane.go"} {
		text, err := source.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading the manual: %w", err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("reading the manual: %w", err)
		}
		ast.Inspect(file, func(n ast.Node) bool { return readComments(n, docs) })
	}
	return docs, nil
}

// readComments takes the comments of a struct. It reports whether to look
// further down.
func readComments(n ast.Node, docs map[string]map[string]string) bool {
	spec, ok := n.(*ast.TypeSpec)
	if !ok {
		return true
	}
	fields := map[string]string{}
	if s, ok := spec.Type.(*ast.StructType); ok {
		for _, f := range s.Fields.List {
			for _, name := range f.Names {
				fields[name.Name] = strings.TrimSpace(f.Doc.Text())
			}
		}
	}
	docs[spec.Name.Name] = fields
	return false
}

// kind says what a key takes: "size", "list of networks", a choice of words.
func (e entry) kind() string {
	t, list := e.typ, ""
	if t.Kind() == reflect.Slice {
		t, list = t.Elem(), "list of "
	}
	l := leafOf(t)
	switch {
	case l.name == "word":
		return oneOf(reflect.Zero(t).Interface().(choice).choices())
	case list != "" && l.name == "address":
		return list + "addresses"
	case list != "" && l.name != "text":
		return list + l.name + "s"
	case e.unit != "":
		return l.name + " of " + e.unit
	}
	return list + l.name
}

// hasDefault says whether the default is a value that can be written down.
func (e entry) hasDefault() bool {
	c, isChoice := e.value.Interface().(choice)
	switch {
	case !e.value.IsZero():
		return true
	case isChoice:
		return slices.Contains(c.choices(), "")
	case e.typ.Kind() == reflect.String || e.typ.Kind() == reflect.Slice:
		return false
	}
	return e.example == "" // 0 means something, unless the key has to be set
}

// assignment is the key with its default, or with an example where there is
// none.
func (e entry) assignment() string {
	if e.hasDefault() {
		return e.key + " = " + formatTOML(e.value)
	}
	text := strconv.Quote(e.example)
	switch e.typ.Kind() {
	case reflect.Slice:
		text = "[" + text + "]"
	case reflect.Bool:
		text = e.example
	}
	return e.key + " = " + text
}

// facts is the line below the explanation: what the key takes, its default and
// its variable.
func (e entry) facts() string {
	s := "Takes: " + e.kind() + "."
	if !e.hasDefault() {
		s += " Not set by default; below is an example."
	}
	return s + " Environment: " + EnvName(e.path)
}

// formatTOML writes a value as it stands in the file.
func formatTOML(v reflect.Value) string {
	if v.Kind() == reflect.Slice {
		items := make([]string, v.Len())
		for i := range items {
			items[i] = formatTOML(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		return strconv.Quote(FormatDuration(x))
	case slog.Level:
		return strconv.Quote(strings.ToLower(x.String()))
	case fmt.Stringer:
		return strconv.Quote(x.String())
	case int, bool, ReplyCode, ParameterCode:
		return fmt.Sprint(x)
	}
	return strconv.Quote(v.String())
}

// Reference writes a configuration file in which every key stands with its
// explanation and its default, commented out: the output of "weir config
// reference". Taking away the "#" before a key sets it to what it is anyway.
func Reference(w io.Writer) error {
	all, err := entries()
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("# All keys of Weir, with what they are when they are not set.\n")
	for _, e := range all {
		b.WriteString("\n")
		writeComment(&b, e.doc)
		switch {
		case e.isSectionList(), e.isSection() && strings.Contains(e.path, "["):
			fmt.Fprintf(&b, "#%s\n", e.section)
		case e.isSection():
			fmt.Fprintf(&b, "%s\n", e.section)
		default:
			writeComment(&b, e.facts())
			fmt.Fprintf(&b, "#%s\n", e.assignment())
		}
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// writeComment writes text as comment lines.
func writeComment(b *strings.Builder, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(b, "# %s\n", line)
	}
}
