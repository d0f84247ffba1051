package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files and docs/configuration.md anew")

// golden compares what a person will read with what a person has looked at.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-file +now); look at it, then run with -update:\n%s", file, diff)
	}
}

// Every file of testdata with a mistake in it gives the messages that stand
// beside it: all of them, in order.
func TestFaultsAreAllReportedInTheirPlace(t *testing.T) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, warnings, err := Load(Source{Path: file, Hostname: "mail.example.org"})
			var b strings.Builder
			if err != nil {
				b.WriteString(err.Error() + "\n")
			}
			for _, w := range warnings {
				b.WriteString("warning: " + w.String() + "\n")
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".golden", b.String())
		})
	}
}

// No message repeats what may be a secret, however the line is broken.
func TestSecretsAreNotShownInFaults(t *testing.T) {
	const secret = "hunter2"
	for _, line := range []string{
		`password = "hunter2"`,
		`password = "hunter2`,
		`pasword = hunter2`,
		`api_token = "hunter2"`,
		`next_hop = "smtp://user:hunter2@host:587"`,
		`next_hop = ["smtp://host", "smtp://user:hunter2@host:587" "`,
		"[smtp]\npassword = \"hunter2\"",
		"[[listener]]\naddress = 25\npassword = [ \"hunter2\"",
		"listener = [{ secret = \"hunter2\" }]",
	} {
		_, err := loadText(t, line)
		if err == nil {
			t.Errorf("%q was taken", line)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%q: the message shows the secret:\n%v", line, err)
		}
	}
}

// loadText loads a configuration from text, with a name for the machine.
func loadText(t *testing.T, text string) (*Config, error) {
	t.Helper()
	c, _, err := Load(sourceOf(text))
	return c, err
}

// sourceOf is a source with one file in it.
func sourceOf(text string) Source {
	return Source{
		Path: "weir.toml", Hostname: "mail.example.org",
		ReadFile: func(name string) ([]byte, error) {
			if name == "weir.toml" {
				return []byte(text), nil
			}
			return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
		},
	}
}

// faultsOf returns the faults of an error of Load.
func faultsOf(t *testing.T, err error) []Fault {
	t.Helper()
	var bad *Error
	if err != nil && !errors.As(err, &bad) {
		t.Fatalf("Load gave %T, not *Error", err)
	}
	if bad == nil {
		return nil
	}
	return bad.Faults
}
