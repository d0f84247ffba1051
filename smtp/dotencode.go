package smtp

import "bytes"

// DotEncoder does dot-stuffing (RFC 5321 section 4.5.2) for DATA, on content that
// comes in any pieces. The zero value is at the start of a message. It is not safe
// for concurrent use.
//
// It also doubles a dot after a bare CR or bare LF, which the RFC does not ask
// for: a receiver that takes one for the end of a line must not find an end of data
// inside the message. A strict receiver keeps the second dot. Content with a NUL
// should not come here, because there are servers that drop it before they look
// for the end.
type DotEncoder struct {
	tail encoderTail
}

// encoderTail is what the content ended in so far.
type encoderTail uint8

const (
	tailCRLF  encoderTail = iota // a CRLF, or there was no content yet
	tailCR                       // a CR
	tailLF                       // a bare LF
	tailOther                    // anything else
)

// Append appends src to dst, dot-stuffed. It allocates only if dst has no room.
func (e *DotEncoder) Append(dst, src []byte) []byte {
	if len(src) == 0 {
		return dst
	}
	if src[0] == '.' && e.tail != tailOther {
		dst = append(dst, '.')
	}
	e.setTail(src)
	// Where the next dot after LF and the next after CR are, counted in what is left
	// of src. Each is looked for again only once it was passed.
	afterLF, afterCR := indexDot(src, '\n'), indexDot(src, '\r')
	for {
		n := min(afterLF, afterCR)
		if n == len(src) {
			return append(dst, src...)
		}
		dst = append(dst, src[:n]...)
		dst = append(dst, '.')
		src = src[n:]
		if afterLF -= n; afterLF == 0 {
			afterLF = indexDot(src, '\n')
		}
		if afterCR -= n; afterCR == 0 {
			afterCR = indexDot(src, '\r')
		}
	}
}

// indexDot returns the index of the first dot in s that follows newline, len(s) if
// there is none.
func indexDot(s []byte, newline byte) int {
	if i := bytes.Index(s, []byte{newline, '.'}); i >= 0 {
		return i + 1
	}
	return len(s)
}

// setTail notes what the content ends in after src, which is not empty.
func (e *DotEncoder) setTail(src []byte) {
	n := len(src)
	crBefore := n > 1 && src[n-2] == '\r' || n == 1 && e.tail == tailCR
	switch {
	case src[n-1] == '\n' && crBefore:
		e.tail = tailCRLF
	case src[n-1] == '\n':
		e.tail = tailLF
	case src[n-1] == '\r':
		e.tail = tailCR
	default:
		e.tail = tailOther
	}
}

// Finish appends the end of data: a CRLF if the content did not end in one, then
// ".\r\n". An empty message has only the latter. [DotEncoder.Reset] comes before
// the next message.
func (e *DotEncoder) Finish(dst []byte) []byte {
	if e.tail != tailCRLF {
		dst = append(dst, "\r\n"...)
	}
	return append(dst, ".\r\n"...)
}

// Reset makes the encoder ready for another message.
func (e *DotEncoder) Reset() { *e = DotEncoder{} }
