package smtp

import "errors"

// LineEnding says what a [DotDecoder] does with a CR or LF that stands alone.
type LineEnding uint8

const (
	// RejectBare records it, to be asked for with [DotDecoder.Bare]; the message is
	// then to be refused.
	RejectBare LineEnding = iota
	// NormalizeBare makes it a CRLF in the content.
	NormalizeBare
)

// ErrBareNewline is the error for a message that has a CR or LF standing alone
// (RFC 5321 section 2.3.8). [DotDecoder.Decode] does not return it, because it
// has to go on to the end of data; a server uses it when it asks
// [DotDecoder.Bare].
var ErrBareNewline = errors.New("smtp: bare CR or LF in message content")

// DotDecoder undoes dot-stuffing (RFC 5321 section 4.5.2) and finds the end of
// data.
type DotDecoder struct {
	mode LineEnding
	bare bool
}

// NewDotDecoder returns a decoder at the start of the content, just after the CRLF
// of the DATA command.
func NewDotDecoder(mode LineEnding) DotDecoder { return DotDecoder{mode: mode} }

// Bare tells whether a CR or LF stood alone so far.
func (d *DotDecoder) Bare() bool { return d.bare }

// Decode reads from src and writes content to dst, until one of them is used up
// or the end of data is found. It returns how much of each it used; done tells that
// the end was found: what is in src from nsrc on are the next commands.
func (d *DotDecoder) Decode(dst, src []byte) (ndst, nsrc int, done bool, err error) {
	return 0, 0, false, errors.New("not implemented")
}
