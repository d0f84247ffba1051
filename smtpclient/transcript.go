package smtpclient

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DefaultTranscriptLimit is the limit of a [Transcript] that sets none.
const DefaultTranscriptLimit = 16 << 10

// maxTranscriptLine is how much of one line a transcript keeps.
const maxTranscriptLine = 1024

// Transcript keeps what was said on a connection, for the journal and for whoever
// asks why. Secrets are masked and message content is left out: "<10240 octets>".
// It is bounded: the first lines and the last ones stay, and it tells how many
// between them are missing. The zero value is ready. It is not safe for
// concurrent use; the client writes to it only inside of its methods.
type Transcript struct {
	// Limit is how many octets of text are kept, about; 0 stands for
	// [DefaultTranscriptLimit].
	Limit int

	began time.Time
	text  []byte // of all lines kept
	lines []transcriptLine
	size  int // of the text that lines use
	head  int // lines that stay; 0 while all do
	lost  int // lines dropped behind them
}

type transcriptLine struct {
	after      time.Duration
	from       byte
	begin, end int // in text
}

// TranscriptLine is one line of a dialogue.
type TranscriptLine struct {
	// After is the time since the first line.
	After time.Duration
	// From is 'S' for the server, 'C' for the client, and '*' for a remark.
	From byte
	// Text is the line without its end. Control characters are replaced by spaces,
	// so that a server cannot write into a log what it likes.
	Text string
}

// All returns the lines in order. Where lines are missing a remark says so.
func (t *Transcript) All() iter.Seq[TranscriptLine] {
	return func(yield func(TranscriptLine) bool) {
		for i, l := range t.lines {
			if t.lost > 0 && i == t.head && !yield(TranscriptLine{After: l.after, From: '*', Text: t.gap()}) {
				return
			}
			if !yield(TranscriptLine{After: l.after, From: l.from, Text: printable(string(t.text[l.begin:l.end]))}) {
				return
			}
		}
	}
}

func (t *Transcript) gap() string { return strconv.Itoa(t.lost) + " lines left out" }

// String returns the dialogue as text, a line each: "S: 220 …", "C: EHLO …",
// "* remark".
func (t *Transcript) String() string {
	var b strings.Builder
	for l := range t.All() {
		b.WriteByte(l.From)
		if l.From != '*' {
			b.WriteByte(':')
		}
		b.WriteString(" " + l.Text + "\n")
	}
	return b.String()
}

// Reset forgets all lines, as between two transactions on one connection.
func (t *Transcript) Reset() {
	*t = Transcript{Limit: t.Limit, text: t.text[:0], lines: t.lines[:0]}
}

// add keeps a line.
func (t *Transcript) add(from byte, line string) { addLine(t, from, line) }

// addLine keeps a line of either type, so that neither is converted.
func addLine[T string | []byte](t *Transcript, from byte, line T) {
	if t == nil {
		return
	}
	now := time.Now()
	if len(t.lines) == 0 {
		t.began = now
	}
	begin := len(t.text)
	t.text = append(t.text, line[:min(len(line), maxTranscriptLine)]...)
	t.lines = append(t.lines, transcriptLine{now.Sub(t.began), from, begin, len(t.text)})
	t.size += len(t.text) - begin + lineCost
	if t.size > t.limit() {
		t.shorten()
	}
}

// lineCost is what a line counts beside its text, so that empty lines count too.
const lineCost = 32

func (t *Transcript) limit() int {
	if t.Limit > 0 {
		return t.Limit
	}
	return DefaultTranscriptLimit
}

// shorten drops the lines between the first half of the limit and its last
// quarter. The last line always stays.
func (t *Transcript) shorten() {
	if t.head == 0 {
		t.head = t.countFirst(t.limit() / 2)
	}
	keep := t.countLast(t.limit() / 4)
	cut := max(len(t.lines)-keep, t.head)
	t.lost += cut - t.head
	t.lines = slices.Delete(t.lines, t.head, cut)
	t.pack()
}

// countFirst returns how many lines from the first make up size, at least one.
func (t *Transcript) countFirst(size int) int {
	for i, l := range t.lines {
		if size -= l.end - l.begin + lineCost; size < 0 {
			return max(i, 1)
		}
	}
	return len(t.lines)
}

// countLast returns how many lines up to the last make up size, at least one.
func (t *Transcript) countLast(size int) int {
	for i, l := range slices.Backward(t.lines) {
		if size -= l.end - l.begin + lineCost; size < 0 {
			return max(len(t.lines)-1-i, 1)
		}
	}
	return len(t.lines)
}

// pack moves the text of the lines that are left together.
func (t *Transcript) pack() {
	n := 0
	for i, l := range t.lines {
		copied := copy(t.text[n:], t.text[l.begin:l.end])
		t.lines[i].begin, t.lines[i].end = n, n+copied
		n += copied
	}
	t.text = t.text[:n]
	t.size = n + lineCost*len(t.lines)
}
