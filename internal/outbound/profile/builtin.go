package profile

import (
	_ "embed"
	"fmt"

	"github.com/pelletier/go-toml/v2"
)

//go:embed builtin.toml
var builtin []byte

// file is how the built-in profiles are written.
type file struct {
	Profile []struct {
		Name        string   `toml:"name"`
		Hosts       []string `toml:"hosts"`
		Connections int      `toml:"connections"`
		Pace        float64  `toml:"pace"`
		Messages    int      `toml:"messages"`
		Recipients  int      `toml:"recipients"`
	} `toml:"profile"`
}

// Builtin returns the profiles of the large providers. It fails only where the
// program is built wrong.
func Builtin() ([]Profile, error) {
	var f file
	if err := toml.Unmarshal(builtin, &f); err != nil {
		return nil, fmt.Errorf("reading the built-in profiles of destinations: %w", err)
	}
	profiles := make([]Profile, len(f.Profile))
	for i, p := range f.Profile {
		profiles[i] = Profile{
			Name: p.Name, Hosts: p.Hosts,
			Limits: Limits{Connections: p.Connections, Pace: p.Pace, Messages: p.Messages, Recipients: p.Recipients},
		}
	}
	return profiles, nil
}
