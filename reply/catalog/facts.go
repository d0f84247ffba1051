package catalog

import (
	"fmt"
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
)

// Section is a place in a document, as "RFC 5321 4.2.3", or a document as a
// whole, as "RFC 2645".
type Section string

// URL returns where an RFC can be read, at its section, and "" for another
// document.
func (s Section) URL() string {
	words := strings.Fields(string(s))
	if len(words) < 2 || words[0] != "RFC" {
		return ""
	}
	url := "https://www.rfc-editor.org/rfc/rfc" + words[1]
	if len(words) > 2 {
		url += "#section-" + words[2]
	}
	return url
}

// Line is one line of a dialogue.
type Line struct {
	// Client tells who speaks: the client, or the server.
	Client bool `json:"client"`
	// Text is what goes over the wire, without its line end.
	Text string `json:"text"`
}

// CodeFacts is what is known of a reply code without a word of any language.
// The words of the lists are translated by [Catalog.Word].
type CodeFacts struct {
	Code reply.Code `json:"code"`
	// Standard tells that an RFC defines the code for SMTP or its extensions.
	Standard bool `json:"standard"`
	// RFC begins with the section that defines the code.
	RFC []Section `json:"rfc,omitempty"`
	// Stages is what the code may answer, words of the list "stage". It is
	// empty where that is not known.
	Stages []string `json:"stages,omitempty"`
	// Connection is what becomes of the connection: open, closes or ends.
	Connection string `json:"connection,omitempty"`
	// Retry is whether to send the same again, a word of the list "retry".
	Retry string `json:"retry"`
	// Scope is how far the code reaches, words of the list "scope". There are
	// several where the stage or the text decides.
	Scope []string `json:"scope,omitempty"`
	// Speaks is who says it: words of the list "speaks", or names of programs.
	Speaks []string `json:"speaks"`
	// Reasons are the usual ones, the commonest first.
	Reasons []classify.Reason `json:"reasons,omitempty"`
	// Enhanced are the usual enhanced status codes.
	Enhanced []string `json:"enhanced,omitempty"`
	// Related are codes that it is worth comparing with.
	Related []reply.Code `json:"related"`
	// Dialogue is a typical one.
	Dialogue []Line `json:"dialogue,omitempty"`
}

// EnhancedFacts is what is known of an enhanced status code.
type EnhancedFacts struct {
	// Status is the subject and the detail, as "7.1".
	Status string `json:"status"`
	// Basic are the basic codes that the registry of RFC 5248 associates.
	Basic []reply.Code `json:"basic,omitempty"`
	// RFC defines the code.
	RFC []Section `json:"rfc"`
	// Classes are the classes that the code is used with.
	Classes []reply.Class `json:"classes"`
}

// ReasonFacts is what is known of a reason.
type ReasonFacts struct {
	Reason classify.Reason `json:"reason"`
	// Family is a word of the list "family".
	Family string `json:"family"`
	// Codes are those that the reason is usual for.
	Codes []reply.Code `json:"codes"`
	// Related are reasons that it is often confused with.
	Related []classify.Reason `json:"related,omitempty"`
}

// codeRow is a code as its file has it.
type codeRow struct {
	Code       uint16   `toml:"code"`
	RFC        []string `toml:"rfc"`
	Stages     []string `toml:"stages"`
	Connection string   `toml:"connection"`
	Retry      string   `toml:"retry"`
	Scope      []string `toml:"scope"`
	Speaks     []string `toml:"speaks"`
	Reasons    []string `toml:"reasons"`
	Enhanced   []string `toml:"enhanced"`
	Related    []uint16 `toml:"related"`
	Dialogue   string   `toml:"dialogue"`
}

func (row *codeRow) facts() (CodeFacts, error) {
	f := CodeFacts{
		Code: reply.Code(row.Code), Standard: len(row.Stages) > 0, RFC: sections(row.RFC), Stages: row.Stages,
		Connection: row.Connection, Retry: row.Retry, Scope: row.Scope, Speaks: row.Speaks,
		Enhanced: row.Enhanced, Related: codes(row.Related),
	}
	if f.Retry == "" {
		f.Retry = "changed"
		if f.Code.Transient() {
			f.Retry = "later"
		}
	}
	var err error
	if f.Reasons, err = reasons(row.Reasons); err != nil {
		return f, fmt.Errorf("code %d: %w", row.Code, err)
	}
	if f.Dialogue, err = dialogue(row.Dialogue); err != nil {
		return f, fmt.Errorf("code %d: %w", row.Code, err)
	}
	return f, nil
}

// enhancedRow is an enhanced status code as its file has it.
type enhancedRow struct {
	Status  string   `toml:"status"`
	Basic   []uint16 `toml:"basic"`
	RFC     []string `toml:"rfc"`
	Classes []uint8  `toml:"classes"`
}

func (row *enhancedRow) facts() EnhancedFacts {
	f := EnhancedFacts{Status: row.Status, Basic: codes(row.Basic), RFC: sections(row.RFC)}
	for _, c := range row.Classes {
		f.Classes = append(f.Classes, reply.Class(c))
	}
	if len(f.Classes) == 0 {
		f.Classes = []reply.Class{reply.ClassTransient, reply.ClassPermanent}
	}
	return f
}

// dialogue reads lines that begin with "C:" or "S:".
func dialogue(s string) ([]Line, error) {
	var lines []Line
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		who, text, ok := strings.Cut(line, ":")
		if !ok || who != "C" && who != "S" {
			return nil, fmt.Errorf("the line %q of the dialogue begins with neither \"C:\" nor \"S:\"", line)
		}
		lines = append(lines, Line{Client: who == "C", Text: strings.TrimPrefix(text, " ")})
	}
	return lines, nil
}

func sections(names []string) []Section {
	all := make([]Section, len(names))
	for i, name := range names {
		all[i] = Section(name)
	}
	return all
}

func codes(numbers []uint16) []reply.Code {
	all := make([]reply.Code, len(numbers))
	for i, n := range numbers {
		all[i] = reply.Code(n)
	}
	return all
}

func reasons(words []string) ([]classify.Reason, error) {
	var all []classify.Reason
	for _, word := range words {
		r, err := classify.ParseReason(word)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}
