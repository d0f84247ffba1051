package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// prefix begins the name of every environment variable of Weir.
const prefix = "WEIR_"

// fileSuffix ends the name of a variable that names a file with the value, as
// container platforms mount secrets.
const fileSuffix = "_FILE"

// maxElement bounds the index of a [[section]] in the environment.
const maxElement = 99

// EnvName is the environment variable of a key: "retry.expire" is set by
// WEIR_RETRY__EXPIRE, and "listener[0].address" by WEIR_LISTENER__0__ADDRESS.
func EnvName(key string) string {
	key = strings.NewReplacer("[", ".", "]", "").Replace(key)
	return prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "__"))
}

// environment takes the variables that belong to Weir, in the order of their
// names.
func (d *decoder) environment(environ []string) {
	vars := map[string]string{}
	for _, pair := range environ {
		if name, text, ok := strings.Cut(pair, "="); ok && strings.HasPrefix(name, prefix) {
			vars[name] = text
		}
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		d.variable(vars, name)
	}
}

// variable takes one variable.
func (d *decoder) variable(vars map[string]string, name string) {
	place := Fault{File: "environment", Key: name}
	keys := strings.Split(strings.ToLower(strings.TrimPrefix(name, prefix)), "__")
	t, err := d.find(keys)
	text := vars[name]
	if base, isFile := strings.CutSuffix(name, fileSuffix); err != nil && isFile {
		last := len(keys) - 1
		keys[last] = strings.TrimSuffix(keys[last], strings.ToLower(fileSuffix))
		if named, fileErr := d.find(keys); fileErr == nil {
			if _, both := vars[base]; both {
				d.report(place, fmt.Sprintf("%s and %s are both set", base, name), "set one of them")
				return
			}
			t, err = named, nil
			if text, err = d.readSecret(vars[name]); err != nil {
				d.report(place, fmt.Sprintf("%s: %v", name, err), "")
				return
			}
		}
	}
	if err != nil {
		d.unknownVariable(place, name, err)
		return
	}
	d.set(t, place, name, text)
}

// readSecret reads the file that a _FILE variable names. The end of the line
// that editors leave is no part of a secret.
func (d *decoder) readSecret(file string) (string, error) {
	data, err := d.readFile(file)
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", plain(err))
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// unknownVariable reports a variable that sets nothing. With a section in its
// name it was meant for Weir and is a fault; without one it may be somebody
// else's, and is a warning. Kubernetes sets some for a service called weir,
// and WEIR_CONFIG names the file: these are known.
func (d *decoder) unknownVariable(place Fault, name string, err error) {
	place.Problem, place.Suggestion = fmt.Sprintf("%s sets nothing: %v", name, err), hintOf(err)
	switch {
	case strings.Contains(name, "__"):
		d.faults = append(d.faults, place)
	case name != prefix+"CONFIG" && !isServiceLink(name):
		d.warnings = append(d.warnings, place)
	}
}

// isServiceLink says whether Kubernetes sets a variable in every pod for a
// service that is called weir or weir-something.
func isServiceLink(name string) bool {
	return strings.HasSuffix(name, "_SERVICE_HOST") || strings.Contains(name, "_SERVICE_PORT") ||
		strings.HasSuffix(name, "_PORT") || strings.Contains(name, "_PORT_") ||
		strings.HasPrefix(name, prefix+"SERVICE_") || strings.HasPrefix(name, prefix+"PORT")
}

// flags takes the settings of the command line, in the order of their names.
func (d *decoder) flags(flags map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		place := Fault{File: "command line", Key: key}
		t, err := d.find(strings.Split(strings.NewReplacer("[", ".", "]", "").Replace(key), "."))
		if err != nil {
			d.report(place, fmt.Sprintf("%s: %v", key, err), hintOf(err))
			continue
		}
		d.set(t, place, key, flags[key])
	}
}

// target is a key found by its path.
type target struct {
	value reflect.Value
	path  string
}

// find follows a path such as smtp, max_errors or listener, 0, address. The
// index may be one beyond the end of a list of sections, which appends.
func (d *decoder) find(keys []string) (target, error) {
	t := target{value: d.root().table}
	for i := 0; i < len(keys); i++ {
		f, ok := fieldOf(t.value.Type(), keys[i])
		if !ok {
			return target{}, d.notFound(t, keys[i])
		}
		t = target{t.value.FieldByIndex(f.index), join(t.path, f.key)}
		if f.isSectionList() {
			i++
			if i == len(keys) {
				break
			}
			var err error
			if t, err = elementOf(t, keys[i]); err != nil {
				return target{}, err
			}
		}
		if !isTable(t.value.Type()) && i+1 < len(keys) {
			return target{}, fmt.Errorf("%s is a key and has none below it", t.path)
		}
	}
	if isTable(t.value.Type()) || t.value.Kind() == reflect.Slice && isTable(t.value.Type().Elem()) {
		return target{}, fmt.Errorf("%s is a section, and the key in it is missing", t.path)
	}
	return t, nil
}

// notFound says that a section has no such key, with what was probably meant.
func (d *decoder) notFound(t target, key string) error {
	err := fmt.Errorf("there is no key %q", join(t.path, key))
	near, ok := nearest(key, keysOf(t.value.Type()))
	if !ok {
		return err
	}
	return hint{err, fmt.Sprintf("did you mean %q, as %s?", join(t.path, near), EnvName(join(t.path, near)))}
}

// elementOf finds an element of a list of sections by its number, from 0.
func elementOf(list target, index string) (target, error) {
	n, err := strconv.Atoi(index)
	switch {
	case err != nil || n < 0 || n > maxElement:
		return target{}, fmt.Errorf("%q is not the number of a %s: the first is 0", index, list.path)
	case n > list.value.Len():
		return target{}, fmt.Errorf("there is no %s: number %d is not set", at(list.path, n), n-1)
	case n == list.value.Len():
		list.value.Set(reflect.Append(list.value, prototype(list.value.Type().Elem())))
	}
	return target{list.value.Index(n), at(list.path, n)}, nil
}

// set sets a key from text. Lists are separated by commas.
func (d *decoder) set(t target, place Fault, name, text string) {
	place.Key = t.path
	d.places[t.path] = place
	if t.value.Kind() != reflect.Slice {
		if x, ok := d.parsed(t.value.Type(), place, name, text); ok {
			t.value.Set(x)
		}
		return
	}
	list := reflect.MakeSlice(t.value.Type(), 0, 0)
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		d.places[at(t.path, list.Len())] = place
		x, ok := d.parsed(t.value.Type().Elem(), place, name, item)
		if !ok { // keeps the numbers of those behind it
			x = reflect.Zero(t.value.Type().Elem())
		}
		list = reflect.Append(list, x)
	}
	t.value.Set(list)
}

// parsed reads a single value of type t from text.
func (d *decoder) parsed(t reflect.Type, place Fault, name, text string) (reflect.Value, bool) {
	x, err := leafOf(t).parse(text)
	if err != nil {
		d.report(place, fmt.Sprintf("%s: %v", name, err), hintOf(err))
		return reflect.Value{}, false
	}
	return reflect.ValueOf(x), true
}

// report records a fault at a place that is not in the file.
func (d *decoder) report(place Fault, problem, suggestion string) {
	place.Problem, place.Suggestion = problem, suggestion
	d.faults = append(d.faults, place)
}

// plain takes the operation and the path off an error of the file system,
// where the message names the file itself.
func plain(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
