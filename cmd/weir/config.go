package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/weirmail/weir/internal/config"
)

// configCommands are the verbs of "weir config".
type configCommands struct {
	Check     configCheckCommand     `cmd:"" help:"Say what is wrong with the configuration: all of it at once."`
	Explain   configExplainCommand   `cmd:"" help:"Print what is in force, and where each value comes from."`
	Reference configReferenceCommand `cmd:"" help:"Print all keys with their defaults, as a file to begin with."`
}

// configFlags say where the configuration comes from.
type configFlags struct {
	Config string            `help:"The configuration file. Without it, ${default_config} is read where it exists." placeholder:"FILE" short:"c"`
	Set    map[string]string `help:"Set a key, as in --set retry.expire=2d. It wins over the environment and the file." placeholder:"KEY=VALUE" mapsep:"none"`
}

// defaultConfig is the file that is read where none is named.
const defaultConfig = "/etc/weir/weir.toml"

// load reads the configuration. base is what nothing else sets; nil is the
// default.
func (f *configFlags) load(w *world, base *config.Config) (*config.Config, []config.Fault, error) {
	return config.Load(f.source(w, base))
}

// source says where the configuration comes from.
func (f *configFlags) source(w *world, base *config.Config) config.Source {
	src := config.Source{
		Base:     base,
		Path:     f.Config,
		Environ:  w.environ,
		Flags:    f.Set,
		Hostname: w.hostname,
	}
	if src.Path == "" && base == nil {
		src.Path, src.Optional = defaultConfig, true
	}
	return src
}

// configCheckCommand checks a configuration without running it.
type configCheckCommand struct {
	configFlags
	Routes bool `help:"Print where mail goes as well, in the order in which that is decided."`
	JSON   bool `help:"Print the faults and warnings as JSON."`
}

// checked is the result of a check for machines.
type checked struct {
	OK       bool           `json:"ok"`
	Faults   []config.Fault `json:"faults"`
	Warnings []config.Fault `json:"warnings"`
	// Routes are there where they were asked for.
	Routes []config.RouteLine `json:"routes,omitempty"`
}

// Run checks the configuration.
func (c *configCheckCommand) Run(w *world) error {
	cfg, warnings, err := c.load(w, nil)
	var wrong *config.Error
	if err != nil && !errors.As(err, &wrong) {
		return &exitError{exitSoftware, err}
	}
	if c.JSON {
		return c.printJSON(w, cfg, warnings, wrong)
	}
	printWarnings(w, warnings)
	if wrong != nil {
		return configError(w, wrong)
	}
	if _, err = fmt.Fprintln(w.stdout, "The configuration is in order."); err != nil || !c.Routes {
		return err
	}
	return printRoutes(w.stdout, cfg.RouteLines())
}

// printRoutes prints where mail goes.
func printRoutes(out io.Writer, lines []config.RouteLine) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nThe first line that fits says where mail goes.\n\n\tTO\tFROM\tSERVERS")
	for i := range lines {
		l := &lines[i]
		servers := strings.Join(l.Servers, ", ")
		if len(l.Fallback) > 0 {
			servers += "; else " + strings.Join(l.Fallback, ", ")
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\n", i+1, printable(l.To), printable(cmp.Or(l.From, "*")), printable(servers))
	}
	return table.Flush()
}

func (c *configCheckCommand) printJSON(w *world, cfg *config.Config, warnings []config.Fault, wrong *config.Error) error {
	result := checked{OK: wrong == nil, Faults: []config.Fault{}, Warnings: append([]config.Fault{}, warnings...)}
	if wrong != nil {
		result.Faults = wrong.Faults
	} else if c.Routes {
		result.Routes = cfg.RouteLines()
	}
	encoder := json.NewEncoder(w.stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(result); err != nil {
		return err
	}
	if wrong != nil {
		return &exitError{code: exitConfig}
	}
	return nil
}

func printWarnings(w *world, warnings []config.Fault) {
	for _, f := range warnings {
		fmt.Fprintf(w.stderr, "warning: %v\n", f)
	}
}

// configError prints the faults of a configuration, and counts them.
func configError(w *world, wrong *config.Error) error {
	for _, f := range wrong.Faults {
		fmt.Fprintln(w.stderr, f)
	}
	if n := len(wrong.Faults); n > 1 {
		return &exitError{exitConfig, fmt.Errorf("the configuration has %d faults", n)}
	}
	return &exitError{exitConfig, errors.New("the configuration has a fault")}
}

// configExplainCommand prints what is in force.
type configExplainCommand struct {
	configFlags
	Keys []string `arg:"" optional:"" help:"Print these keys and sections only, such as retry or smtp.max_message_size."`
	All  bool     `help:"Print the defaults as well."`
	JSON bool     `help:"Print a list of keys as JSON, with all of them where none is named."`
}

// Run prints the settings.
func (c *configExplainCommand) Run(w *world) error {
	settings, warnings, err := config.Explain(c.source(w, nil))
	var wrong *config.Error
	switch {
	case errors.As(err, &wrong):
		return configError(w, wrong)
	case err != nil:
		return &exitError{exitSoftware, err}
	}
	printWarnings(w, warnings)
	shown := slices.DeleteFunc(settings, func(s config.Setting) bool { return !c.shows(s) })
	if len(shown) == 0 && len(c.Keys) > 0 {
		return &exitError{exitUsage, fmt.Errorf("there is no key %s: weir config reference has all", strings.Join(c.Keys, ", "))}
	}
	if c.JSON {
		return writeJSON(w.stdout, shown)
	}
	return printSettings(w, shown)
}

// shows tells whether a setting is asked for.
func (c *configExplainCommand) shows(s config.Setting) bool {
	for _, key := range c.Keys {
		rest, ok := strings.CutPrefix(s.Key, key)
		if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return len(c.Keys) == 0 && (c.All || c.JSON || s.From != "default")
}

// printSettings prints a table: the key, its value and where that comes from.
func printSettings(w *world, settings []config.Setting) error {
	if len(settings) == 0 {
		_, err := fmt.Fprintln(w.stdout, "Nothing is set: all is as weir config explain --all shows.")
		return err
	}
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	for _, s := range settings {
		fmt.Fprintf(table, "%s\t= %s\t# %s\n", s.Key, s.Value, s.From)
	}
	return table.Flush()
}

// configReferenceCommand prints all keys.
type configReferenceCommand struct{}

// Run prints the reference.
func (*configReferenceCommand) Run(w *world) error { return config.Reference(w.stdout) }
