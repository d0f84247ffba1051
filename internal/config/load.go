package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// maxFileSize is the largest configuration that is read: one that is larger is
// some other file.
const maxFileSize = 4 << 20

// Source says where a configuration comes from. Everything that [Load] knows
// of the world comes in here.
type Source struct {
	// Base is what nothing else sets; nil is [Default]. Load copies it.
	Base *Config
	// Path is the TOML file; empty reads none.
	Path string
	// Optional says that the file may be missing: the path is the usual one,
	// not one that somebody named.
	Optional bool
	// Environ is the environment as [os.Environ] gives it.
	Environ []string
	// Flags are settings of the command line, "section.key" to value.
	Flags map[string]string
	// Hostname is the name of the machine, used where hostname is not set.
	Hostname string
	// ReadFile reads the files that the configuration names; nil is
	// [os.ReadFile].
	ReadFile func(name string) ([]byte, error)
	// Stat tells of files that ought to be secret; nil is [os.Stat].
	Stat func(name string) (fs.FileInfo, error)
	// Now is when certificates have to be valid; zero is the present.
	Now time.Time
}

// Load reads, completes and checks a configuration. It returns what is
// probably not meant as warnings, and an [*Error] with all faults where the
// configuration cannot be taken. Both are in the order of the file, then of
// the environment, then of the command line.
func Load(src Source) (c *Config, warnings []Fault, err error) {
	d := read(src)
	if len(d.faults) > 0 {
		return nil, d.warnings, &Error{d.faults}
	}
	return d.config, d.warnings, nil
}

// read reads, completes and checks a configuration.
func read(src Source) *decoder {
	if src.ReadFile == nil {
		src.ReadFile = os.ReadFile
	}
	if src.Stat == nil {
		src.Stat = os.Stat
	}
	if src.Now.IsZero() {
		src.Now = time.Now()
	}
	d := newDecoder(src.base())
	d.readFile, d.path = src.ReadFile, src.Path
	d.file(src)
	d.aliased(src.Environ)
	d.environment(src.Environ)
	d.flags(src.Flags)
	check(d, src)
	sortFaults(d.faults, src.Path)
	sortFaults(d.warnings, src.Path)
	return d
}

// base is the configuration that nothing has been set in yet.
func (src Source) base() *Config {
	c := Default()
	if src.Base != nil {
		*c = *src.Base
		c.Listeners = slices.Clone(c.Listeners) // whose lists are replaced whole
		c.Routes = slices.Clone(c.Routes)
		c.Fallback = slices.Clone(c.Fallback)
		c.OAuthApps = slices.Clone(c.OAuthApps)
		c.Lifecycle.Windows = slices.Clone(c.Lifecycle.Windows)
	}
	if src.Base == nil {
		c.StateDir = stateDirectory(src.Environ, c.StateDir)
	}
	if c.Hostname == "" {
		c.Hostname = src.Hostname
	}
	return c
}

// stateDirectory is the folder that systemd made for us, of the unit's
// StateDirectory=, or otherwise.
func stateDirectory(environ []string, otherwise string) string {
	for _, pair := range environ {
		if dirs, ok := strings.CutPrefix(pair, "STATE_DIRECTORY="); ok && dirs != "" {
			first, _, _ := strings.Cut(dirs, ":")
			return first
		}
	}
	return otherwise
}

// file takes the settings of the file.
func (d *decoder) file(src Source) {
	if src.Path == "" {
		return
	}
	data, err := src.ReadFile(src.Path)
	whole := Fault{File: src.Path}
	switch {
	case errors.Is(err, fs.ErrNotExist) && src.Optional:
		d.path = "" // what is said next is not about a file that is not there
		return
	case errors.Is(err, fs.ErrNotExist):
		d.report(whole, "there is no such file", "weir config reference prints a file to begin with")
		return
	case err != nil:
		d.report(whole, fmt.Sprintf("the file cannot be read: %v", plain(err)), "")
		return
	case len(data) > maxFileSize:
		d.report(whole, fmt.Sprintf("the file has %d octets, which is too much for a configuration", len(data)), "")
		return
	}
	d.document(parseDocument(src.Path, data))
}

// sortFaults puts faults in the order in which a person goes through them: the
// file from top to bottom, what concerns all of it, the environment, the
// command line.
func sortFaults(faults []Fault, file string) {
	rank := func(f Fault) int {
		switch {
		case f.File == file && f.Line > 0:
			return f.Line
		case f.File == file:
			return 1 << 30
		case f.File == "environment":
			return 1<<30 + 1
		}
		return 1<<30 + 2
	}
	slices.SortStableFunc(faults, func(a, b Fault) int {
		if n := rank(a) - rank(b); n != 0 {
			return n
		}
		return a.Column - b.Column
	})
}
