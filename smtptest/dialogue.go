package smtptest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Dialogue is a parsed dialogue file: the scripts of one or more connections. It
// is not changed after [Parse], so several peers may play it.
type Dialogue struct {
	name        string
	connections []script
}

// script is the part of a dialogue that one connection plays.
type script struct {
	title string // what stood behind "--- connection"
	line  int    // of its first line
	steps []step
}

// side is who speaks.
type side byte

const (
	player side = 0 // whoever plays the file
	server side = 'S'
	client side = 'C'
)

// kind is what a step does.
type kind uint8

const (
	kindLine kind = iota
	kindData
	kindBDAT
	kindReply
	kindEOF
	kindClose
	kindReset
	kindStall
	kindDrain
	kindWait
	kindStartTLS
)

// directives are the steps of the player that are one fixed word.
var directives = map[string]step{
	"close":           {kind: kindClose},
	"reset":           {kind: kindReset},
	"stall":           {kind: kindStall},
	"drain":           {kind: kindDrain},
	"starttls":        {kind: kindStartTLS},
	"starttls refuse": {kind: kindStartTLS, shake: shakeRefuse},
	"starttls fails":  {kind: kindStartTLS, shake: shakeFails},
}

// handshake is how a starttls step ends.
type handshake uint8

const (
	shakeOK handshake = iota
	shakeRefuse
	shakeFails
)

// lastness is what a <bdat> step says of LAST.
type lastness uint8

const (
	anyChunk lastness = iota
	lastChunk
	moreChunks
)

// step is one line of a dialogue, with the content lines that belong to it.
type step struct {
	line    int // in the file
	side    side
	kind    kind
	text    pattern       // kindLine, kindReply
	size    int           // kindData, kindBDAT: -1 for any
	last    lastness      // kindBDAT
	content []pattern     // kindData, kindBDAT: the lines after "|"; nil for any
	wait    time.Duration // kindWait
	shake   handshake     // kindStartTLS
}

// Load reads and parses a dialogue file and fails the test where it cannot.
func Load(tb testing.TB, path string) *Dialogue {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("smtptest: %v", err)
	}
	d, err := Parse(filepath.Base(path), string(text))
	if err != nil {
		tb.Fatalf("smtptest: %v", err)
	}
	return d
}

// Connections returns how many connections the dialogue has.
func (d *Dialogue) Connections() int { return len(d.connections) }

// String returns the dialogue as text, without its comments. [Parse] reads it
// back to an equal dialogue.
func (d *Dialogue) String() string {
	var b strings.Builder
	for i, c := range d.connections {
		if i > 0 || c.title != "" || len(c.steps) == 0 {
			b.WriteString(strings.TrimRight(separator+" "+c.title, " ") + "\n")
		}
		for _, s := range c.steps {
			s.write(&b)
		}
	}
	return b.String()
}

func (s step) write(b *strings.Builder) {
	b.WriteString(s.String() + "\n")
	for _, line := range s.content {
		b.WriteString(strings.TrimRight("| "+line.source, " ") + "\n")
	}
}

// String returns the step as in a file, without its content lines.
func (s step) String() string {
	if s.side == player {
		return s.directive()
	}
	return strings.TrimRight(string(rune(s.side))+": "+s.speech(), " ")
}

func (s step) directive() string {
	if s.kind == kindWait {
		return "wait " + s.wait.String()
	}
	for word, d := range directives {
		if d.kind == s.kind && d.shake == s.shake {
			return word
		}
	}
	return "?"
}

func (s step) speech() string {
	switch s.kind {
	case kindData:
		return "<data" + s.sizeWord() + ">"
	case kindBDAT:
		return "<bdat" + s.sizeWord() + [...]string{"", " last", " more"}[s.last] + ">"
	case kindReply:
		return "<reply " + s.text.source + ">"
	case kindEOF:
		return "<eof>"
	}
	return s.text.source
}

func (s step) sizeWord() string {
	if s.size < 0 {
		return ""
	}
	return " " + strconv.Itoa(s.size)
}
