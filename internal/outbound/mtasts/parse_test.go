package mtasts

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFindRecord(t *testing.T) {
	for text, want := range map[string]string{
		"v=STSv1; id=20160831085700Z;":           "20160831085700Z",
		"v=STSv1;id=1":                           "1",
		"v=STSv1; id=1; ":                        "1",
		"v=STSv1; other.x_y-z=a:b/c; id=1;":      "1",
		"v=STSv1; id=1;|v=spf1 -all":             "1",
		"v=STSv1; id=1|v=STSv2; id=2|v=STSv1":    "1",
		"v=STSv1; id=" + strings.Repeat("a", 32): strings.Repeat("a", 32),
	} {
		if got, err := FindRecord(strings.Split(text, "|")); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "v=STSv1", "v=STSv1;", "v=STSv1; ;", "v=STSv1; id", "v=STSv1; id=", "v=STSv1; id=a-b",
		"v=STSv1; id=1; id=2", "v=STSv1; id=1; 2", "v=STSv1; id=1; =2", "v=STSv1; id=1; _a=2", "v=STSv1; id=1;; a=2",
		"v=STSv1; id=1; a=b=c", "v=STSv1; id=" + strings.Repeat("a", 33), "v=stsv1; id=1", " v=STSv1; id=1",
		"v=STSv1; id=1|v=STSv1; id=1", "v=STSv1; id=ä",
	} {
		if got, err := FindRecord(strings.Split(text, "|")); err == nil {
			t.Errorf("%q: %q, want an error", text, got)
		}
	}
}

func TestParsePolicy(t *testing.T) {
	for text, want := range map[string]*Policy{
		"version: STSv1\r\nmode: enforce\r\nmx: mail.Example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n": {
			Mode: Enforce, MX: []string{"mail.example.com", "*.example.net"}, MaxAge: 7 * 24 * time.Hour,
		},
		"mx:a.example\nmax_age:1\nmode:testing\nversion:STSv1":                                         {Mode: Testing, MX: []string{"a.example"}, MaxAge: time.Second},
		"version: STSv1\nmode: none\nmax_age: 0\n\n":                                                   {Mode: None, MX: []string{}},
		"version: STSv1\nmode: none\nmode: enforce\nmax_age: 9999999999\nmax_age: 1\nfoo.bar: baz\n":   {Mode: None, MX: []string{}, MaxAge: longest},
		"version: STSv1 \nmode:\tenforce\nmx: mx.müller.example\nmax_age: 1\n":                         {Mode: Enforce, MX: []string{"mx.xn--mller-kva.example"}, MaxAge: time.Second},
		"version: STSv1\nmode: enforce\nmx: mx.example.com.\nmax_age: 60\nextension: with: any = of ;": {Mode: Enforce, MX: []string{"mx.example.com"}, MaxAge: time.Minute},
	} {
		got, err := ParsePolicy([]byte(text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
	const good = "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\n"
	for name, text := range map[string]string{
		"nothing":       "",
		"no version":    strings.Replace(good, "version: STSv1\n", "", 1),
		"other version": strings.Replace(good, "STSv1", "STSv2", 1),
		"no mode":       strings.Replace(good, "mode: enforce\n", "", 1),
		"other mode":    strings.Replace(good, "enforce", "Enforce", 1),
		"no age":        strings.Replace(good, "max_age: 1\n", "", 1),
		"negative age":  strings.Replace(good, ": 1", ": -1", 1),
		"signed age":    strings.Replace(good, ": 1", ": +1", 1),
		"long age":      strings.Replace(good, ": 1", ": 00000000001", 1),
		"no hosts":      strings.Replace(good, "mx: a.example\n", "", 1),
		"odd host":      strings.Replace(good, "a.example", "a b", 1),
		"star alone":    strings.Replace(good, "a.example", "*", 1),
		"star within":   strings.Replace(good, "a.example", "a.*.example", 1),
		"two stars":     strings.Replace(good, "a.example", "*.*.example", 1),
		"no field":      good + "words\n",
		"html":          "<html>" + good,
		"many hosts":    good + strings.Repeat("mx: b.example\n", maxMX),
		"long":          good + strings.Repeat("x: y\n", maxPolicy/5),
		"no text":       good + "x: \xff\n",
	} {
		if got, err := ParsePolicy([]byte(text)); err == nil {
			t.Errorf("%s: %+v, want an error", name, got)
		}
	}
}

func TestPolicyMatches(t *testing.T) {
	p := &Policy{MX: []string{"mx.example.org", "*.example.net"}}
	for host, want := range map[string]bool{
		"mx.example.org": true, "a.example.net": true, "b.example.net": true,
		"mx2.example.org": false, "a.mx.example.org": false, "example.net": false, "a.b.example.net": false,
		".example.net": false, "aexample.net": false, "": false,
	} {
		if got := p.Matches(host); got != want {
			t.Errorf("%s: %v, want %v", host, got, want)
		}
	}
}

func FuzzFindRecord(f *testing.F) {
	for _, s := range []string{"v=STSv1; id=1;", "v=STSv1; id=1; a=b", "v=STSv1;", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := FindRecord([]string{text})
		if err == nil && !isID(id) {
			t.Errorf("%q has the id %q", text, id)
		}
	})
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte("version: STSv1\r\nmode: enforce\r\nmx: *.example.org\r\nmax_age: 604800\r\n"))
	f.Add([]byte("version: STSv1\nmode: none\nmax_age: 0"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePolicy(text)
		if err != nil {
			return
		}
		again, err := ParsePolicy([]byte(strings.Join(p.Lines(), "\n")))
		if err != nil {
			t.Fatalf("%q is read as %+v, which cannot be read: %v", text, p, err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Error(diff)
		}
	})
}
