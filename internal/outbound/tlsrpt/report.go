package tlsrpt

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// From is who reports.
type From struct {
	// Organization is its name, Contact how it is reached; both stand in reports.
	Organization, Contact string
	// Address is in the field From, and gets what comes back. Its domain names the
	// sender of the report.
	Address string
	// Hostname is the name of the relay.
	Hostname string
}

// domain is that of the address.
func (f From) domain() string {
	_, domain, _ := strings.Cut(f.Address, "@")
	return strings.ToLower(domain)
}

// Report is what is told about one domain and day.
type Report struct {
	From   From
	Domain string
	Day    int64 // since 1970, in UTC
	ID     string
	JSON   []byte // compressed
}

// reportText is a report as RFC 8460 section 4.4 has it.
type reportText struct {
	Organization string    `json:"organization-name"`
	Range        dateRange `json:"date-range"`
	Contact      string    `json:"contact-info"`
	ID           string    `json:"report-id"`
	Policies     []*tally  `json:"policies"`
}

type dateRange struct {
	Start time.Time `json:"start-datetime"`
	End   time.Time `json:"end-datetime"`
}

func start(day int64) time.Time { return time.Unix(day*24*60*60, 0).UTC() }

// newReport writes a report.
func newReport(from From, at slot, tallies []*tally) (*Report, error) {
	begin := start(at.day)
	r := &Report{
		From: from, Domain: at.domain, Day: at.day,
		ID: begin.Format("2006-01-02") + "." + at.domain + "@" + from.Hostname,
	}
	text, err := json.Marshal(reportText{
		Organization: from.Organization, Contact: from.Contact, ID: r.ID, Policies: tallies,
		Range: dateRange{begin, begin.Add(24*time.Hour - time.Second)},
	})
	if err != nil {
		return nil, fmt.Errorf("writing the TLS report about %s: %w", at.domain, err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err = w.Write(text); err == nil {
		err = w.Close()
	}
	r.JSON = packed.Bytes()
	return r, err
}

// filename is that of RFC 8460 section 5.1.
func (r *Report) filename() string {
	begin := start(r.Day)
	return r.From.domain() + "!" + r.Domain + "!" + strconv.FormatInt(begin.Unix(), 10) + "!" +
		strconv.FormatInt(begin.Add(24*time.Hour-time.Second).Unix(), 10) + ".json.gz"
}

// Mail writes the message that carries a report to an address (RFC 8460 section
// 5.3). It asks to be sent whatever is wrong with the TLS of the domain: that is what
// the report is about.
func (r *Report) Mail(to, id string, now time.Time) []byte {
	boundary := "=_" + id
	var b strings.Builder
	field := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	field("From", "<"+r.From.Address+">")
	field("To", "<"+to+">")
	field("Subject", "Report Domain: "+r.Domain+"\r\n Submitter: "+r.From.domain()+"\r\n Report-ID: <"+r.ID+">")
	field("Date", now.UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000"))
	field("Message-ID", "<"+id+"@"+r.From.Hostname+">")
	field("TLS-Report-Domain", r.Domain)
	field("TLS-Report-Submitter", r.From.domain())
	field("TLS-Required", "No")
	field("Auto-Submitted", "auto-generated")
	field("MIME-Version", "1.0")
	field("Content-Type", "multipart/report; report-type=\"tlsrpt\";\r\n boundary=\""+boundary+"\"")
	fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n", boundary)
	fmt.Fprintf(&b, "This is a report about TLS between %s and the mail servers of\r\n%s on %s (UTC).\r\n",
		r.From.Hostname, r.Domain, start(r.Day).Format("2006-01-02"))
	fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n", boundary)
	fmt.Fprintf(&b, "Content-Disposition: attachment;\r\n filename=\"%s\"\r\n\r\n", r.filename())
	writeBase64(&b, r.JSON)
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return []byte(b.String())
}

// writeBase64 writes octets in lines (RFC 2045 section 6.8).
func writeBase64(b *strings.Builder, octets []byte) {
	text := base64.StdEncoding.EncodeToString(octets)
	for len(text) > 0 {
		n := min(len(text), 76)
		b.WriteString(text[:n] + "\r\n")
		text = text[n:]
	}
}
