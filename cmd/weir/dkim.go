package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/dkim"
	"github.com/weirmail/weir/internal/dns"
)

// dkimCommands are the verbs of "weir dkim".
type dkimCommands struct {
	Generate dkimGenerateCommand `cmd:"" help:"Make a key that signs the mail of a domain, and print its record for the DNS."`
	Check    dkimCheckCommand    `cmd:"" help:"Compare the keys of the configuration with the records in the DNS."`
}

// dkimGenerateCommand makes a key.
type dkimGenerateCommand struct {
	Domain    string `arg:"" help:"The domain whose mail is to be signed."`
	Selector  string `help:"The name of the key. Without it, the algorithm and the year." placeholder:"NAME" short:"s"`
	Algorithm string `help:"The kind of key: rsa, which every receiver knows, or ed25519." enum:"rsa,ed25519" default:"rsa" placeholder:"KIND" short:"a"`
	Dir       string `help:"The folder that the key is written to. It is made where it is missing." default:"/etc/weir/dkim" placeholder:"FOLDER" short:"d"`
	JSON      bool   `help:"Print it as JSON."`
}

// generated is what came of it, for programs.
type generated struct {
	Domain        string   `json:"domain"`
	Selector      string   `json:"selector"`
	Algorithm     string   `json:"algorithm"`
	KeyFile       string   `json:"key_file"`
	Name          string   `json:"name"`
	Record        string   `json:"record"`
	Strings       []string `json:"strings"`
	Configuration string   `json:"configuration"`
}

// Run makes the key and tells what to do with it.
func (c *dkimGenerateCommand) Run(w *world) error {
	domain, err := dns.ToASCII(c.Domain)
	if err != nil || !strings.Contains(domain, ".") {
		return &exitError{exitUsage, fmt.Errorf("%q is not the domain of mail addresses", c.Domain)}
	}
	selector := strings.ToLower(c.Selector)
	if selector == "" {
		selector = fmt.Sprintf("%s-%d", c.Algorithm, time.Now().Year())
	}
	if _, err := dns.ToASCII(dkim.Name(selector, domain)); err != nil || strings.Contains(selector, "_") {
		return &exitError{exitUsage, fmt.Errorf("%q is not a selector: write letters, digits and hyphens", c.Selector)}
	}
	key, err := dkim.Generate(dkim.Algorithm(c.Algorithm))
	if err != nil {
		return err
	}
	g, err := describeKey(key, domain, selector, filepath.Join(c.Dir, domain+"."+selector+".pem"))
	if err != nil {
		return err
	}
	if err := writeKey(key, g.KeyFile); err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(w.stdout, g)
	}
	return g.print(w)
}

func describeKey(key *dkim.Key, domain, selector, file string) (*generated, error) {
	record, err := key.Record()
	if err != nil {
		return nil, err
	}
	return &generated{
		Domain: domain, Selector: selector, Algorithm: string(key.Algorithm()), KeyFile: file,
		Name: dkim.Name(selector, domain), Record: record, Strings: dkim.Strings(record),
		Configuration: fmt.Sprintf("[[dkim]]\ndomain = %q\nselector = %q\nkey_file = %q\n", domain, selector, file),
	}, nil
}

// writeKey writes a file that is not there yet: a key that is in use is never
// overwritten.
func writeKey(key *dkim.Key, file string) error {
	text, err := key.PEM()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return &exitError{exitSpool, fmt.Errorf("making the folder of the key: %w", err)}
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return &exitError{exitSpool, fmt.Errorf("%s is there already, and mail may be signed by it: name another key by --selector", file)}
	case err != nil:
		return &exitError{exitSpool, fmt.Errorf("writing the key: %w", err)}
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return &exitError{exitSpool, fmt.Errorf("writing the key: %w", err)}
	}
	return nil
}

// print tells a person what to do with the key.
func (g *generated) print(w *world) error {
	_, err := fmt.Fprintf(w.stdout, `The key is in %s.
Only the user that Weir runs as should be able to read it.

1. Publish this record in the DNS:

%s

2. Add these lines to the configuration, and do not restart Weir yet:

%s
3. Wait until this says that all is well, and restart Weir:

weir dkim check %s
`, g.KeyFile, dkim.Zone(g.Name, g.Record), g.Configuration, g.Domain)
	return err
}
