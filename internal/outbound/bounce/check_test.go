package bounce

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/prose"
	"github.com/weirmail/weir/smtp"
)

// read is a part as a mail program reads it.
type read struct {
	kind string // media type
	body string // decoded
}

// check reads a notice back with the parsers of the standard library, and
// holds it to what must be so whatever the report says.
func check(t *testing.T, r *Report, e *mail.Envelope, content []byte) []read {
	t.Helper()
	checkLines(t, e, content)
	message, err := netmail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%v in\n%q", err, content)
	}
	checkHeader(t, r, content, message.Header)
	kind, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["report-type"] != "delivery-status" {
		t.Fatalf("%s, %v, %v", kind, params, err)
	}
	parts := readParts(t, message.Body, params["boundary"])
	if len(parts) < 2 || len(parts) > 3 {
		t.Fatalf("%d parts in\n%s", len(parts), content)
	}
	if parts[0].kind != "text/plain" {
		t.Errorf("the first part is %s", parts[0].kind)
	}
	checkHuman(t, r, parts[0].body)
	checkMachine(t, r, parts[1])
	return parts
}

func checkLines(t *testing.T, e *mail.Envelope, content []byte) {
	t.Helper()
	if !bytes.HasSuffix(content, []byte("\r\n")) {
		t.Error("no end of line at the end")
	}
	for line := range bytes.SplitSeq(content, []byte("\r\n")) {
		if len(line) > 998 {
			t.Errorf("a line of %d octets: %.60q", len(line), line)
		}
		if i := bytes.IndexAny(line, "\r\n\x00"); i >= 0 {
			t.Errorf("%q in line %q", line[i], line)
		}
	}
	if eight := !isASCII(content); eight != (e.Body == smtp.Body8BitMIME) || eight != e.EightBit {
		t.Errorf("8-bit: %v, and the envelope says %v, %v", eight, e.Body, e.EightBit)
	}
}

// headerNames are the fields that a notice may have, in their order; those in
// lower case may be missing.
var headerNames = []string{
	"From", "To", "Subject", "Date", "Message-ID", "in-reply-to", "references", "Auto-Submitted",
	"MIME-Version", "Content-Type", "content-transfer-encoding",
}

func checkHeader(t *testing.T, r *Report, content []byte, h netmail.Header) {
	t.Helper()
	section, _, _ := bytes.Cut(content, []byte("\r\n\r\n"))
	names := fieldNames(string(section))
	for _, want := range headerNames {
		switch {
		case len(names) > 0 && strings.EqualFold(names[0], want):
			names = names[1:]
		case want != strings.ToLower(want):
			t.Fatalf("no %s where it belongs in\n%s", want, section)
		}
	}
	if len(names) > 0 {
		t.Fatalf("fields that a notice does not have: %q", names)
	}
	if got := h.Get("Auto-Submitted"); got != "auto-replied" {
		t.Errorf("Auto-Submitted: %s", got)
	}
	if at, err := h.Date(); err != nil || at.Unix() != r.Now.Unix() {
		t.Errorf("Date: %v, %v", at, err)
	}
}

// fieldNames returns the names of the fields of a header section.
func fieldNames(section string) []string {
	var names []string
	for line := range strings.SplitSeq(strings.TrimSuffix(section, "\r\n"), "\r\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			continue
		}
		name, _, _ := strings.Cut(line, ":")
		names = append(names, name)
	}
	return names
}

func readParts(t *testing.T, body io.Reader, boundary string) []read {
	t.Helper()
	reader := multipart.NewReader(body, boundary)
	var parts []read
	for {
		p, err := reader.NextRawPart()
		if err == io.EOF {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, read{kind, decode(t, p)})
	}
}

func decode(t *testing.T, p *multipart.Part) string {
	t.Helper()
	var source io.Reader = p
	encoding := p.Header.Get("Content-Transfer-Encoding")
	switch encoding {
	case encodingQuoted:
		source = quotedprintable.NewReader(p)
	case encodingBase64:
		source = base64.NewDecoder(base64.StdEncoding, p)
	}
	b, err := io.ReadAll(source)
	if err != nil {
		t.Fatal(err)
	}
	if encoding == encoding7 && !isASCII(b) {
		t.Errorf("a part of 8 bits says that it has 7: %q", b)
	}
	return string(b)
}

func checkHuman(t *testing.T, r *Report, body string) {
	t.Helper()
	if !utf8.ValidString(body) {
		t.Errorf("not UTF-8: %q", body)
	}
	for _, c := range strings.ReplaceAll(body, "\r\n", "") {
		if !unicode.IsGraphic(c) && c != '\u200c' && c != '\u200d' && !(strings.ContainsRune(string(isolate)+string(endIsolate)+rightFirst, c) && slices.Contains(r.Languages, "ar")) {
			t.Errorf("%q in the text for people", c)
		}
	}
	for line := range strings.Lines(body) {
		if strings.Count(line, string(isolate)) != strings.Count(line, string(endIsolate)) {
			t.Errorf("what stands in isolation is not ended in %q", line)
		}
		if width := prose.Width(strings.TrimRight(line, "\r\n")); width > columns && strings.Contains(strings.TrimSpace(line), " ") && !strings.Contains(line, string(isolate)) && len(strings.Fields(line)) > 3 {
			t.Errorf("%d columns: %q", width, line)
		}
	}
}

// fieldsOfMessage are the fields of the message likewise.
var fieldsOfMessage = regexp.MustCompile(`^Reporting-MTA (Original-Envelope-Id )?(Arrival-Date )?(Deliver-By-Date )?$`)

// fieldsOfRecipient are the fields of a recipient in their order; those in
// lower case may be missing.
var fieldsOfRecipient = regexp.MustCompile(`^(Original-Recipient )?Final-Recipient Action Status (Remote-MTA )?(Diagnostic-Code )?(Last-Attempt-Date )?(Will-Retry-Until )?$`)

func checkMachine(t *testing.T, r *Report, p read) {
	t.Helper()
	if p.kind != "message/delivery-status" && p.kind != "message/global-delivery-status" {
		t.Errorf("the second part is %s", p.kind)
	}
	blocks := strings.Split(strings.TrimSuffix(p.body, "\r\n"), "\r\n\r\n")
	if len(blocks) != 1+len(r.Recipients) {
		t.Fatalf("%d blocks for %d recipients in\n%s", len(blocks), len(r.Recipients), p.body)
	}
	if names := strings.Join(fieldNames(blocks[0]), " ") + " "; !fieldsOfMessage.MatchString(names) {
		t.Errorf("fields of the message: %s", names)
	}
	for _, block := range blocks[1:] {
		if names := strings.Join(fieldNames(block), " ") + " "; !fieldsOfRecipient.MatchString(names) {
			t.Errorf("fields of a recipient: %s", names)
		}
	}
}

// fieldsOf reads the block with this index of a machine part.
func fieldsOf(t *testing.T, p read, block int) textproto.MIMEHeader {
	t.Helper()
	text := strings.Split(strings.TrimSuffix(p.body, "\r\n"), "\r\n\r\n")[block]
	h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(text + "\r\n\r\n"))).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func headerOf(t *testing.T, content []byte) netmail.Header {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header
}
