package auth

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// directoryServer is an LDAP server that knows passwords by DN, and entries by filter.
type directoryServer struct {
	t         *testing.T
	url       string
	passwords map[string]string
	entries   map[string][]string // DNs
	mail      map[string][]string // of a DN
	code      uint16              // of every bind, where it is not 0

	mu    sync.Mutex
	binds []string
}

func newDirectoryServer(t *testing.T) *directoryServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &directoryServer{t: t, url: "ldap://" + l.Addr().String(), passwords: map[string]string{}, entries: map[string][]string{}, mail: map[string][]string{}}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() { s.serve(nc) })
		}
	})
	t.Cleanup(func() { l.Close(); group.Wait() })
	return s
}

func (s *directoryServer) serve(nc net.Conn) {
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(30 * time.Second))
	for {
		p, err := ber.ReadPacket(nc)
		if err != nil || len(p.Children) < 2 {
			return
		}
		id, request := p.Children[0].Value.(int64), p.Children[1]
		switch request.Tag {
		case ldap.ApplicationBindRequest:
			dn, password := request.Children[1].Value.(string), request.Children[2].Data.String()
			s.answer(nc, id, result(ldap.ApplicationBindResponse, s.bind(dn, password)))
		case ldap.ApplicationSearchRequest:
			filter, err := ldap.DecompileFilter(request.Children[6])
			if err != nil {
				s.t.Error(err)
			}
			for _, dn := range s.entries[filter] {
				s.answer(nc, id, s.entry(dn))
			}
			s.answer(nc, id, result(ldap.ApplicationSearchResultDone, ldap.LDAPResultSuccess))
		default:
			return
		}
	}
}

func (s *directoryServer) bind(dn, password string) uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.binds = append(s.binds, dn)
	want, ok := s.passwords[dn]
	switch {
	case s.code != 0:
		return s.code
	case password == "":
		return ldap.LDAPResultSuccess // as servers do that let anyone in as nobody
	case ok && want == password:
		return ldap.LDAPResultSuccess
	}
	return ldap.LDAPResultInvalidCredentials
}

func (s *directoryServer) answer(nc net.Conn, id int64, p *ber.Packet) {
	envelope := ber.NewSequence("LDAPMessage")
	envelope.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	envelope.AppendChild(p)
	nc.Write(envelope.Bytes())
}

func result(tag ber.Tag, code uint16) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(code), ""))
	p.AppendChild(text(""))
	p.AppendChild(text(""))
	return p
}

func text(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func (s *directoryServer) entry(dn string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	p.AppendChild(text(dn))
	attributes := ber.NewSequence("")
	if mail := s.mail[dn]; mail != nil {
		attribute := ber.NewSequence("")
		attribute.AppendChild(text("mail"))
		values := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, m := range mail {
			values.AppendChild(text(m))
		}
		attribute.AppendChild(values)
		attributes.AppendChild(attribute)
	}
	p.AppendChild(attributes)
	return p
}

// bound returns who has bound, and forgets it.
func (s *directoryServer) bound() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.binds
	s.binds = nil
	return b
}

func TestLDAPByTemplate(t *testing.T) {
	s := newDirectoryServer(t)
	s.passwords["uid=ada,dc=example.org,o=x"] = "secret"
	s.passwords[`uid=a\,b,dc=,o=x`] = "secret"
	d, err := NewLDAPDirectory(LDAPOptions{URL: s.url, BindTemplate: "uid={local},dc={domain},o=x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, password, account string
		kind                    Kind
	}{
		{"ada@example.org", "secret", "ada@example.org", 0},
		{"ada@example.org", "wrong", "", Denied},
		{"nobody@example.org", "secret", "", Denied},
		{"a,b", "secret", "a,b", 0}, // stays one value
		{"ada,dc=example.org,o=x", "secret", "", Denied},
	} {
		who, err := d.Check(t.Context(), Credentials{Name: test.name, Password: test.password})
		if who.Account != test.account || kindOf(err) != test.kind || who.Senders != nil {
			t.Errorf("%s: %+v, %v", test.name, who, err)
		}
	}
	s.code = ldap.LDAPResultBusy
	if _, err := d.Check(t.Context(), Credentials{Name: "ada@example.org", Password: "secret"}); kindOf(err) != Unavailable {
		t.Errorf("busy: %v", err)
	}
}

func TestLDAPBySearch(t *testing.T) {
	s := newDirectoryServer(t)
	s.passwords = map[string]string{"cn=weir": "relay", "uid=ada": "secret", "uid=two": "secret", "uid=star": "secret"}
	s.entries = map[string][]string{"(mail=ada@example.org)": {"uid=ada"}, "(mail=two)": {"uid=ada", "uid=two"}, `(mail=\2a)`: {"uid=star"}}
	s.mail["uid=ada"] = []string{"ada@example.org", "lovelace@example.org"}
	o := LDAPOptions{URL: s.url, Base: "dc=x", Filter: "(mail={name})", BindDN: "cn=weir", BindPassword: "relay", SendersAttribute: "mail"}
	d, err := NewLDAPDirectory(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, password string
		kind           Kind
		senders        Senders
		binds          string
	}{
		{"ada@example.org", "secret", 0, Senders{"ada@example.org", "lovelace@example.org"}, "cn=weir uid=ada"},
		{"ada@example.org", "wrong", Denied, nil, "cn=weir uid=ada"},
		{"nobody", "secret", Denied, nil, "cn=weir cn=nobody,dc=x"}, // as many as for somebody
		{"two", "secret", Unavailable, nil, "cn=weir"},
		{"*", "secret", 0, Senders{}, "cn=weir uid=star"}, // a letter, not all of them
	} {
		who, err := d.Check(t.Context(), Credentials{Name: test.name, Password: test.password})
		if kindOf(err) != test.kind || !slices.Equal(who.Senders, test.senders) {
			t.Errorf("%s: %+v, %v", test.name, who, err)
		}
		if binds := strings.Join(s.bound(), " "); binds != test.binds {
			t.Errorf("%s: bound as %q, want %q", test.name, binds, test.binds)
		}
	}
	o.BindPassword = "wrong"
	if d, err = NewLDAPDirectory(o); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Check(t.Context(), Credentials{Name: "ada@example.org", Password: "secret"}); kindOf(err) != Unavailable {
		t.Errorf("the relay's own password is wrong: %v", err)
	}
}

// TestAnEmptyPasswordNeverReachesTheDirectory, which would take it for nobody and say
// yes (RFC 4513 section 5.1.2).
func TestAnEmptyPasswordNeverReachesTheDirectory(t *testing.T) {
	s := newDirectoryServer(t)
	d, err := NewLDAPDirectory(LDAPOptions{URL: s.url, BindTemplate: "uid={name}"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(o *Options) { o.Directory = d })
	for mechanism, responses := range map[string][][]byte{PLAIN: {[]byte("\x00ada\x00")}, LOGIN: {[]byte("ada"), {}}} {
		if _, who, err := w.talk(private, mechanism, responses...); kindOf(err) != Malformed {
			t.Errorf("%s: %+v, %v", mechanism, who, err)
		}
	}
	if binds := s.bound(); binds != nil {
		t.Errorf("bound as %q", binds)
	}
}

func TestLDAPIsNeverAskedInPlainText(t *testing.T) {
	for _, test := range []struct {
		o    LDAPOptions
		good bool
	}{
		{LDAPOptions{URL: "ldaps://example.org", BindTemplate: "uid={name}"}, true},
		{LDAPOptions{URL: "ldap://example.org", StartTLS: true, BindTemplate: "uid={name}"}, true},
		{LDAPOptions{URL: "ldap://127.0.0.1", Base: "dc=x", Filter: "(a={name})"}, true},
		{LDAPOptions{URL: "ldapi:///run/ldapi", BindTemplate: "uid={name}"}, true},
		{LDAPOptions{URL: "ldap://example.org", BindTemplate: "uid={name}"}, false},
		{LDAPOptions{URL: "ldaps://example.org"}, false},
		{LDAPOptions{URL: "ldaps://example.org", Base: "dc=x"}, false},
		{LDAPOptions{URL: "ldaps://example.org", BindTemplate: "uid={name}", Base: "dc=x", Filter: "(a={name})"}, false},
		{LDAPOptions{URL: "http://example.org", BindTemplate: "uid={name}"}, false},
	} {
		if _, err := NewLDAPDirectory(test.o); (err == nil) != test.good {
			t.Errorf("%+v: %v", test.o, err)
		}
	}
	// Nobody there is no wrong password.
	d, err := NewLDAPDirectory(LDAPOptions{URL: "ldap://127.0.0.1:1", BindTemplate: "uid={name}"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Check(t.Context(), Credentials{Name: "ada", Password: "secret"}); kindOf(err) != Unavailable {
		t.Error(err)
	}
}
