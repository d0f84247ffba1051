package config

import (
	"fmt"
	"strings"
)

// checkLanes looks at what is said of destinations.
func checkLanes(d *decoder, c *Config) {
	seen, names := map[string]int{}, map[string]int{}
	for i := range c.Lanes {
		l := &c.Lanes[i]
		key := at("lane", i)
		if len(l.Match) == 0 {
			d.wrong(key, "the lane does not say which mail it is for", `set match, as in match = [".example.net"]`)
		}
		for n, name := range l.Match {
			checkLaneMatch(d, at(key+".match", n), name, i, seen)
		}
		checkLaneName(d, key+".name", l, i, names)
		d.atLeast(key+".connections", l.Connections, 0)
		d.atLeast(key+".messages_per_connection", l.MessagesPerConnection, 0)
	}
}

// checkLaneMatch holds a name to those that can match, once.
func checkLaneMatch(d *decoder, key, name string, lane int, seen map[string]int) {
	if err := checkDomain(strings.TrimPrefix(name, ".")); err != nil {
		d.wrong(key, err.Error(), "")
		return
	}
	name = strings.ToLower(name)
	if first, twice := seen[name]; twice {
		d.wrong(key, fmt.Sprintf("%s is in %s already", name, at("lane", first)), "remove one of the two")
		return
	}
	seen[name] = lane
}

// checkLaneName sees to it that a name can be typed, and is there once.
func checkLaneName(d *decoder, key string, l *Lane, lane int, names map[string]int) {
	if strings.ContainsFunc(l.Name, func(r rune) bool {
		return r <= ' ' || r > '~' || r == ',' || r == '@'
	}) || len(l.Name) > 60 {
		d.wrong(key, fmt.Sprintf("%q cannot be the name of a lane", l.Name), "use up to 60 letters, digits and signs of ASCII, without spaces, commas and @")
		return
	}
	name := l.Label()
	if first, twice := names[name]; twice && name != "" {
		d.wrong(key, fmt.Sprintf("%s is called %s already", at("lane", first), name), "give it another name")
		return
	}
	names[name] = lane
}

// Label is what the lane is called.
func (l *Lane) Label() string {
	switch {
	case l.Name != "":
		return strings.ToLower(l.Name)
	case len(l.Match) > 0:
		return strings.ToLower(strings.TrimPrefix(l.Match[0], "."))
	}
	return ""
}
