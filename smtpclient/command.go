package smtpclient

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weirmail/weir/smtp"
)

// extensionOf returns the EHLO keyword that a parameter of MAIL or RCPT belongs
// to. A parameter that is not known belongs to the extension of its own name.
func extensionOf(p smtp.Param) string {
	switch p.Keyword {
	case "BODY":
		if strings.EqualFold(p.Value, "BINARYMIME") {
			return "BINARYMIME" // RFC 3030
		}
		return "8BITMIME" // RFC 6152
	case "RET", "ENVID", "NOTIFY", "ORCPT":
		return "DSN" // RFC 3461
	case "BY":
		return "DELIVERBY" // RFC 2852
	case "HOLDFOR", "HOLDUNTIL":
		return "FUTURERELEASE" // RFC 4865
	}
	return p.Keyword // SIZE, AUTH, SMTPUTF8, REQUIRETLS, MT-PRIORITY, RRVS
}

// checkTransaction finds what must not go to the wire, before anything does. The
// command and the error are returned.
func (c *Client) checkTransaction(t *Transaction) (command string, err error) {
	if len(t.Recipients) == 0 {
		return "", ErrNoRecipients
	}
	utf8 := hasParam(t.MailParams, "SMTPUTF8")
	if err := c.checkCommand(t.ReversePath, t.MailParams, utf8, -1); err != nil {
		return t.mailText(), err
	}
	for i := range t.Recipients {
		rcpt := &t.Recipients[i]
		if err := c.checkCommand(rcpt.Path, rcpt.Params, utf8, i); err != nil {
			return rcpt.text(), err
		}
	}
	return "", c.checkContent(t)
}

func (c *Client) checkCommand(p smtp.Path, params []smtp.Param, utf8 bool, recipient int) error {
	if recipient >= 0 && p.IsNull() {
		return fmt.Errorf("%w: the null path as a recipient", ErrAddress)
	}
	if err := checkPath(p); err != nil {
		return err
	}
	if !utf8 && !p.IsASCII() {
		return &NotOfferedError{Extension: "SMTPUTF8", Recipient: recipient}
	}
	for i := range params {
		if err := c.checkParam(params[i], recipient); err != nil {
			return err
		}
	}
	return nil
}

// checkPath holds back an address that would be more than an address on the wire:
// one with a line end in it would be two commands. Plain ones pass without
// parsing.
func checkPath(p smtp.Path) error {
	if isPlain(p.Local) && isPlain(p.Domain) && len(p.Local) <= smtp.MaxLocalPart &&
		len(p.Local)+len(p.Domain)+len("<@>") <= smtp.MaxPath {
		return nil
	}
	if err := p.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrAddress, err)
	}
	return nil
}

// isPlain tells letters and digits with single dots and hyphens between them: what
// both a local part and a domain may be without a closer look.
func isPlain(s string) bool {
	edge := true // at the start, or after a dot
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
			edge = false
		case (c == '.' || c == '-') && !edge && i+1 < len(s):
			edge = true
		default:
			return false
		}
	}
	return !edge
}

// maxParam is the longest parameter as written that the client sends: the
// allowance of ENVID, ORCPT and AUTH, and far more than any other needs.
const maxParam = 500

// checkParam holds back a parameter that is not offered, and one that would be
// more than a parameter on the wire (esmtp-value, RFC 5321 section 4.1.2).
func (c *Client) checkParam(p smtp.Param, recipient int) error {
	if !isKeyword(p.Keyword) || !isValue(p.Value) || len(p.Keyword)+len(p.Value) >= maxParam ||
		p.HasValue != (p.Value != "") {
		return fmt.Errorf("%w: %q", ErrParam, clip(paramText(p)))
	}
	if extension := extensionOf(p); !c.caps.Has(extension) {
		return &NotOfferedError{Keyword: p.Keyword, Extension: extension, Recipient: recipient}
	}
	return nil
}

// isKeyword tells an esmtp-keyword.
func isKeyword(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (c != '-' || i == 0) {
			return false
		}
	}
	return s != ""
}

// isValue tells an esmtp-value: no spaces, control characters or "=". Octets
// beyond ASCII come with SMTPUTF8 (RFC 6531 section 3.3).
func isValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == '=' || c == 0x7f {
			return false
		}
	}
	return true
}

func hasParam(params []smtp.Param, keyword string) bool {
	return slices.ContainsFunc(params, func(p smtp.Param) bool { return p.Keyword == keyword })
}

// checkContent looks at what binary content needs, and at the size.
func (c *Client) checkContent(t *Transaction) error {
	binary := slices.ContainsFunc(t.MailParams, func(p smtp.Param) bool {
		return p.Keyword == "BODY" && strings.EqualFold(p.Value, "BINARYMIME")
	})
	if t.Content.Binary && !binary {
		return fmt.Errorf("%w: binary content without BODY=BINARYMIME", ErrParam)
	}
	if binary && !c.caps.Has("CHUNKING") {
		return &NotOfferedError{Extension: "CHUNKING", Recipient: -1}
	}
	if t.Content.Size < 0 {
		return fmt.Errorf("%w: its size is negative", ErrContent)
	}
	return nil
}

// appendMail writes the MAIL command. SIZE is added where it is offered (RFC 1870
// section 4) and neither ruled out nor among the parameters.
func (c *Client) appendMail(dst []byte, t *Transaction) []byte {
	dst = append(dst, "MAIL FROM:"...)
	dst = t.ReversePath.Append(dst)
	if c.offers.size && !t.OmitSize && !hasParam(t.MailParams, "SIZE") {
		dst = append(dst, " SIZE="...)
		dst = strconv.AppendInt(dst, t.Content.size(), 10)
	}
	return append(appendParams(dst, t.MailParams), "\r\n"...)
}

func appendRCPT(dst []byte, r *Recipient) []byte {
	dst = append(dst, "RCPT TO:"...)
	dst = r.Path.Append(dst)
	return append(appendParams(dst, r.Params), "\r\n"...)
}

func appendParams(dst []byte, params []smtp.Param) []byte {
	for i := range params {
		dst = append(dst, ' ')
		dst = appendParam(dst, params[i])
	}
	return dst
}

func appendParam(dst []byte, p smtp.Param) []byte {
	dst = append(dst, p.Keyword...)
	if p.HasValue {
		dst = append(append(dst, '='), p.Value...)
	}
	return dst
}

func appendBDAT(dst []byte, size int64) []byte {
	dst = append(dst, "BDAT "...)
	dst = strconv.AppendInt(dst, size, 10)
	return append(dst, " LAST\r\n"...)
}

func paramText(p smtp.Param) string { return string(appendParam(nil, p)) }

// mailText is MAIL as errors show it, without parameters.
func (t *Transaction) mailText() string { return "MAIL FROM:" + t.ReversePath.String() }

func (r *Recipient) text() string { return "RCPT TO:" + r.Path.String() }
