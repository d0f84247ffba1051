package bounce

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply/catalog"
	"github.com/weirmail/weir/smtp"
)

// Compose writes a notice: the envelope with which it goes to the reverse-path
// of the original, and its content, a multipart/report of three parts (RFC
// 6522): for the person, for programs, and what is returned. The id is that of
// the notice. maxReturn is the size in octets up to which a failure notice
// returns the whole message where the sender asked for it; beyond it, and for
// other kinds, the header section.
//
// The notice is 7-bit unless what it returns is not, or the sender speaks UTF-8
// (RFC 6533); its envelope says which. Where the original has a null
// reverse-path, or reading it fails, Compose returns an error.
func Compose(r *Report, id mail.ID, maxReturn int64) (*mail.Envelope, []byte, error) {
	if r.Original.ReversePath.IsNull() {
		return nil, nil, fmt.Errorf("a notice about message %v: its reverse-path is null", r.Original.ID)
	}
	original, err := r.readOriginal(maxReturn)
	if err != nil {
		return nil, nil, err
	}
	languages := r.catalogs()
	parts := []part{r.human(languages, len(original.header) > 0, original.whole != nil), r.machine()}
	if len(original.header) > 0 || original.whole != nil {
		parts = append(parts, original.part(r.Original))
	}
	content := r.header(id, messageID(original.header), r.subject(languages))
	content = appendParts(content, parts, "=_"+id.String())
	return r.envelope(id, !isASCII(content)), content, nil
}

// envelope returns the envelope of the notice. The protection that was asked
// for the original holds for it too (RFC 8689 section 5).
func (r *Report) envelope(id mail.ID, eightBit bool) *mail.Envelope {
	to := r.Original.ReversePath
	e := &mail.Envelope{
		ID:         id,
		Arrived:    r.Now,
		EightBit:   eightBit,
		SMTPUTF8:   !to.IsASCII(),
		RequireTLS: r.Original.RequireTLS,
		Origin:     mail.Origin{Standing: mail.Trusted},
		Recipients: []mail.Recipient{{Path: to, Progress: mail.Progress{Due: r.Now}}},
	}
	if eightBit {
		e.Body = smtp.Body8BitMIME
	}
	return e
}

// header returns the header section up to the fields that the parts decide.
func (r *Report) header(id mail.ID, about, subject string) []byte {
	host := hostName(r.Hostname)
	b := appendField(nil, "From", "Mail Delivery System <MAILER-DAEMON@"+host+">")
	b = appendField(b, "To", address(r.Original.ReversePath.String()))
	b = appendFolded(b, "Subject", subject)
	b = appendField(b, "Date", r.date(r.Now))
	b = appendField(b, "Message-ID", "<"+id.String()+"@"+host+">")
	if about != "" {
		b = appendField(b, "In-Reply-To", about)
		b = appendField(b, "References", about)
	}
	// RFC 3834 section 5: so that nobody's absence notice answers it.
	return appendField(b, "Auto-Submitted", "auto-replied")
}

// The transfer encodings of parts.
const (
	encoding7      = "7bit"
	encoding8      = "8bit"
	encodingQuoted = "quoted-printable"
	encodingBase64 = "base64"
)

// part is one part of the notice.
type part struct {
	description string
	contentType string
	encoding    string
	language    string // of a text for people
	body        []byte
}

// shorter returns the part in quoted-printable or in base64, whatever takes less:
// that depends on how much of it is Latin letters.
func (p part) shorter() part {
	q := p.quoted()
	n := base64.StdEncoding.EncodedLen(len(p.body))
	if n+n/38 >= len(q.body) { // with the line ends
		return q
	}
	text := base64.StdEncoding.EncodeToString(p.body)
	p.body, p.encoding = make([]byte, 0, n+n/38+2), encodingBase64
	for len(text) > 0 {
		cut := min(len(text), 76)
		p.body = append(append(p.body, text[:cut]...), "\r\n"...)
		text = text[cut:]
	}
	return p
}

// quoted returns the part in quoted-printable, which makes lines of any bytes
// that a message may have.
func (p part) quoted() part {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write(p.body) // into memory
	_ = w.Close()
	p.body, p.encoding = b.Bytes(), encodingQuoted
	return p
}

// appendParts appends the rest of the header section and the parts. No line of
// a part can be a boundary: those of our own are indented or have no "=_", nor
// has quoted-printable; and nobody knows the id of a notice before it is
// written.
func appendParts(dst []byte, parts []part, boundary string) []byte {
	dst = appendField(dst, "MIME-Version", "1.0")
	dst = appendField(dst, "Content-Type", "multipart/report; report-type=delivery-status;\r\n\tboundary=\""+boundary+"\"")
	for i := range parts {
		if parts[i].encoding == encoding8 {
			dst = appendField(dst, "Content-Transfer-Encoding", encoding8)
			break
		}
	}
	dst = append(dst, "\r\nThis is a notice about a message, in MIME format.\r\n"...)
	for i := range parts {
		p := &parts[i]
		dst = append(append(append(dst, "\r\n--"...), boundary...), "\r\n"...)
		dst = appendField(dst, "Content-Description", p.description)
		dst = appendField(dst, "Content-Type", p.contentType)
		if p.language != "" {
			dst = appendField(dst, "Content-Language", p.language)
		}
		dst = appendField(dst, "Content-Transfer-Encoding", p.encoding)
		dst = append(append(dst, "\r\n"...), p.body...)
	}
	return append(append(append(dst, "\r\n--"...), boundary...), "--\r\n"...)
}

// machine returns the part for programs. It is of the type that programs have
// known for longest unless an address asks for more.
func (r *Report) machine() part {
	p := part{description: "Delivery report", contentType: "message/delivery-status", encoding: encoding7}
	p.body = r.machinePart(r.Original.SMTPUTF8 && r.hasUTF8Address())
	if !isASCII(p.body) {
		p.contentType, p.encoding = "message/global-delivery-status", encoding8
	}
	return p
}

// human returns the part for the person who sent the message.
func (r *Report) human(languages []*catalog.Catalog, header, whole bool) part {
	p := part{description: "Notification", contentType: "text/plain; charset=us-ascii", encoding: encoding7, language: tags(languages)}
	p.body = r.humanPart(languages, header, whole)
	if isASCII(p.body) {
		return p
	}
	p.contentType = "text/plain; charset=utf-8"
	return p.shorter()
}

func (r *Report) hasUTF8Address() bool {
	for _, i := range r.Recipients {
		to := &r.Original.Recipients[i]
		if !to.Path.IsASCII() || !isASCII(to.Original.Address) {
			return true
		}
	}
	return false
}
