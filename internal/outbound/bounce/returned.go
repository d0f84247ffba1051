package bounce

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

// maxHeader is how much of a header section is returned, in octets.
const maxHeader = 64 << 10

// returned is what goes back of the original.
type returned struct {
	header []byte
	whole  []byte // nil where only the header section goes back
}

// readOriginal reads what the notice is to return: the whole message where the
// sender asked for it, it failed, it is not larger than most and need not travel
// protected; else the header section (RFC 3461 section 6.2, RFC 8689 section 5).
// No more than that is read.
func (r *Report) readOriginal(most int64) (returned, error) {
	if r.OriginalContent == nil {
		return returned{}, nil
	}
	whole := r.Kind == Failure && r.Original.Ret == smtp.RetFull && !r.Original.RequireTLS && r.OriginalSize <= most
	limit := int64(maxHeader)
	if whole {
		limit = r.OriginalSize
	}
	b, err := io.ReadAll(io.LimitReader(r.OriginalContent, limit))
	if err != nil {
		return returned{}, fmt.Errorf("reading message %v: %w", r.Original.ID, err)
	}
	header := headerSection(b, int64(len(b)) == r.OriginalSize)
	if whole && wellLined(b) {
		return returned{header: header, whole: b}, nil
	}
	return returned{header: header}, nil
}

// headerSection returns the header section at the start of b, without the
// empty line. It ends at the first line that is no field, too: not every
// message has that empty line. A line that was cut off, because b is not
// complete, is left out.
func headerSection(b []byte, complete bool) []byte {
	end := 0
	for end < len(b) && end < maxHeader {
		line, _, ended := bytes.Cut(b[end:], []byte{'\n'})
		if !ended && !complete || !isFieldLine(line, end == 0) {
			break
		}
		end = min(end+len(line)+1, len(b))
	}
	return b[:min(end, maxHeader)]
}

// isFieldLine tells whether a line begins a field or, where it is not the
// first, goes on with one.
func isFieldLine(line []byte, first bool) bool {
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if len(line) == 0 {
		return false
	}
	if line[0] == ' ' || line[0] == '\t' {
		return !first
	}
	for i, c := range line {
		if c == ':' {
			return i > 0
		}
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return false
}

// part makes the third part of the notice. Where something is not ASCII and
// the sender speaks UTF-8 it is of the types of RFC 6533 section 5. A header
// section that no message may have as it is goes in quoted-printable.
func (o returned) part(e *mail.Envelope) part {
	global := e.SMTPUTF8 && !isASCII(o.header) && utf8.Valid(o.header)
	p := part{description: "The message", encoding: encoding7, body: o.whole, contentType: "message/rfc822"}
	switch {
	case o.whole != nil && global:
		p.contentType = "message/global"
	case o.whole != nil:
	case global && wellLined(o.header):
		p.description, p.contentType, p.body = headerTitle, "message/global-headers", o.header
	default:
		p.description, p.contentType, p.body = headerTitle, "text/rfc822-headers", o.header
		if !isASCII(o.header) && utf8.Valid(o.header) {
			p.contentType += "; charset=utf-8"
		}
		if !wellLined(o.header) || !isASCII(o.header) {
			return p.quoted()
		}
	}
	if !isASCII(p.body) {
		p.encoding = encoding8
	}
	return p
}

const headerTitle = "The header section of the message"

// messageID returns the Message-ID of a header section where it is fit to be
// repeated in a header section of ours, else "".
func messageID(header []byte) string {
	const name = "message-id:"
	for len(header) > 0 {
		var line []byte
		line, header, _ = bytes.Cut(header, []byte{'\n'})
		if len(line) < len(name) || !bytes.EqualFold(line[:len(name)], []byte(name)) {
			continue
		}
		value := append([]byte{}, line[len(name):]...)
		for len(header) > 0 && (header[0] == ' ' || header[0] == '\t') {
			line, header, _ = bytes.Cut(header, []byte{'\n'})
			value = append(value, line...)
		}
		value = bytes.Trim(value, " \t\r")
		if isMessageID(value) {
			return string(value)
		}
		return ""
	}
	return ""
}

// isMessageID tells whether v is msg-id of RFC 5322 section 3.6.4, more or
// less: visible ASCII in angle brackets around one @, without any inside.
func isMessageID(v []byte) bool {
	if len(v) < len("<a@b>") || len(v) > maxText || v[0] != '<' || v[len(v)-1] != '>' {
		return false
	}
	inner := v[1 : len(v)-1]
	for _, c := range inner {
		if c <= ' ' || c > '~' || c == '<' || c == '>' {
			return false
		}
	}
	at := bytes.IndexByte(inner, '@')
	return at > 0 && at < len(inner)-1 && bytes.IndexByte(inner[at+1:], '@') < 0
}
