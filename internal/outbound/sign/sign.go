package sign

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/mail"
)

// Key is one key of a domain.
type Key struct {
	// Domain is the one that the key signs for, and Selector the name of the key
	// below it in the DNS.
	Domain, Selector string
	// File is the private key, in PEM. It is read again when it changes.
	File string
	// Headers are the names of the header fields to sign in place of the usual
	// ones. From is always among them.
	Headers []string
	// Expire is how long a signature holds; 0 means for ever.
	Expire time.Duration
}

// Options are what a signer is built from.
type Options struct {
	// Keys sign in their order. A message is signed by all those of the domains of
	// its authors.
	Keys []Key
	// Fault hears of keys that have become unusable. It may be nil.
	Fault func(error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Signer signs messages. It is safe for concurrent use. A nil Signer signs none.
type Signer struct {
	now     func() time.Time
	domains map[string][]*signingKey
	cache   *cache
}

// signingKey is a key with what it signs.
type signingKey struct {
	domain, selector string
	file             *keyFile
	fields           []string
	expire           time.Duration
}

// New reads the keys. It fails where one of them cannot be used. Without keys the
// signer is nil.
func New(o Options) (*Signer, error) {
	if len(o.Keys) == 0 {
		return nil, nil
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Fault == nil {
		o.Fault = func(error) {}
	}
	s := &Signer{now: o.Now, domains: map[string][]*signingKey{}, cache: newCache(kept)}
	for i := range o.Keys {
		k, err := openSigningKey(&o.Keys[i], o.Fault, o.Now())
		if err != nil {
			return nil, err
		}
		s.domains[k.domain] = append(s.domains[k.domain], k)
	}
	return s, nil
}

func openSigningKey(k *Key, fault func(error), now time.Time) (*signingKey, error) {
	domain, err := dns.ToASCII(k.Domain)
	if err != nil {
		return nil, err
	}
	file, err := openKey(k.File, fault, now)
	if err != nil {
		return nil, err
	}
	return &signingKey{domain: domain, selector: strings.ToLower(k.Selector), file: file, fields: signedFields(k.Headers), expire: k.Expire}, nil
}

// signedFields are the fields that a key signs, as [usualFields] has them. Whoever
// names some means that nobody is to add one.
func signedFields(names []string) []string {
	if len(names) == 0 {
		return usualFields
	}
	all := []string{"from+"}
	for _, name := range names {
		if name = strings.ToLower(name); name != "from" {
			all = append(all, name+"+")
		}
	}
	return all
}

// Content is the content of a message, as the spool opens it.
type Content interface {
	io.ReadCloser
	// Bytes returns the whole content where it is in memory, else nil.
	Bytes() []byte
}

// Error is a message that could not be signed.
type Error struct {
	// Domain is the one to sign for; empty where it did not come so far.
	Domain string
	// Permanent tells that the message itself is the cause, so that no later try
	// can do it.
	Permanent bool
	Err       error
}

// Error says for which domain a message could not be signed, and why.
func (e *Error) Error() string {
	if e.Domain == "" {
		return fmt.Sprintf("the message could not be signed: %v", e.Err)
	}
	return fmt.Sprintf("the message could not be signed for %s: %v", e.Domain, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

var errHeaderTooLong = errors.New("its header section is longer than 1 MiB")

// Header returns the DKIM-Signature fields that are to be sent before the content of
// a message, each with its CRLF; nil where it is not to be signed. The slice is not
// to be changed. open opens the content, and is called only where that has to be
// read. Errors are of type *[Error]; those of open itself are returned as they are.
func (s *Signer) Header(e *mail.Envelope, open func() (Content, error)) ([]byte, error) {
	if s == nil || !s.concerns(e) {
		return nil, nil
	}
	entry := s.cache.of(e.ID)
	entry.mu.Lock()
	defer entry.mu.Unlock()
	now := s.now()
	if entry.holds(now) {
		return entry.header, nil
	}
	content, err := open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	made, err := s.sign(e, content, now)
	if err != nil {
		return nil, err
	}
	entry.signed, entry.made = made, true
	return made.header, nil
}

// concerns tells whether a message may have to be signed, as far as its envelope
// says.
func (s *Signer) concerns(e *mail.Envelope) bool {
	switch e.Origin.Standing {
	case mail.Trusted:
		return true
	case mail.Bound:
		domain, err := dns.ToASCII(e.ReversePath.Domain)
		return err == nil && s.domains[domain] != nil
	}
	return false
}

// sign makes the signatures of a message.
func (s *Signer) sign(e *mail.Envelope, content Content, now time.Time) (signed, error) {
	section, rest, err := headerOf(content)
	if err != nil {
		return signed{}, &Error{Permanent: errors.Is(err, errHeaderTooLong), Err: err}
	}
	all := fields(section)
	made := signed{keys: s.keysFor(e, all)}
	if len(made.keys) == 0 {
		return made, nil
	}
	hash := newBodyHash()
	if _, err := io.Copy(hash, rest); err != nil {
		return signed{}, &Error{Domain: made.keys[0].domain, Err: err}
	}
	body := hash.sum()
	for _, k := range made.keys {
		if err := made.add(k, all, body, now); err != nil {
			return signed{}, &Error{Domain: k.domain, Err: err}
		}
	}
	return made, nil
}

// headerOf returns the header section of a content, and a reader of its body.
func headerOf(content Content) (section []byte, body io.Reader, err error) {
	if b := content.Bytes(); b != nil {
		section, rest, _ := splitHeader(b)
		if len(section) > maxHeader {
			return nil, nil, errHeaderTooLong
		}
		return section, bytes.NewReader(rest), nil
	}
	section, begun, err := readHeader(content)
	if err != nil {
		return nil, nil, err
	}
	return section, io.MultiReader(bytes.NewReader(begun), content), nil
}

// keysFor returns the keys that sign a message: those of the domains of its authors,
// as far as whoever sent it may speak for them.
func (s *Signer) keysFor(e *mail.Envelope, all []field) []*signingKey {
	var from *field
	for i := range all {
		if all[i].name != "from" {
			continue
		}
		if from != nil {
			return nil // whose mail it is depends on who looks
		}
		from = &all[i]
	}
	if from == nil {
		return nil
	}
	domains, ok := authors(string(from.value()))
	if !ok {
		return nil
	}
	var keys []*signingKey
	for _, d := range domains {
		if e.Origin.Standing == mail.Bound && !s.speaksFor(e, d) {
			continue
		}
		keys = append(keys, s.domains[d]...)
	}
	return keys
}

// speaksFor tells whether an account that may send as some only speaks for a domain:
// where it is that of the reverse-path, which was checked.
func (s *Signer) speaksFor(e *mail.Envelope, domain string) bool {
	own, err := dns.ToASCII(e.ReversePath.Domain)
	return err == nil && own == domain
}
