package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReferenceIsWhatWasLookedAt(t *testing.T) {
	var reference, manual strings.Builder
	if err := Reference(&reference); err != nil {
		t.Fatal(err)
	}
	if err := Manual(&manual); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/reference.golden", reference.String())
	golden(t, "../../docs/configuration.md", manual.String())
}

// The reference as it is printed sets nothing.
func TestReferenceIsTheDefault(t *testing.T) {
	var b strings.Builder
	if err := Reference(&b); err != nil {
		t.Fatal(err)
	}
	c, err := loadText(t, b.String())
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Hostname = "mail.example.org"
	if diff := cmp.Diff(want, c, equal()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Without the "#" before its keys, the reference sets each key to its default,
// or to an example that can be taken.
func TestReferenceCanBeTakenAsItStands(t *testing.T) {
	var b strings.Builder
	if err := Reference(&b); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^#([a-z_\[])`).ReplaceAllString(b.String(), "$1")
	// Of these there can be one, or the other.
	for _, alternative := range []string{`url = "ldaps://ldap.example.org"`, `url = "https://accounts.example.org/check"`} {
		text = strings.Replace(text, "\n"+alternative, "", 1)
	}
	text = regexp.MustCompile(`(?m)^(smarthost|password|password_file) = .*$`).ReplaceAllString(text, "")
	text = strings.Replace(text, `auth = "off"`, `auth = "offered"`, 1) // or nobody could sign in
	// These are for a Unix socket, and the address of the reference is another.
	text = regexp.MustCompile(`(?m)^(mode|owner) = .*$`).ReplaceAllString(text, "")
	now := time.Now()
	cert, key := selfSigned(t, now)
	src := sourceOf(text)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	src.Stat = func(string) (fs.FileInfo, error) { return os.Stat(secret) }
	src.ReadFile = func(name string) ([]byte, error) {
		switch {
		case strings.HasSuffix(name, "fullchain.pem"), strings.HasSuffix(name, "clients.pem"), strings.HasSuffix(name, "ca.pem"):
			return []byte(cert), nil
		case strings.HasSuffix(name, "privkey.pem"):
			return []byte(key), nil
		case strings.HasSuffix(name, "s2026.pem"):
			return ed25519Key(t), nil
		}
		return []byte(text), nil
	}
	c, warnings, err := Load(src)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %v", err, warnings)
	}
	all, err := entries()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.isSection() || e.isSectionList() || strings.Contains(e.path, "[") || !e.hasDefault() {
			continue
		}
		d := newDecoder(c)
		got, err := d.find(strings.Split(e.path, "."))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e.value.Interface(), got.value.Interface(), equal()); diff != "" {
			t.Errorf("%s (-default +reference)\n%s", e.path, diff)
		}
	}
}

// Each key is documented, of a type that can be read, written as it is read
// back, and settable from the environment.
func TestEveryKeyIsExplainedAndSettable(t *testing.T) {
	all, err := entries()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if !strings.HasSuffix(e.doc, ".") {
			t.Errorf("%s: the comment is no sentence: %q", e.path, e.doc)
		}
		if e.isSection() || e.isSectionList() {
			continue
		}
		if !e.hasDefault() && e.example == "" {
			t.Errorf("%s has neither a default nor an example", e.path)
		}
		if e.typ == reflect.TypeFor[int]() && e.unit == "" {
			t.Errorf("%s is a number of what?", e.path)
		}
		d := newDecoder(Default())
		found, err := d.find(strings.Split(strings.ToLower(strings.TrimPrefix(EnvName(e.path), prefix)), "__"))
		if err != nil || found.path != e.path {
			t.Errorf("%s is not found by %s: %q %v", e.path, EnvName(e.path), found.path, err)
		}
	}
}

func TestNearestFindsTypingErrorsAndNothingElse(t *testing.T) {
	keys := []string{"max_errors", "max_received", "max_recipients", "first", "max", "expire", "tls", "to"}
	for word, want := range map[string]string{
		"max_error": "max_errors", "maxerrors": "max_errors", "Max_Errors": "max_errors", "max_recipient": "max_recipients",
		"frist": "first", "expires": "expire", "tsl": "tls", "expiry": "expire",
		"hostname": "", "": "", "xy": "", "qqqqqqqqqqqqqq": "", "a": "",
	} {
		if got, _ := nearest(word, keys); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
