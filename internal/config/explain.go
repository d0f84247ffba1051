package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Setting is one key of a configuration as it is in force.
type Setting struct {
	// Key is the whole key, as in "retry.expire" or "listener[0].address".
	Key string `json:"key"`
	// Value is written as in TOML.
	Value string `json:"value"`
	// From says where it was found: "default", "weir.toml:12", the name of a variable
	// of the environment, or "command line".
	From string `json:"from"`
}

// Explain reads and checks a configuration as [Load] does, and tells of each key what
// it is and where that comes from, in the order of the manual. It has no secrets: the
// configuration names files that do.
func Explain(src Source) (settings []Setting, warnings []Fault, err error) {
	d := read(src)
	if len(d.faults) > 0 {
		return nil, d.warnings, &Error{d.faults}
	}
	return d.settings(nil, reflect.ValueOf(d.config).Elem(), ""), d.warnings, nil
}

// settings lists the keys of a section, then those of the sections below it.
func (d *decoder) settings(all []Setting, table reflect.Value, path string) []Setting {
	var sections []Setting
	for _, f := range fieldsOf(table.Type()) {
		v, key := table.FieldByIndex(f.index), join(path, f.key)
		switch {
		case f.isSectionList():
			for i := range v.Len() {
				sections = d.settings(sections, v.Index(i), at(key, i))
			}
		case f.isSection():
			sections = d.settings(sections, v, key)
		default:
			all = append(all, Setting{Key: key, Value: formatTOML(v), From: d.from(key)})
		}
	}
	return append(all, sections...)
}

// from says where a key was set, itself or with the section that it stands in.
func (d *decoder) from(key string) string {
	f, set := d.places[key]
	switch {
	case !set:
		return "default"
	case f.Line > 0:
		return fmt.Sprintf("%s:%d", f.File, f.Line)
	case f.File == "environment":
		if strings.HasPrefix(f.Key, "WEIR_") {
			return f.Key
		}
		return EnvName(key)
	}
	return f.File
}
