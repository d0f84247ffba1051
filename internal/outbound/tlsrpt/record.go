package tlsrpt

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/weirmail/weir/smtp"
)

// version is what every record begins with.
const version = "v=TLSRPTv1"

// maxDestinations bounds how many reports one domain gets a day.
const maxDestinations = 4

// The errors of records.
var (
	errNoRecord    = errors.New("the domain has no TLSRPT record")
	errManyRecords = errors.New("the domain has more than one TLSRPT record, so that none counts")
)

// Destination is where reports about a domain go: to an address by mail, or to a
// server by HTTPS.
type Destination struct {
	Mail smtp.Path
	URL  string // empty where it is by mail
}

// String returns the address or the URL.
func (d Destination) String() string {
	if d.URL != "" {
		return d.URL
	}
	return d.Mail.Address()
}

// FindRecord returns where reports go, by the texts of _smtp._tls.DOMAIN. Texts of
// other kinds are passed over; with two records the domain wants no reports (RFC
// 8460 section 3). Destinations that cannot be used are left out; that there are
// none is an error.
func FindRecord(texts []string) ([]Destination, error) {
	var records []string
	for _, text := range texts {
		if rest, ok := strings.CutPrefix(text, version); ok && strings.HasPrefix(strings.TrimLeft(rest, " \t"), ";") {
			records = append(records, rest)
		}
	}
	switch len(records) {
	case 0:
		return nil, errNoRecord
	case 1:
		return parseRecord(records[0])
	}
	return nil, errManyRecords
}

// parseRecord reads the fields of a record behind its version.
func parseRecord(text string) ([]Destination, error) {
	for field := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(strings.Trim(field, " \t"), "=")
		if !ok || strings.TrimRight(name, " \t") != "rua" {
			continue // there may be fields that are not known yet
		}
		return parseDestinations(value)
	}
	return nil, errors.New("the TLSRPT record does not say where reports go")
}

// parseDestinations reads the list of URIs. The first ones that can be used count.
func parseDestinations(list string) ([]Destination, error) {
	var all []Destination
	var wrong error
	for text := range strings.SplitSeq(list, ",") {
		d, err := parseDestination(strings.Trim(text, " \t"))
		if err != nil {
			wrong = err
			continue
		}
		if len(all) < maxDestinations {
			all = append(all, d)
		}
	}
	if len(all) == 0 {
		return nil, wrong
	}
	return all, nil
}

func parseDestination(text string) (Destination, error) {
	u, err := url.Parse(text)
	if err != nil {
		return Destination{}, fmt.Errorf("the TLSRPT record has %q, which is no URI", text)
	}
	switch u.Scheme {
	case "mailto":
		address, err := url.PathUnescape(u.Opaque)
		if err == nil {
			var path smtp.Path
			if path, err = smtp.ParseAddress(address); err == nil && path.Domain != "" {
				return Destination{Mail: path}, nil
			}
		}
		return Destination{}, fmt.Errorf("the TLSRPT record has %q, which is no address", text)
	case "https":
		if u.Host == "" || u.User != nil || u.Hostname() == "" {
			return Destination{}, fmt.Errorf("the TLSRPT record has %q, which names no server", text)
		}
		return Destination{URL: u.String()}, nil
	}
	return Destination{}, fmt.Errorf("the TLSRPT record has %q, which is neither mailto nor https", text)
}
