package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/dkim"
	"github.com/weirmail/weir/internal/dns"
)

// keysInDNS are three keys: one whose record is right, one without, and one that the
// DNS does not answer for.
func keysInDNS(t *testing.T) ([]config.DKIM, textLookup) {
	t.Helper()
	dir := t.TempDir()
	records := map[string]string{}
	var keys []config.DKIM
	for _, selector := range []string{"good", "None", "silent"} {
		k, err := dkim.Generate(dkim.Ed25519)
		if err != nil {
			t.Fatal(err)
		}
		text, err := k.PEM()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, selector)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if records[dkim.Name(selector, "xn--bcher-kva.example")], err = k.Record(); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, config.DKIM{Domain: "Bücher.example", Selector: selector, KeyFile: file})
	}
	return keys, func(_ context.Context, name string) ([]string, error) {
		switch {
		case strings.HasPrefix(name, "silent."):
			return nil, &dns.Error{Name: name, Type: "TXT", Server: "192.0.2.53:53", Err: errors.New("no answer within 3s")}
		case records[name] != "":
			return []string{records[name]}, nil
		}
		return nil, &dns.Error{Name: name, Type: "TXT", Server: "192.0.2.53:53", Err: dns.ErrNotFound}
	}
}

func TestKeysAreComparedWithTheDNS(t *testing.T) {
	keys, lookup := keysInDNS(t)
	for _, test := range []struct {
		name string
		keys []config.DKIM
		json bool
		code int
		want []string
	}{
		{"all is well", keys[:1], false, exitOK, []string{"good._domainkey.xn--bcher-kva.example   Ed25519\n  All is well: the record is there, and fits the key.\n"}},
		{"no record", keys[:2], false, exitKeyWrong, []string{
			"All is well", "none._domainkey.xn--bcher-kva.example   Ed25519\n  There is no record. Receivers take signatures by this key as broken.\n  It should be this record:\n\nnone._domainkey.xn--bcher-kva.example. IN TXT \"v=DKIM1; k=ed25519; p=",
		}},
		{"no answer", keys[2:], false, exitTryAgain, []string{
			"  The DNS did not answer: looking up TXT of\n  silent._domainkey.xn--bcher-kva.example at 192.0.2.53:53: no answer within 3s.\n",
		}},
		{"wrong and no answer", keys, true, exitKeyWrong, []string{
			`"selector":"good","key":"Ed25519","name":"good._domainkey.xn--bcher-kva.example","state":"ok","problems":[],`,
			`"state":"wrong","problems":["There is no record.`, `"state":"unknown","problems":["The DNS did not answer`,
		}},
	} {
		var out bytes.Buffer
		c := dkimCheckCommand{JSON: test.json}
		err := c.report(t.Context(), &world{stdout: &out}, test.keys, lookup)
		code := exitOK
		if e, ok := errors.AsType[*exitError](err); ok {
			code = e.code
		} else if err != nil {
			t.Fatal(err)
		}
		if code != test.code {
			t.Errorf("%s: code %d, not %d", test.name, code, test.code)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s lacks %q:\n%s", test.name, want, out.String())
			}
		}
	}
}
