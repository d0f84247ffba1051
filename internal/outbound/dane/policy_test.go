package dane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/dns"
)

var today = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// identity is a certificate with its key.
type identity struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// issue makes a certificate for a name, or an authority; by itself where parent is
// nil.
func issue(t *testing.T, parent *identity, name string, until time.Time) *identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: today.AddDate(-1, 0, 0), NotAfter: until, BasicConstraintsValid: true,
		IsCA: parent == nil || name == "between", DNSNames: []string{name},
	}
	by, signer := template, key
	if parent != nil {
		by, signer = parent.certificate, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &identity{c, key}
}

func chainOf(ids ...*identity) (chain []*x509.Certificate) {
	for _, id := range ids {
		chain = append(chain, id.certificate)
	}
	return chain
}

// record is one that names a certificate.
func record(usage, selector, matching uint8, id *identity) dns.TLSA {
	data := id.certificate.Raw
	if selector == 1 {
		data = id.certificate.RawSubjectPublicKeyInfo
	}
	switch matching {
	case 1:
		sum := sha256.Sum256(data)
		data = sum[:]
	case 2:
		sum := sha512.Sum512(data)
		data = sum[:]
	}
	return dns.TLSA{Usage: usage, Selector: selector, MatchingType: matching, Data: string(data)}
}

func TestVerify(t *testing.T) {
	const host = "mx.example.org"
	soon, gone := today.AddDate(1, 0, 0), today.AddDate(0, 0, -1)
	ca, foreign := issue(t, nil, "authority", soon), issue(t, nil, "foreign", soon)
	between := issue(t, ca, "between", soon)
	leaf, other := issue(t, ca, host, soon), issue(t, ca, "other.example.org", soon)
	below, expired := issue(t, between, host, soon), issue(t, ca, host, gone)
	self, wrong := issue(t, nil, host, soon), issue(t, nil, "wrong.example.org", gone)
	alias := issue(t, ca, "alias.example.org", soon)
	for name, test := range map[string]struct {
		records []dns.TLSA
		chain   []*x509.Certificate
		good    bool
		noMatch bool
	}{
		"EE, certificate":                       {[]dns.TLSA{record(3, 0, 0, leaf)}, chainOf(leaf), true, false},
		"EE, certificate SHA-256":               {[]dns.TLSA{record(3, 0, 1, leaf)}, chainOf(leaf), true, false},
		"EE, key":                               {[]dns.TLSA{record(3, 1, 0, leaf)}, chainOf(leaf), true, false},
		"EE, key SHA-256":                       {[]dns.TLSA{record(3, 1, 1, leaf)}, chainOf(leaf), true, false},
		"EE, key SHA-512":                       {[]dns.TLSA{record(3, 1, 2, leaf)}, chainOf(leaf), true, false},
		"EE, expired":                           {[]dns.TLSA{record(3, 1, 1, expired)}, chainOf(expired), true, false},
		"EE, another name and self-signed":      {[]dns.TLSA{record(3, 1, 1, wrong)}, chainOf(wrong), true, false},
		"EE, the new key beside the old":        {[]dns.TLSA{record(3, 1, 1, other), record(3, 1, 1, leaf)}, chainOf(leaf), true, false},
		"EE, another key":                       {[]dns.TLSA{record(3, 1, 1, other)}, chainOf(leaf), false, true},
		"EE names no authority":                 {[]dns.TLSA{record(3, 1, 1, ca)}, chainOf(leaf, ca), false, true},
		"TA, SHA-256":                           {[]dns.TLSA{record(2, 0, 1, ca)}, chainOf(leaf, ca), true, false},
		"TA, key":                               {[]dns.TLSA{record(2, 1, 1, ca)}, chainOf(leaf, ca), true, false},
		"TA, not sent":                          {[]dns.TLSA{record(2, 0, 1, ca)}, chainOf(leaf), false, true},
		"TA, in the record":                     {[]dns.TLSA{record(2, 0, 0, ca)}, chainOf(leaf), true, false},
		"TA between":                            {[]dns.TLSA{record(2, 0, 1, between)}, chainOf(below, between), true, false},
		"TA above one between":                  {[]dns.TLSA{record(2, 0, 1, ca)}, chainOf(below, between, ca), true, false},
		"TA, the one between is missing":        {[]dns.TLSA{record(2, 0, 1, ca)}, chainOf(below, ca), false, false},
		"TA, sent beside a foreign certificate": {[]dns.TLSA{record(2, 0, 1, ca)}, chainOf(self, ca), false, false},
		"TA, expired":                           {[]dns.TLSA{record(2, 0, 1, ca)}, chainOf(expired, ca), false, false},
		"TA, another name":                      {[]dns.TLSA{record(2, 0, 1, ca)}, chainOf(other, ca), false, false},
		"TA, the name of the host":              {[]dns.TLSA{record(2, 0, 1, ca)}, chainOf(alias, ca), true, false},
		"TA, foreign":                           {[]dns.TLSA{record(2, 0, 1, foreign)}, chainOf(leaf, ca), false, true},
		"TA that does not fit, and EE":          {[]dns.TLSA{record(2, 0, 1, foreign), record(3, 1, 1, leaf)}, chainOf(leaf, ca), true, false},
		"usages 0 and 1 say nothing":            {[]dns.TLSA{record(0, 0, 1, foreign), record(1, 1, 1, foreign)}, chainOf(self), true, false},
		"usage 1 beside one that counts":        {[]dns.TLSA{record(1, 1, 1, self), record(3, 1, 1, leaf)}, chainOf(self), false, true},
		"no certificate":                        {[]dns.TLSA{record(3, 1, 1, leaf)}, nil, false, true},
	} {
		p := New("alias.example.org", dns.TLSASet{Base: host, Records: test.records})
		err := p.Verify(test.chain, today)
		if (err == nil) != test.good {
			t.Errorf("%s: %v", name, err)
		}
		if e := (*Error)(nil); err != nil && (!errors.As(err, &e) || e.NoMatch != test.noMatch) {
			t.Errorf("%s: %+v, no match: want %v", name, err, test.noMatch)
		}
	}
}

func TestRecordsThatCannotBeUsed(t *testing.T) {
	sum := string(make([]byte, sha256.Size))
	for _, r := range []dns.TLSA{
		{Usage: 0, Selector: 1, MatchingType: 1, Data: sum},
		{Usage: 1, Selector: 1, MatchingType: 1, Data: sum},
		{Usage: 4, Selector: 1, MatchingType: 1, Data: sum},
		{Usage: 255, Selector: 1, MatchingType: 1, Data: sum},
		{Usage: 3, Selector: 2, MatchingType: 1, Data: sum},
		{Usage: 3, Selector: 1, MatchingType: 3, Data: sum},
		{Usage: 3, Selector: 1, MatchingType: 1, Data: sum[1:]},
		{Usage: 3, Selector: 1, MatchingType: 2, Data: sum},
		{Usage: 3, Selector: 1, MatchingType: 0},
	} {
		if p := New("mx.example.org", dns.TLSASet{Base: "mx.example.org", Records: []dns.TLSA{r}}); p.Authenticates() {
			t.Errorf("%v is used", r)
		}
	}
	good := dns.TLSA{Usage: 3, Selector: 1, MatchingType: 1, Data: sum}
	if p := New("mx.example.org", dns.TLSASet{Base: "mx.example.org", Records: []dns.TLSA{good}}); !p.Authenticates() {
		t.Errorf("%v is not used", good)
	}
}
