package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// decoder fills a Config from the file, the environment and the command line,
// and remembers where each value came from, so that what turns out wrong later
// can be shown in its place.
type decoder struct {
	config   *Config
	places   map[string]Fault // path of a key, to where it was set
	faults   []Fault
	warnings []Fault
	readFile func(string) ([]byte, error)
	path     string // of the file
	broken   bool   // the file has errors of syntax
}

// section is the table that the keys of the file belong to at the moment.
type section struct {
	table  reflect.Value
	path   string // "", "smtp", "listener[0]"
	header string // "", "[smtp]", "[[listener]]"
	lost   bool   // it does not exist; its keys are not looked at
}

func newDecoder(c *Config) *decoder {
	return &decoder{config: c, places: map[string]Fault{}}
}

// root is the top of the configuration.
func (d *decoder) root() section { return section{table: reflect.ValueOf(d.config).Elem()} }

// document takes all settings of a file.
func (d *decoder) document(doc *document) {
	d.faults = append(d.faults, doc.faults...)
	d.broken = len(doc.faults) > 0
	current, header := d.root(), -1
	for _, s := range doc.statements {
		switch {
		case s.kind != unstable.KeyValue:
			current, header = d.open(doc, s), s.path[0].at.start
		case !doc.inLostSection(s, header):
			d.keyValue(doc, current, s)
		}
	}
}

// open begins the section that a header names.
func (d *decoder) open(doc *document, s statement) section {
	parent, ok := d.descend(doc, d.root(), s.path, true)
	if !ok {
		return section{lost: true}
	}
	last := s.path[len(s.path)-1]
	f, ok := fieldOf(parent.table.Type(), last.name)
	switch {
	case !ok:
		d.unknownSection(doc, parent, last)
		return section{lost: true}
	case f.isSectionList():
		if s.kind == unstable.Table {
			d.fault(doc, last.at, f.header(parent.path), fmt.Sprintf("there can be several %ss, so each stands in double brackets", f.key), "write "+f.header(parent.path))
		}
		return d.element(doc, parent, f, last.at)
	case !f.isSection():
		d.fault(doc, last.at, f.key, fmt.Sprintf("%s is a key, not a section", f.key), fmt.Sprintf("write %s = …", f.key))
		return section{lost: true}
	case s.kind == unstable.ArrayTable:
		d.fault(doc, last.at, f.header(parent.path), fmt.Sprintf("there is only one %s, so it stands in single brackets", f.key), "write "+f.header(parent.path))
	default:
		d.once(doc, join(parent.path, f.key), last.at, f.header(parent.path))
	}
	return section{table: parent.table.FieldByIndex(f.index), path: join(parent.path, f.key), header: f.header(parent.path)}
}

// element appends an element to a list of sections. The first one of the file
// replaces what the list held by default.
func (d *decoder) element(doc *document, parent section, f field, mark span) section {
	list := parent.table.FieldByIndex(f.index)
	path := join(parent.path, f.key)
	if _, begun := d.places[path]; !begun {
		d.places[path] = doc.fault(mark, path, "", "")
		list.SetLen(0)
	}
	list.Set(reflect.Append(list, prototype(f.typ.Elem())))
	n := list.Len() - 1
	d.places[at(path, n)] = doc.fault(mark, at(path, n), "", "")
	return section{table: list.Index(n), path: at(path, n), header: f.header(parent.path)}
}

// descend follows all but the last name of a dotted key, or of a header. In a
// header, a list of sections stands for its last element.
func (d *decoder) descend(doc *document, s section, path []part, header bool) (section, bool) {
	for _, p := range path[:len(path)-1] {
		f, ok := fieldOf(s.table.Type(), p.name)
		switch {
		case ok && f.isSection():
			s = section{table: s.table.FieldByIndex(f.index), path: join(s.path, f.key), header: f.header(s.path)}
		case ok && f.isSectionList() && header:
			list := s.table.FieldByIndex(f.index)
			if _, begun := d.places[join(s.path, f.key)]; !begun {
				d.fault(doc, p.at, join(s.path, f.key), "there is no "+f.header(s.path)+" before it", "write "+f.header(s.path)+" above it")
				return section{}, false
			}
			s = section{table: list.Index(list.Len() - 1), path: at(join(s.path, f.key), list.Len()-1), header: f.header(s.path)}
		default:
			d.unknownKey(doc, s, p)
			return section{}, false
		}
	}
	return s, true
}

// keyValue takes one setting.
func (d *decoder) keyValue(doc *document, s section, kv statement) {
	if s.lost {
		return
	}
	s, ok := d.descend(doc, s, kv.path, false)
	if !ok {
		return
	}
	last := kv.path[len(kv.path)-1]
	f, ok := fieldOf(s.table.Type(), last.name)
	if !ok {
		d.unknownKey(doc, s, last)
		return
	}
	path := join(s.path, f.key)
	if !d.once(doc, path, last.at, f.key) {
		return
	}
	switch {
	case f.isSectionList():
		d.inlineList(doc, s, f, kv.value)
	case f.isSection():
		d.inlineTable(doc, section{table: s.table.FieldByIndex(f.index), path: path, header: f.header(s.path)}, kv.value)
	default:
		d.places[path] = doc.fault(kv.value.at, path, "", "")
		d.assign(doc, s.table.FieldByIndex(f.index), path, kv.value)
	}
}

// once notes that a key is set, and reports it if it was set before.
func (d *decoder) once(doc *document, path string, mark span, name string) bool {
	if first, twice := d.places[path]; twice {
		d.fault(doc, mark, path, fmt.Sprintf("%s is there twice, first in line %d", name, first.Line), "")
		return false
	}
	d.places[path] = doc.fault(mark, path, "", "")
	return true
}

// inlineTable takes a section written as { key = value }.
func (d *decoder) inlineTable(doc *document, s section, v value) {
	if v.kind != unstable.InlineTable {
		d.fault(doc, v.at, s.path, fmt.Sprintf("%s is a section, not a key", s.path), "write "+s.header+" and its keys below it")
		return
	}
	for _, kv := range v.entries {
		d.keyValue(doc, s, kv)
	}
}

// inlineList takes sections written as [{ key = value }, { … }].
func (d *decoder) inlineList(doc *document, s section, f field, v value) {
	delete(d.places, join(s.path, f.key))
	s.table.FieldByIndex(f.index).SetLen(0)
	items := v.list
	if v.kind != unstable.Array {
		items = []value{v}
	}
	for _, item := range items {
		element := d.element(doc, s, f, item.at)
		if short, ok := element.table.Interface().(shorthand); ok && item.kind == unstable.String {
			d.short(doc, element, short.shorthand(item.text), item)
			continue
		}
		d.inlineTable(doc, element, item)
	}
}

// shorthand is a section that may be written as the value of one of its keys
// alone, where it stands in a list.
type shorthand interface {
	// shorthand returns the key that a value is of.
	shorthand(text string) (key string)
}

// short takes a section that is written as a value.
func (d *decoder) short(doc *document, s section, key string, v value) {
	f, _ := fieldOf(s.table.Type(), key)
	path := join(s.path, key)
	d.places[path] = doc.fault(v.at, path, "", "")
	d.assign(doc, s.table.FieldByIndex(f.index), path, v)
}

// assign sets a key from a value of the file. A list may be written as a single
// value.
func (d *decoder) assign(doc *document, dst reflect.Value, path string, v value) {
	if dst.Kind() != reflect.Slice {
		if x, ok := d.scalar(doc, dst.Type(), path, v); ok {
			dst.Set(x)
		}
		return
	}
	items := []value{v}
	if v.kind == unstable.Array {
		items = v.list
	}
	list := reflect.MakeSlice(dst.Type(), 0, len(items))
	for i, item := range items {
		d.places[at(path, i)] = doc.fault(item.at, at(path, i), "", "")
		x, ok := d.scalar(doc, dst.Type().Elem(), at(path, i), item)
		if !ok { // keeps the numbers of those behind it
			x = reflect.Zero(dst.Type().Elem())
		}
		list = reflect.Append(list, x)
	}
	dst.Set(list)
}

// scalar reads a single value of type t.
func (d *decoder) scalar(doc *document, t reflect.Type, key string, v value) (reflect.Value, bool) {
	l := leafOf(t)
	if !slices.Contains(l.kinds, v.kind) {
		d.fault(doc, v.at, key, fmt.Sprintf("%s wants %s, not %s", lastName(key), l.want, kindName(v.kind)), rewritten(l, key, v))
		return reflect.Value{}, false
	}
	x, err := l.parse(v.text)
	if err != nil {
		d.fault(doc, v.at, key, err.Error(), hintOf(err))
		return reflect.Value{}, false
	}
	return reflect.ValueOf(x), true
}

// rewritten shows a value of the wrong kind as it would be right, if that much
// is certain: quotes too many or too few.
func rewritten(l leaf, key string, v value) string {
	if l.name == "duration" && v.kind == unstable.Integer {
		return fmt.Sprintf("write %s = \"%ss\" for seconds", lastName(key), v.text)
	}
	x, err := l.parse(v.text)
	if err != nil || v.kind == unstable.Array || v.kind == unstable.InlineTable || v.text == "" {
		return ""
	}
	text := v.text
	switch l.kinds[0] {
	case unstable.String:
		text = fmt.Sprintf("%q", v.text)
	case unstable.Bool: // the environment takes words that TOML does not
		text = fmt.Sprint(x)
	}
	return fmt.Sprintf("write %s = %s", lastName(key), text)
}

// lastName is the key itself: "max" of "retry.max", "allow" of
// "clients.allow[2]".
func lastName(key string) string {
	name, _, _ := strings.Cut(key[strings.LastIndexByte(key, '.')+1:], "[")
	return name
}

// fault records what is wrong at a place of the file.
func (d *decoder) fault(doc *document, mark span, key, problem, suggestion string) {
	d.faults = append(d.faults, doc.fault(mark, key, problem, suggestion))
}
