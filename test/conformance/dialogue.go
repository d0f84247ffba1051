package conformance

import (
	"fmt"
	"strings"
	"time"
)

// Level is how strictly something is asked for.
type Level uint8

// The levels, the strictest first.
const (
	// Must is a requirement, MUST or MUST NOT in the words of RFC 2119, or grammar
	// that a server has to understand.
	Must Level = iota
	// Should is one that may be left aside for good reasons. So may be the refusal
	// of what does not fit the grammar, where no RFC asks for it in words.
	Should
	// May is an option that a server is free not to take.
	May
	// Weir is what Weir promises beyond the standard.
	Weir
	numLevels
)

var levelNames = [numLevels]string{"MUST", "SHOULD", "MAY", "WEIR"}

// String returns the word as in a file.
func (l Level) String() string { return levelNames[l] }

// MarshalText is String for JSON.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Set reads a level, as a flag does.
func (l *Level) Set(word string) error {
	for i, name := range levelNames {
		if strings.EqualFold(word, name) {
			*l = Level(i)
			return nil
		}
	}
	return fmt.Errorf("levels are %s", strings.Join(levelNames[:], ", "))
}

// Dialogue is one dialogue. It is not changed after it was parsed.
type Dialogue struct {
	// File is the name of its file, without the folder.
	File string
	// Line is where it begins.
	Line int
	// Name says what it shows.
	Name string
	// RFC and Section are where the requirement stands.
	RFC, Section string
	// Level is how strictly it is asked for there.
	Level Level

	needs []need
	steps []step
}

// String names the dialogue by its section and its name.
func (d *Dialogue) String() string { return "RFC " + d.RFC + " " + d.Section + ": " + d.Name }

// need is a condition on the server.
type need struct {
	keyword string
	word    string // behind the keyword; "" for any
	not     bool
	inTLS   bool // asked of the answer to EHLO in TLS
}

func (n need) String() string {
	s := n.keyword
	if n.word != "" {
		s += "=" + n.word
	}
	if n.inTLS {
		s += " in TLS"
	}
	if n.not {
		return "!" + s
	}
	return s
}

// kind is what a step does.
type kind uint8

const (
	kindSay kind = iota
	kindFlush
	kindExpect
	kindStartTLS
	kindUpgrade // STARTTLS where it is offered
	kindClosed
	kindEOF
	kindHas
	kindGiven  // as kindHas, and the dialogue is skipped otherwise
	kindSignIn // AUTH where there is an account for it
	kindWait
	kindNote // the last reply is one to EHLO
)

// step is one step of a dialogue.
type step struct {
	line   int
	kind   kind
	say    text
	expect expectation
	has    need
	wait   time.Duration
}
