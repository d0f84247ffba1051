package dkim

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Name returns the name of the record in the DNS (RFC 6376 section 3.6.2.1).
func Name(selector, domain string) string { return selector + "._domainkey." + domain }

// Record returns the text of the record of a key (RFC 6376 section 3.6.1).
func (k *Key) Record() (string, error) {
	public, err := k.public()
	if err != nil {
		return "", fmt.Errorf("writing the public key: %w", err)
	}
	return "v=DKIM1; k=" + string(k.algorithm) + "; p=" + base64.StdEncoding.EncodeToString(public), nil
}

// longestString is how much one string of a TXT record holds, in octets (RFC 1035
// section 3.3.14).
const longestString = 255

// Strings cuts the text of a record into the strings of a TXT record. Whoever reads
// it joins them without anything between (RFC 6376 section 3.6.2.2).
func Strings(record string) []string {
	var all []string
	for len(record) > longestString {
		all, record = append(all, record[:longestString]), record[longestString:]
	}
	return append(all, record)
}

// Zone returns the record as a line of a zone file.
func Zone(name, record string) string {
	quoted := make([]string, 0, 2)
	for _, s := range Strings(record) {
		quoted = append(quoted, `"`+s+`"`)
	}
	if len(quoted) == 1 {
		return name + ". IN TXT " + quoted[0]
	}
	return name + ". IN TXT ( " + strings.Join(quoted, "\n\t") + " )"
}

// Record is what is published of a key.
type Record struct {
	// Algorithm is the tag k=, rsa where it is missing.
	Algorithm Algorithm
	// Public is the tag p=, decoded. Empty means that the key was revoked.
	Public []byte
	// Testing is the flag y: receivers treat signed mail like unsigned.
	Testing bool
	// Strict is the flag s: the domain of i= has to be that of d=.
	Strict bool
	// Hashes is the tag h=, nil for all; Services the tag s=, nil for all.
	Hashes, Services []string
}

// The faults of a record that a caller decides on.
var (
	// ErrNotARecord is the fault of a text that is none of a key.
	ErrNotARecord = errors.New("it is not the record of a DKIM key")
	// ErrNoKey is that of a record without the tag p=.
	ErrNoKey = errors.New("the tag p= is missing, which holds the public key")
)

// ParseRecord reads the text of a record (RFC 6376 section 3.6.1). Tags that are not
// known are passed over.
func ParseRecord(text string) (*Record, error) {
	tags, err := parseTags(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotARecord, err)
	}
	if v, ok := tags["v"]; ok && v != "DKIM1" {
		return nil, fmt.Errorf("%w: it begins with v=%s, and not with v=DKIM1", ErrNotARecord, shown(v))
	}
	r := &Record{Algorithm: RSA}
	if k, ok := tags["k"]; ok {
		r.Algorithm = Algorithm(strings.ToLower(k))
	}
	p, ok := tags["p"]
	if !ok {
		return nil, ErrNoKey
	}
	if r.Public, err = base64.StdEncoding.DecodeString(withoutSpace(p)); err != nil {
		return nil, errors.New("the key behind p= is not in base64, or is cut off")
	}
	for _, flag := range list(tags["t"]) {
		r.Testing = r.Testing || flag == "y"
		r.Strict = r.Strict || flag == "s"
	}
	r.Hashes, r.Services = list(tags["h"]), list(tags["s"])
	return r, nil
}

// parseTags reads a list of tags (RFC 6376 section 3.2).
func parseTags(text string) (map[string]string, error) {
	tags := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return nil, fmt.Errorf("%s is no tag", shown(part))
		}
		if _, twice := tags[name]; twice {
			return nil, fmt.Errorf("the tag %s= stands twice", shown(name))
		}
		tags[name] = strings.TrimSpace(value)
	}
	return tags, nil
}

// list reads the elements between colons; nil where there is none.
func list(value string) []string {
	if value == "" {
		return nil
	}
	parts := strings.Split(value, ":")
	for i := range parts {
		parts[i] = strings.ToLower(strings.TrimSpace(parts[i]))
	}
	return parts
}

func withoutSpace(s string) string { return strings.Join(strings.Fields(s), "") }

// shown quotes what somebody else has published, cut to a length that fits into a
// sentence.
func shown(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "..."
	}
	return fmt.Sprintf("%q", s)
}

// bits returns the length of an RSA key in a record.
func (r *Record) bits() (int, error) {
	parsed, err := x509.ParsePKIXPublicKey(r.Public)
	if err != nil {
		// RFC 6376 has SubjectPublicKeyInfo; RFC 3447's bare key is seen too.
		if k, err := x509.ParsePKCS1PublicKey(r.Public); err == nil {
			return k.N.BitLen(), nil
		}
		return 0, errors.New("the key behind p= is broken")
	}
	k, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return 0, errors.New("the key behind p= is not one of RSA")
	}
	return k.N.BitLen(), nil
}

// Problem says what is wrong with a record for a key that signs with it; "" for
// nothing. What only makes signatures count for less is no problem: see Warning.
func (r *Record) Problem(k *Key) string {
	if len(r.Public) == 0 {
		return "The key was revoked: p= is empty. Receivers take signatures by it as broken."
	}
	if r.Algorithm != k.algorithm {
		return fmt.Sprintf("The record is of a key of another kind: it says k=%s, and the file holds one of k=%s.", kind(r.Algorithm), k.algorithm)
	}
	if len(r.Hashes) > 0 && !slices.Contains(r.Hashes, "sha256") {
		return "The record does not allow SHA-256 (h=" + strings.Join(r.Hashes, ":") + "), by which Weir signs. Take h= out."
	}
	if len(r.Services) > 0 && !slices.Contains(r.Services, "email") && !slices.Contains(r.Services, "*") {
		return "The record is not for mail (s=" + strings.Join(r.Services, ":") + "). Take s= out."
	}
	return r.keyProblem(k)
}

// kind is the tag k= as it can be shown.
func kind(a Algorithm) string {
	if a == RSA || a == Ed25519 {
		return string(a)
	}
	return shown(string(a))
}

// keyProblem compares the keys themselves.
func (r *Record) keyProblem(k *Key) string {
	if r.Algorithm == Ed25519 && len(r.Public) != ed25519.PublicKeySize {
		return fmt.Sprintf("The key behind p= has %d octets, and one of Ed25519 has %d. It is to be written bare, without the wrapping that OpenSSL gives it (RFC 8463).", len(r.Public), ed25519.PublicKeySize)
	}
	if r.Algorithm == RSA {
		switch bits, err := r.bits(); {
		case err != nil:
			return "The record cannot be used: " + err.Error() + ". It was probably cut off: strings of a record have at most 255 octets, and a long one takes several."
		case bits < LeastBits:
			return fmt.Sprintf("The key in the record has %d bits, and receivers want at least %d (RFC 8301).", bits, LeastBits)
		}
	}
	if public, err := k.public(); err != nil || !bytes.Equal(public, r.Public) {
		return "The record holds another key than the file. Signatures do not verify until they are of one pair."
	}
	return ""
}

// Warning says what makes signatures count for less though they verify; "" for
// nothing.
func (r *Record) Warning() string {
	if r.Testing {
		return "The record says that the domain is testing (t=y): receivers treat its signed mail like unsigned mail. Take y out once all is well."
	}
	return ""
}
