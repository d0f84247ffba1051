package sign

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/dkim"
)

// usualFields are signed where the configuration does not say which. Those that end
// in "+" are signed once more than the message has them, so that nobody can add one
// and have it shown in place of the one that was signed; the others once more only
// where the message has one, since servers on the way add some that are missing.
var usualFields = []string{
	"from+", "to+", "cc+", "subject+", "reply-to+", "date", "message-id", "sender",
	"in-reply-to", "references", "mime-version", "content-type", "content-transfer-encoding",
	"content-disposition", "list-id", "list-unsubscribe", "list-unsubscribe-post", "list-help",
	"list-subscribe", "list-owner", "list-archive", "list-post", "auto-submitted", "feedback-id",
}

// mostOfOne is how many fields of one name are signed; of more, the last ones are.
const mostOfOne = 32

// chosen returns the names for the tag h= of the fields of a message, and the fields
// in that order (RFC 6376 section 5.4.2: of several of one name, the last comes
// first).
func chosen(names []string, all []field) (tag []string, picked []*field) {
	for _, name := range names {
		name, always := strings.CutSuffix(name, "+")
		found := 0
		for i := len(all) - 1; i >= 0 && found < mostOfOne; i-- {
			if all[i].name == name {
				tag, picked = append(tag, name), append(picked, &all[i])
				found++
			}
		}
		if (always || found > 0) && found < mostOfOne {
			tag = append(tag, name)
		}
	}
	return tag, picked
}

// signature is what a signature says.
type signature struct {
	domain, selector string
	algorithm        dkim.Algorithm
	fields           []string // the tag h=
	body             []byte   // the hash of the body
	at, until        time.Time
}

// appendTags appends the header field up to its last tag, b=, which is empty. There
// is no i=: without one it is "@" and the domain, which is never wrong.
func (s *signature) appendTags(dst []byte) []byte {
	f := folder{dst: dst}
	f.add("DKIM-Signature: v=1;")
	f.add(" a=" + string(s.algorithm) + "-sha256;")
	f.add(" c=relaxed/relaxed;")
	f.add(" d=" + s.domain + ";")
	f.add(" s=" + s.selector + ";")
	f.add(" t=" + strconv.FormatInt(s.at.Unix(), 10) + ";")
	if !s.until.IsZero() {
		f.add(" x=" + strconv.FormatInt(s.until.Unix(), 10) + ";")
	}
	for i, name := range s.fields {
		before, after := "", ":"
		if i == 0 {
			before = " h="
		}
		if i == len(s.fields)-1 {
			after = ";"
		}
		f.add(before + name + after)
	}
	f.add(" bh=" + base64.StdEncoding.EncodeToString(s.body) + ";")
	f.line() // the value of b= is folded, and its first line begins here
	f.add("b=")
	return f.dst
}

// append appends the whole header field, signed by the key.
func (s *signature) append(dst []byte, picked []*field, k *dkim.Key) ([]byte, error) {
	begin := len(dst)
	dst = s.appendTags(dst)
	own := field{name: "dkim-signature", raw: dst[begin:]}
	var signed []byte
	for _, f := range picked {
		signed = f.appendRelaxed(signed)
	}
	signed = own.appendRelaxed(signed)
	digest := sha256.Sum256(signed[:len(signed)-len("\r\n")])
	b, err := k.Sign(digest[:])
	if err != nil {
		return nil, err
	}
	text := base64.StdEncoding.EncodeToString(b)
	for first := true; len(text) > 0; first = false {
		if !first {
			dst = append(dst, "\r\n\t "...)
		}
		n := min(len(text), 72)
		dst, text = append(dst, text[:n]...), text[n:]
	}
	return append(dst, "\r\n"...), nil
}

// folder makes lines of pieces.
type folder struct {
	dst  []byte
	used int
}

// add adds a piece to the line, or begins another with it. A line begins with a tab,
// in place of the piece's own blank.
func (f *folder) add(piece string) {
	if f.used > 0 && f.used+len(piece) > 76 {
		f.line()
		piece = strings.TrimPrefix(piece, " ")
	}
	f.dst = append(f.dst, piece...)
	f.used += len(piece)
}

func (f *folder) line() {
	f.dst = append(f.dst, "\r\n\t"...)
	f.used = 1
}
