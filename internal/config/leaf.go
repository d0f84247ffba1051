package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// leaf is what a kind of value is called, and how it is read from text.
type leaf struct {
	name  string                    // for the manual: "duration"
	want  string                    // for faults: "a duration in quotes, such as "30s""
	kinds []unstable.Kind           // of TOML, that may stand for it
	parse func(string) (any, error) // from text, also from the environment
}

// choice is a type whose values are a closed list of words.
type choice interface{ choices() []string }

// leafOf describes a type that is neither a section nor a list. Types come from
// our own struct alone, so one that is not here is a mistake of the programmer;
// a test walks all of them.
func leafOf(t reflect.Type) leaf {
	text := []unstable.Kind{unstable.String}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return leaf{"duration", `a duration in quotes, such as "30s"`, text, wrap(ParseDuration)}
	case reflect.TypeFor[Size]():
		return leaf{"size", `a size, such as "50MiB"`, append(text, unstable.Integer), wrap(ParseSize)}
	case reflect.TypeFor[netip.Prefix]():
		return leaf{"network", `a network in quotes, such as "192.0.2.0/24"`, text, wrap(parseNetwork)}
	case reflect.TypeFor[netip.Addr]():
		return leaf{"address", `an address in quotes, such as "192.0.2.1"`, text, wrap(parseAddr)}
	case reflect.TypeFor[netip.AddrPort]():
		return leaf{"address", `an address in quotes, such as "192.0.2.53"`, text, wrap(parseDNSServer)}
	case reflect.TypeFor[NextHop]():
		return leaf{"server", `a server in quotes, such as "smtp://host:25"`, text, wrap(ParseNextHop)}
	case reflect.TypeFor[Smarthost]():
		return leaf{"provider", `a provider in quotes, such as "ses:eu-west-1"`, text, wrap(parseSmarthost)}
	case reflect.TypeFor[slog.Level]():
		return leaf{"level", `a level in quotes, such as "info"`, text, wrap(parseLevel)}
	case reflect.TypeFor[Rate]():
		return leaf{"rate", `a rate in quotes, such as "100/1m"`, append(text, unstable.Integer), wrap(ParseRate)}
	case reflect.TypeFor[ByteRate]():
		return leaf{"rate of bytes", `a rate in quotes, such as "100MiB/1h"`, append(text, unstable.Integer), wrap(ParseByteRate)}
	case reflect.TypeFor[WindowDay]():
		return leaf{"day", `a day in quotes, such as "Sun" or "2026-12-24"`, append(text, unstable.LocalDate), wrap(parseWindowDay)}
	case reflect.TypeFor[TimeOfDay]():
		return leaf{"time of day", `a time in quotes, such as "03:00"`, append(text, unstable.LocalTime), wrap(parseTimeOfDay)}
	case reflect.TypeFor[ReplyCode]():
		return leaf{"451 or 421", "451 or 421 without quotes", []unstable.Kind{unstable.Integer}, wrap(parseGreylistReply)}
	case reflect.TypeFor[ParameterCode]():
		return leaf{"504 or 555", "504 or 555 without quotes", []unstable.Kind{unstable.Integer}, wrap(parseParameterCode)}
	case reflect.TypeFor[FileMode]():
		return leaf{"permissions", `permissions in quotes, such as "0660"`, append(text, unstable.Integer), wrap(parseFileMode)}
	case reflect.TypeFor[Secret]():
		return leaf{"secret", `text in quotes`, text, func(s string) (any, error) { return NewSecret(s), nil }}
	}
	return basicLeaf(t, text)
}

// basicLeaf describes the types of the language and those made of them.
func basicLeaf(t reflect.Type, text []unstable.Kind) leaf {
	if c, ok := reflect.Zero(t).Interface().(choice); ok {
		return leaf{"word", "one of the words " + oneOf(c.choices()), text, parseChoice(t, c)}
	}
	switch t.Kind() {
	case reflect.Int:
		return leaf{"number", "a whole number without quotes", []unstable.Kind{unstable.Integer}, wrap(parseNumber)}
	case reflect.Bool:
		return leaf{"boolean", "true or false without quotes", []unstable.Kind{unstable.Bool}, wrap(parseBool)}
	}
	return leaf{"text", "text in quotes", text, func(s string) (any, error) { return s, nil }}
}

// wrap gives a parser the form that leaf wants.
func wrap[T any](parse func(string) (T, error)) func(string) (any, error) {
	return func(s string) (any, error) { return parse(s) }
}

// parseChoice reads a word of a closed list.
func parseChoice(t reflect.Type, c choice) func(string) (any, error) {
	return func(s string) (any, error) {
		for _, word := range c.choices() {
			if s == word {
				return reflect.ValueOf(s).Convert(t).Interface(), nil
			}
		}
		err := fmt.Errorf("%q is not one of %s", s, oneOf(c.choices()))
		if word, ok := nearest(s, c.choices()); ok {
			return nil, hint{err, fmt.Sprintf("did you mean %q?", word)}
		}
		return nil, err
	}
}

// hint is an error that knows what would be right.
type hint struct {
	error
	suggestion string
}

// hintOf returns what an error suggests, if it does.
func hintOf(err error) string {
	var h hint
	if errors.As(err, &h) {
		return h.suggestion
	}
	return ""
}

func parseNumber(s string) (int, error) {
	n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 0, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%s is too large", s)
	case err != nil:
		return 0, fmt.Errorf("%q is not a whole number", s)
	}
	return int(n), nil
}

func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", s)
}

func parseAddr(s string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%q is not an IP address", s)
	}
	return addr.Unmap(), nil
}

func parseDNSServer(s string) (netip.AddrPort, error) { return parseAddrPort(s, 53) }

// kindName is what TOML calls a kind of value.
func kindName(k unstable.Kind) string {
	switch k {
	case unstable.String:
		return "text"
	case unstable.Integer:
		return "a number"
	case unstable.Float:
		return "a number with a fraction"
	case unstable.Bool:
		return "true or false"
	case unstable.Array:
		return "a list"
	case unstable.InlineTable:
		return "a table"
	}
	return "a date or time"
}
