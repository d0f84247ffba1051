package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// Whatever a file holds, Load answers without a panic; what is not TOML is
// never taken; and each fault stands inside the file.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{
		"", "=", "[", "[[", "a=", "a=[", "a='''", `a="""`, "\r", "a=1\r", "#\x00", "a.b.c=1", "[a.b]\n[a]", "\xff",
		"listener = 1\n[[listener]]", "listener=[[]]", "[[listener]]\n[listener]", "smtp=1\n[smtp]", "smtp.x.y=1", "[listener.x]", "tls=[{}]",
		"[clients.network]\n[clients]", "[[lifecycle.window]]\n[lifecycle]", "[clients.network.x]", "clients.network=1", "lifecycle.window=[{days=[1]}]",
		"[smtp]\n[smtp]", "hostname={a={b=1}}", "next_hop=[[\"a\"]]", "a=1979-05-27", "retry={first=1,first=2}", "\"\"=1",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, warnings, err := Load(sourceOf(string(data)))
		if (c == nil) != (err != nil) {
			t.Fatalf("configuration %v with error %v", c, err)
		}
		var whole map[string]any
		if bad := toml.Unmarshal(data, &whole); bad != nil && err == nil {
			t.Fatalf("taken, although it is not TOML: %v", bad)
		}
		for _, fault := range append(faultsOf(t, err), warnings...) {
			if fault.Problem == "" || fault.Line < 0 || fault.Line > 0 && fault.Column < 1 {
				t.Fatalf("fault out of place: %+v", fault)
			}
			_ = fault.String()
		}
	})
}

// What is read and written again is read as the same.
func FuzzValues(f *testing.F) {
	for _, text := range []string{"50MiB", "1d12h", "192.0.2.0/24", "smtp://host:25", "lmtp+unix:/a", "::1", "200us", "1.5KiB", "smtps://[::1]:1", "smtp+mx://a.example", "lmtp://host", "0", "1.5d", "100/1m+20", "1GiB/1h+5MB", "1/s", "Sun", "2026-12-24", "03:00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := ParseSize(text); err == nil {
			if again, err := ParseSize(v.String()); err != nil || again != v || v < 0 {
				t.Errorf("size %q: %d, then %d, %v", text, v, again, err)
			}
		}
		if v, err := ParseDuration(text); err == nil {
			if again, err := ParseDuration(FormatDuration(v)); err != nil || again != v || v < 0 {
				t.Errorf("duration %q: %v, then %v, %v", text, v, again, err)
			}
		}
		if v, err := parseNetwork(text); err == nil {
			if again, err := parseNetwork(v.String()); err != nil || again != v {
				t.Errorf("network %q: %v, then %v, %v", text, v, again, err)
			}
		}
		if v, err := ParseRate(text); err == nil {
			if again, err := ParseRate(v.String()); err != nil || again != v || v.Count < 0 || v.Burst < 0 {
				t.Errorf("rate %q: %v, then %v, %v", text, v, again, err)
			}
		}
		if v, err := ParseByteRate(text); err == nil {
			if again, err := ParseByteRate(v.String()); err != nil || again != v || v.Bytes < 0 || v.Burst < 0 {
				t.Errorf("rate of bytes %q: %v, then %v, %v", text, v, again, err)
			}
		}
		if v, err := parseWindowDay(text); err == nil {
			if again, err := parseWindowDay(v.String()); err != nil || again != v {
				t.Errorf("day %q: %v, then %v, %v", text, v, again, err)
			}
		}
		if v, err := parseTimeOfDay(text); err == nil {
			if again, err := parseTimeOfDay(v.String()); err != nil || again != v {
				t.Errorf("time of day %q: %v, then %v, %v", text, v, again, err)
			}
		}
		if v, err := ParseNextHop(text); err == nil {
			if again, err := ParseNextHop(v.String()); err != nil || again != v {
				t.Errorf("next hop %q: %v, then %v, %v", text, v, again, err)
			}
		}
	})
}
