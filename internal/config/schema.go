package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is a key of a section: a field of its struct that has a toml tag.
type field struct {
	key     string
	name    string // of the Go field
	typ     reflect.Type
	owner   string // the struct that declares it
	index   []int
	unit    string
	example string
}

// fieldsOf lists the keys of a section, with those of the structs that are
// embedded in it.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				fields = append(fields, inner)
			}
			continue
		}
		key := f.Tag.Get("toml")
		if key == "" || key == "-" {
			continue
		}
		fields = append(fields, field{
			key: key, name: f.Name, typ: f.Type, owner: t.Name(), index: []int{i},
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

// header is how a section begins in the file, below the one that path names;
// "" is the top.
func (f field) header(path string) string {
	name := join(withoutIndices(path), f.key)
	if f.isSectionList() {
		return "[[" + name + "]]"
	}
	return "[" + name + "]"
}

// withoutIndices is a path as headers write it: "route.fallback" of
// "route[0].fallback[1]".
func withoutIndices(path string) string {
	for {
		from := strings.IndexByte(path, '[')
		if from < 0 {
			return path
		}
		path = path[:from] + path[from+strings.IndexByte(path[from:], ']')+1:]
	}
}

// isTable says whether a type is a section and not a value, such as a network,
// that happens to be a struct.
func isTable(t reflect.Type) bool { return t.Kind() == reflect.Struct && len(fieldsOf(t)) > 0 }

// prototype is what a new element of a list of sections starts from.
func prototype(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t {
	case reflect.TypeFor[Listener]():
		v.Set(reflect.ValueOf(defaultListener()))
	case reflect.TypeFor[Window]():
		v.Set(reflect.ValueOf(Window{Length: time.Hour}))
	}
	return v
}

// table is a section as the file names it.
type table struct {
	path   string // "clients.network"; "" is the top
	header string // "[clients.network]"
	typ    reflect.Type
}

// all lists a section and those below it.
func (t table) all() []table {
	all := []table{t}
	for _, f := range fieldsOf(t.typ) {
		inner := f.typ
		switch {
		case f.isSectionList():
			inner = f.typ.Elem()
		case !f.isSection():
			continue
		}
		all = append(all, table{join(t.path, f.key), f.header(t.path), inner}.all()...)
	}
	return all
}

// sectionsWith lists the sections that have a key, as they begin in the file.
// The top of the file is "".
func sectionsWith(root reflect.Type, key string) []string {
	var found []string
	for _, t := range (table{typ: root}).all() {
		if _, ok := fieldOf(t.typ, key); ok {
			found = append(found, t.header)
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
