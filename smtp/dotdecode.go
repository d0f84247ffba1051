package smtp

import (
	"bytes"
	"errors"
	"io"
)

// LineEnding says what a [DotDecoder] does with a CR or LF that stands alone.
type LineEnding uint8

const (
	// RejectBare records it, to be asked for with [DotDecoder.Bare]; the message is
	// then to be refused and its content forgotten.
	RejectBare LineEnding = iota
	// NormalizeBare makes it a CRLF in the content.
	NormalizeBare
)

// ErrBareNewline is the error for a message that has a CR or LF standing alone
// (RFC 5321 section 2.3.8). [DotDecoder.Decode] does not return it, because it
// has to go on to the end of data; a server uses it after it asked
// [DotDecoder.Bare].
var ErrBareNewline = errors.New("smtp: bare CR or LF in message content")

// DotDecoder undoes dot-stuffing (RFC 5321 section 4.5.2) and finds the end of
// data, in content that comes in any pieces. It allocates nothing. It is not safe
// for concurrent use.
//
// Only CRLF "." CRLF ends the data, where the content itself counts as beginning
// after a CRLF. A line that a bare CR or LF begins or ends is never the end, and a
// dot at its start is not taken away: servers that see an end there, next to
// servers that do not, are how one message is smuggled inside another. Such a dot
// stays in the content, and a [DotEncoder] protects it again on the way out.
type DotDecoder struct {
	mode    LineEnding
	state   dotState
	bare    bool
	npend   uint8
	pending [4]byte // decoded, but dst had no room yet
}

// dotState is what the decoder knows of the octets just read.
type dotState uint8

const (
	lineStart  dotState = iota // at the start, or after CRLF
	inLine                     // anywhere else
	afterCR                    // after a CR, which is in the content already
	afterDot                   // after the "." that began a line, which is withheld
	afterDotCR                 // after the "." and CR, both withheld
	atEnd                      // after the end of data
)

// NewDotDecoder returns a decoder at the start of the content, just after the CRLF
// of the DATA command.
func NewDotDecoder(mode LineEnding) DotDecoder { return DotDecoder{mode: mode} }

// Bare tells whether a CR or LF stood alone so far. The answer is final once
// [DotDecoder.Decode] has returned done.
func (d *DotDecoder) Bare() bool { return d.bare }

// Decode reads from src and writes content to dst until one of them is used up or
// the end of data is found. It returns how much of each it used; done tells that
// the end was found, and what is in src from nsrc on are the next commands. The
// CRLF before the final dot is content.
//
// After the end it reads no more. The error is io.ErrShortBuffer if dst has no
// room for anything that could come next, and nil otherwise. With RejectBare the
// content is never longer than its source, so that dst may begin at the same
// octet as src, or at the octet where the content so far ends.
func (d *DotDecoder) Decode(dst, src []byte) (ndst, nsrc int, done bool, err error) {
	stepwise := 0 // up to here in src, run has looked and can copy nothing
	for {
		ndst += d.flush(dst[ndst:])
		if d.npend > 0 || d.state == atEnd || nsrc == len(src) {
			break
		}
		if d.plain(src[nsrc]) {
			if ndst == len(dst) {
				break
			}
			if nsrc >= stepwise {
				n, scanned := d.run(dst[ndst:], src[nsrc:])
				ndst, nsrc, stepwise = ndst+n, nsrc+n, nsrc+scanned
				if n > 0 {
					continue
				}
			}
		}
		d.step(src[nsrc])
		nsrc++
	}
	if ndst == 0 && nsrc == 0 && d.state != atEnd && len(src) > 0 {
		err = io.ErrShortBuffer
	}
	return ndst, nsrc, d.state == atEnd, err
}

// plain tells whether c, next in the source, is content as it stands, from which a
// run may start.
func (d *DotDecoder) plain(c byte) bool {
	return d.state == inLine || d.state == lineStart && c != '.'
}

// flush moves pending octets to dst.
func (d *DotDecoder) flush(dst []byte) int {
	n := copy(dst, d.pending[:d.npend])
	d.npend = uint8(copy(d.pending[:], d.pending[n:d.npend]))
	return n
}

// run copies from src to dst, all at once, as much as needs no change: up to a dot
// that begins a line or, where bare newlines are replaced, to a bare LF. It returns
// how much that was. If it copied nothing though there was something, the first
// scanned octets are for step.
func (d *DotDecoder) run(dst, src []byte) (n, scanned int) {
	src = src[:min(len(src), len(dst))]
	n, pairs, bareLF := d.scan(src)
	src = src[:n]
	bareCR := d.hasBareCR(src, pairs)
	if bareCR && d.mode == NormalizeBare {
		return 0, n
	}
	d.bare = d.bare || bareLF || bareCR
	if n > 0 {
		d.state = stateAfter(src)
	}
	return copy(dst, src), 0
}

// hasBareCR tells whether one of the CR in src is not in one of its pairs, apart
// from a CR at the end, of which step will tell. Once a bare newline is known there
// is no need to look for more, unless to replace them.
func (d *DotDecoder) hasBareCR(src []byte, pairs int) bool {
	if d.bare && d.mode == RejectBare {
		return false
	}
	if bytes.HasSuffix(src, []byte{'\r'}) {
		pairs++
	}
	return bytes.Count(src, []byte{'\r'}) > pairs
}

// stateAfter tells the state after a run.
func stateAfter(run []byte) dotState {
	switch {
	case bytes.HasSuffix(run, []byte("\r\n")):
		return lineStart
	case bytes.HasSuffix(run, []byte{'\r'}):
		return afterCR
	}
	return inLine
}

// scan goes through the lines of src and returns where the run has to stop, how
// many CRLF are before that, and whether there is a bare LF among them.
func (d *DotDecoder) scan(src []byte) (n, pairs int, bareLF bool) {
	for n < len(src) {
		i := bytes.IndexByte(src[n:], '\n')
		if i < 0 {
			return len(src), pairs, bareLF
		}
		i += n
		if i > 0 && src[i-1] == '\r' {
			pairs++
			n = i + 1
			if n < len(src) && src[n] == '.' {
				return n, pairs, bareLF
			}
			continue
		}
		if d.mode == NormalizeBare {
			return i, pairs, bareLF
		}
		bareLF = true
		n = i + 1
	}
	return n, pairs, bareLF
}

// step takes one octet and leaves what it means for the content in pending.
func (d *DotDecoder) step(c byte) {
	switch d.state {
	case lineStart:
		if c == '.' {
			d.state = afterDot
			return
		}
	case afterCR:
		if c == '\n' {
			d.emit(c)
			d.state = lineStart
			return
		}
		d.bareCR()
	case afterDot:
		switch c {
		case '\r':
			d.state = afterDotCR
			return
		case '\n':
			d.emit('.') // a dot alone on its line is the end or content, never nothing
		}
	case afterDotCR:
		if c == '\n' {
			d.state = atEnd
			return
		}
		d.emit('.')
		d.emit('\r')
		d.bareCR()
	}
	d.text(c)
}

// text takes an octet that no dot and no CR before it gives a meaning.
func (d *DotDecoder) text(c byte) {
	d.state = inLine
	switch c {
	case '\r':
		d.state = afterCR
	case '\n':
		d.bare = true
		if d.mode == NormalizeBare {
			d.emit('\r')
		}
	}
	d.emit(c)
}

// bareCR notes that the CR just emitted stands alone.
func (d *DotDecoder) bareCR() {
	d.bare = true
	if d.mode == NormalizeBare {
		d.emit('\n')
	}
}

func (d *DotDecoder) emit(c byte) {
	d.pending[d.npend] = c
	d.npend++
}
