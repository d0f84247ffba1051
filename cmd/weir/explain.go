package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog"
)

// explainCommand explains replies. It asks no relay: all that it knows is in
// the program.
type explainCommand struct {
	What   []string `arg:"" optional:"" name:"code|reply" help:"A reply code, an enhanced code, a reply as it stands in a log, or the word of a reason. Two or more reply codes are compared."`
	File   string   `short:"f" type:"path" placeholder:"FILE" help:"Explain all replies in a file: a bounce, a log, a mailbox of bounces. \"-\" is the standard input."`
	Follow bool     `help:"Read a log from the standard input, and explain the replies in it as they come."`
	List   bool     `help:"List all codes and reasons."`
	languageFlag
	JSON bool `help:"Print JSON: one object a line."`
}

// languageFlag chooses the language of the explanations.
type languageFlag struct {
	Lang string `placeholder:"LANGUAGE" help:"The language, such as en or ja; without, that of LC_ALL, LC_MESSAGES or LANG."`
}

// catalog returns the catalogue in the language that is wished.
func (f *languageFlag) catalog(w *world) (*catalog.Catalog, error) {
	if f.Lang == "" {
		return catalog.In(value(w.environ, "LC_ALL"), value(w.environ, "LC_MESSAGES"), value(w.environ, "LANG")), nil
	}
	c := catalog.In(f.Lang)
	if !sameLanguage(c.Language.Tag, f.Lang) {
		var tags []string
		for _, l := range catalog.Languages() {
			tags = append(tags, l.Tag)
		}
		return nil, &exitError{exitUsage, fmt.Errorf("there is no language %q; there is %s", f.Lang, strings.Join(tags, ", "))}
	}
	return c, nil
}

func sameLanguage(tag, wish string) bool {
	first := func(s string) string {
		s, _, _ = strings.Cut(strings.ReplaceAll(strings.ToLower(s), "_", "-"), "-")
		return s
	}
	return first(tag) == first(wish)
}

// Run explains.
func (c *explainCommand) Run(w *world) error {
	cat, err := c.catalog(w)
	if err != nil {
		return err
	}
	e := &explainer{cat: cat, paper: newPaper(w), out: w.stdout, json: c.JSON}
	switch {
	case c.List:
		return e.list()
	case c.Follow:
		return e.follow(os.Stdin)
	case c.File != "":
		return e.file(c.File)
	case len(c.What) == 0:
		return &exitError{exitUsage, errors.New("what is to be explained? Try: weir explain 421, weir explain 421 504, weir explain \"550 5.7.1 ...\"; \"weir explain --list\" lists what there is")}
	}
	if codes, ok := bareCodes(c.What); ok && len(codes) > 1 {
		return e.compare(codes)
	}
	return e.explain(strings.Join(c.What, " "))
}

// bareCodes reads arguments that are reply codes and nothing else.
func bareCodes(args []string) ([]reply.Code, bool) {
	var codes []reply.Code
	for _, arg := range args {
		arg = strings.TrimSuffix(arg, ",")
		if arg == "vs" || arg == "and" {
			continue
		}
		r, err := reply.Parse(arg + "\n")
		if err != nil || len(arg) != 3 {
			return nil, false
		}
		codes = append(codes, r.Code)
	}
	return codes, true
}

// explainer explains on a paper, or as JSON.
type explainer struct {
	cat   *catalog.Catalog
	paper *paper
	out   io.Writer
	json  bool
}

func (e *explainer) explain(input string) error {
	x := e.cat.Explain(input, catalog.Options{})
	if x.Title == "" {
		return &exitError{exitData, errors.New(e.cat.Label("unknown_text"))}
	}
	if e.json {
		return writeJSON(e.out, &x)
	}
	e.write(&x)
	return e.paper.err
}

func (e *explainer) compare(codes []reply.Code) error {
	cmp := e.cat.Compare(codes...)
	if e.json {
		return writeJSON(e.out, &cmp)
	}
	e.writeComparison(&cmp)
	return e.paper.err
}

// file explains all replies of a file.
func (e *explainer) file(name string) error {
	content, err := readWhole(name)
	if err != nil {
		return err
	}
	all := e.cat.ExplainAll(content, catalog.Options{})
	if len(all) == 0 {
		return &exitError{exitData, errors.New(e.cat.Label("unknown_text"))}
	}
	if e.json {
		for i := range all {
			if err := writeJSON(e.out, &all[i]); err != nil {
				return err
			}
		}
		return nil
	}
	e.writeAll(all)
	return e.paper.err
}

// maxFile is the largest file that is read as a whole.
const maxFile = 256 << 20

func readWhole(name string) (string, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", &exitError{exitNoInput, err}
		}
		defer f.Close()
		in = f
	}
	content, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return "", &exitError{exitNoInput, fmt.Errorf("read %s: %w", name, err)}
	}
	if len(content) > maxFile {
		return "", &exitError{exitData, fmt.Errorf("%s is larger than 256 MiB: cut it, or send it through --follow", name)}
	}
	return string(content), nil
}

// follow repeats a log and says below each line with a refusal what it means.
func (e *explainer) follow(in io.Reader) error {
	lines := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			e.annotate(strings.TrimRight(line, "\r\n"))
			if e.paper.err != nil {
				return e.paper.err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &exitError{exitNoInput, fmt.Errorf("read the log: %w", err)}
		}
	}
}
