package smtpclient

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/weirmail/weir/reply"
)

// lateReply is how long the client waits for what a server may have said before
// it stopped reading: the connection is dead already, so the reply is there or
// never comes.
const lateReply = 2 * time.Second

// wire is the connection with its buffers: commands and content out, replies in.
type wire struct {
	guard
	conn       net.Conn // in plain text or TLS
	timeouts   Timeouts
	transcript *Transcript

	in     input
	parser reply.Parser
	partly bool // the parser has lines of a reply that goes on
	// masking: challenges are kept out of the transcript.
	masking bool
	known   [numKnown]knownLine

	out    *outBuffer // nil between calls
	broken error      // of a write; the later ones are left out
}

// known is a place where the same line is expected again and again.
type known int

// The replies that are mostly the same in every transaction of a connection.
const (
	knownMAIL known = iota
	knownRCPT
	knownDATA
	numKnown
	unknown = numKnown
)

// knownLine is the reply last read at a place, so that the next one like it
// costs nothing.
type knownLine struct {
	line  string
	reply reply.Reply
}

// is tells whether the line is the one known; none is, where nothing is known yet.
func (k *knownLine) is(line []byte) bool { return k.line != "" && string(line) == k.line }

// readReply reads a whole reply within the time-out. The error is of the network
// or of the reply's form.
func (w *wire) readReply(timeout time.Duration, place known) (reply.Reply, error) {
	limited := false
	for {
		line, ok, err := w.in.line()
		if err != nil {
			return reply.Reply{}, err
		}
		if ok {
			r, done, err := w.parse(line, place)
			if err != nil || done {
				return r, err
			}
			continue
		}
		if !limited {
			w.readBy(w.patience(timeout))
			limited = true
		}
		if err := w.in.fill(w.conn); err != nil {
			return reply.Reply{}, w.explain(err)
		}
		if isRecord(w.in.unread()) {
			return reply.Reply{}, errRecord
		}
	}
}

// patience is shorter on a connection that cannot be written to any more.
func (w *wire) patience(timeout time.Duration) time.Duration {
	if w.broken != nil {
		return min(timeout, lateReply)
	}
	return timeout
}

// parse hands a line to the parser, unless it is the one known at the place.
func (w *wire) parse(line []byte, place known) (reply.Reply, bool, error) {
	if w.masking && isChallenge(line) {
		w.transcript.add('S', "334 ****")
	} else {
		addLine(w.transcript, 'S', line)
	}
	if place < numKnown && !w.partly && w.known[place].is(line) {
		return w.known[place].reply, true, nil
	}
	text := string(line)
	first := !w.partly
	r, done, err := w.parser.Line(text)
	w.partly = err == nil && !done
	if err != nil {
		return r, false, fmt.Errorf("%w: %q", err, clip(text))
	}
	if first && done && place < numKnown {
		w.known[place] = knownLine{text, r}
	}
	return r, done, nil
}

// isChallenge tells a line of AUTH (RFC 4954 section 4).
func isChallenge(line []byte) bool { return len(line) > 4 && string(line[:3]) == "334" }

// clip shortens what an error quotes.
func clip(s string) string { return s[:min(len(s), 80)] }

// explain adds to an error of the network what the client knows of it.
func (w *wire) explain(err error) error {
	if cause := w.cause(); cause != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	if errors.Is(err, io.EOF) {
		return ErrSilentClose
	}
	return err
}

// isLost tells an error that is the end of the connection, made by the server,
// and not by a time-out, the context or nonsense.
func isLost(err error) bool {
	return errors.Is(err, ErrSilentClose) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// write sends b at once. After an error all further writes are left out, and
// replies are waited for only briefly.
func (w *wire) write(b []byte) {
	if w.broken != nil || len(b) == 0 {
		return
	}
	w.writeBy(w.timeouts.DATABlock)
	if _, err := w.conn.Write(b); err != nil {
		w.broken = w.explain(err)
		addLine(w.transcript, '*', "writing fails: "+w.broken.Error())
	}
}

// flush sends what the out buffer holds.
func (w *wire) flush() {
	if w.out != nil {
		w.write(w.out.b)
		w.out.b = w.out.b[:0]
	}
}

// release ends a call: it gives the buffers back, except for input that nobody
// has asked for yet.
func (w *wire) release() {
	w.end()
	w.in.release()
	if w.out != nil {
		w.out.release()
		w.out = nil
	}
}
