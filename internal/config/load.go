package config

import "time"

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
	// ReadFile reads the files that the configuration names; nil is [os.ReadFile].
	ReadFile func(name string) ([]byte, error)
	// Now is when certificates have to be valid; zero is the present.
	Now time.Time
}

// Load reads, completes and checks a configuration. It returns what is
// probably not meant as warnings, and an [*Error] with all faults where the
// configuration cannot be taken.
func Load(src Source) (c *Config, warnings []Fault, err error) {
	panic("being written")
}
