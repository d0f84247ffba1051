package smtp

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// wantSyntaxError checks that err is a *SyntaxError of the part.
func wantSyntaxError(t *testing.T, input string, err error, part Part) {
	t.Helper()
	var se *SyntaxError
	switch {
	case !errors.As(err, &se):
		t.Errorf("%q: error is %v, want a SyntaxError of %v", input, err, part)
	case se.Part != part:
		t.Errorf("%q: %v; want it of %v", input, se, part)
	case se.Problem == "" || se.Offset < 0 || se.Offset > len(input):
		t.Errorf("%q: incomplete error %+v", input, *se)
	}
}

func TestParseAddressGood(t *testing.T) {
	long64 := strings.Repeat("l", MaxLocalPart)
	label63 := strings.Repeat("d", MaxLabel)
	domain189 := label63 + "." + label63 + "." + strings.Repeat("d", 61)
	for _, tc := range []struct {
		rule, in, local, domain, out string // out: what String writes, if not in
	}{
		{"4.1.2 Dot-string", "<user@example.org>", "user", "example.org", ""},
		{"4.1.2 dots", "<a.b.c@example.org>", "a.b.c", "example.org", ""},
		{"4.1.2 all atext", "<!#$%&'*+-/=?^_`{|}~@example.org>", "!#$%&'*+-/=?^_`{|}~", "example.org", ""},
		{"2.4 case kept", "<User@Example.ORG>", "User", "Example.ORG", ""},
		{"4.1.2 single label", "<user@localhost>", "user", "localhost", ""},
		{"4.1.2 digits first", "<user@3com.example>", "user", "3com.example", ""},
		{"4.1.2 Quoted-string", `<"a b"@example.org>`, "a b", "example.org", ""},
		{"4.1.2 quotes not needed", `<"user"@example.org>`, "user", "example.org", "<user@example.org>"},
		{"4.1.2 quoted pair", `<"a\"b\\c"@example.org>`, `a"b\c`, "example.org", ""},
		{"4.1.2 quoted pair not needed", `<"\u\ser"@example.org>`, "user", "example.org", "<user@example.org>"},
		{"4.1.2 quoted delimiters", `<"a@b>c<,:;"@example.org>`, "a@b>c<,:;", "example.org", ""},
		{"4.1.2 quoted dots", `<".a..b."@example.org>`, ".a..b.", "example.org", ""},
		{"4.1.2 empty quoted", `<""@example.org>`, "", "example.org", ""},
		{"4.1.3 IPv4", "<user@[192.0.2.1]>", "user", "[192.0.2.1]", ""},
		{"4.1.3 IPv6", "<user@[IPv6:2001:db8::1]>", "user", "[IPv6:2001:db8::1]", ""},
		{"4.1.3 IPv6 tag in any case", "<user@[ipv6:::1]>", "user", "[ipv6:::1]", ""},
		{"4.1.3 IPv6v4", "<user@[IPv6:::ffff:192.0.2.1]>", "user", "[IPv6:::ffff:192.0.2.1]", ""},
		{"C source route", "<@one.example,@two.example:user@example.org>", "user", "example.org", "<user@example.org>"},
		{"C source route, one hop", "<@[192.0.2.1]:user@example.org>", "user", "example.org", "<user@example.org>"},
		{"4.1.1.2 null", "<>", "", "", ""},
		{"4.5.1 Postmaster", "<Postmaster>", "Postmaster", "", ""},
		{"4.5.1 quoted postmaster", `<"postMASTER">`, "postMASTER", "", "<postMASTER>"},
		{"RFC 6531 local part", "<δοκιμή@example.org>", "δοκιμή", "example.org", ""},
		{"RFC 6531 domain", "<user@παράδειγμα.δοκιμή>", "user", "παράδειγμα.δοκιμή", ""},
		{"RFC 6531 quoted", `<"δ ο"@example.org>`, "δ ο", "example.org", ""},
		{"underscore in a host name", "<root@app_web_1.example>", "root", "app_web_1.example", ""},
		{"4.5.3.1.1 64 octets", "<" + long64 + "@example.org>", long64, "example.org", ""},
		{"4.5.3.1.3 256 octets", "<" + long64 + "@" + domain189 + ">", long64, domain189, ""},
		{"without brackets", "user@example.org", "user", "example.org", "<user@example.org>"},
		{"without brackets, quoted", `"a b"@example.org`, "a b", "example.org", `<"a b"@example.org>`},
		{"bare postmaster", "postmaster", "postmaster", "", "<postmaster>"},
	} {
		p, err := ParseAddress(tc.in)
		if want := (Path{tc.local, tc.domain}); err != nil || p != want {
			t.Errorf("%s: ParseAddress(%q) = %q, %v; want %q", tc.rule, tc.in, p, err, want)
			continue
		}
		out := tc.out
		if out == "" {
			out = tc.in
		}
		if p.String() != out || string(p.Append(nil)) != out || "<"+p.Address()+">" != out {
			t.Errorf("%s: String %q, Append %q, Address %q; want %q", tc.rule, p.String(), p.Append(nil), p.Address(), out)
		}
		if err := p.Check(); err != nil {
			t.Errorf("%s: Check: %v", tc.rule, err)
		}
	}
}

func TestParseAddressBad(t *testing.T) {
	label63 := strings.Repeat("d", MaxLabel)
	for _, tc := range []struct {
		rule, in string
		part     Part
	}{
		{"empty", "", PartLocal},
		{"4.1.2 opening bracket only", "<", PartLocal},
		{"4.1.2 closing bracket missing", "<user@example.org", PartBrackets},
		{"4.1.2 closing bracket too much", "user@example.org>", PartDomain},
		{"4.1.2 text after", "<user@example.org>x", PartPath},
		{"4.1.2 space after", "<user@example.org> ", PartPath},
		{"4.1.2 no domain", "<user>", PartDomain},
		{"4.1.2 no domain, bare", "user", PartDomain},
		{"4.1.2 empty domain", "<user@>", PartDomain},
		{"4.1.2 no local part", "<@example.org>", PartLocal},
		{"4.1.2 no local part, bare", "@example.org", PartLocal},
		{"4.1.2 two at signs", "<a@b@example.org>", PartDomain},
		{"4.1.2 space in local part", "<a b@example.org>", PartLocal},
		{"4.1.2 space before", "< a@example.org>", PartLocal},
		{"4.1.2 space before the domain", "<a@ example.org>", PartDomain},
		{"4.1.2 space in domain", "<a@exam ple.org>", PartDomain},
		{"4.1.2 specials", "<a(c)b@example.org>", PartLocal},
		{"4.1.2 special first", "<;cmd;@example.org>", PartLocal},
		{"4.1.2 nested brackets", "<<a@example.org>>", PartLocal},
		{"4.1.2 dot first", "<.a@example.org>", PartLocal},
		{"4.1.2 dot last", "<a.@example.org>", PartLocal},
		{"4.1.2 two dots", "<a..b@example.org>", PartLocal},
		{"4.1.2 quote inside", `<a"b"c@example.org>`, PartLocal},
		{"4.1.2 text after the quote", `<"a"b@example.org>`, PartLocal},
		{"4.1.2 quote not closed", `<"a@example.org>`, PartLocal},
		{"4.1.2 quote not closed, escaped", `<"a\"@example.org>`, PartLocal},
		{"4.1.2 backslash last", `<"a\`, PartLocal},
		{"4.1.2 quoted control", "<\"a\tb\"@example.org>", PartLocal},
		{"4.1.2 escaped control", "<\"a\\\x01b\"@example.org>", PartLocal},
		{"4.1.2 escaped DEL", "<\"a\\\x7fb\"@example.org>", PartLocal},
		{"4.1.2 escaped UTF-8", "<\"a\\δ\"@example.org>", PartLocal},
		{"4.1.2 quoted NUL", "<\"a\x00b\"@example.org>", PartLocal},
		{"4.1.2 quoted CRLF", "<\"a\r\nb\"@example.org>", PartLocal},
		{"4.1.2 CRLF in local part", "<a\r\nb@example.org>", PartLocal},
		{"4.1.2 CRLF in domain", "<a@example\r\n.org>", PartDomain},
		{"4.1.2 NUL", "<a\x00@example.org>", PartLocal},
		{"4.1.2 NUL first", "<\x00@example.org>", PartLocal},
		{"4.1.2 NUL for the domain", "<a@\x00>", PartDomain},
		{"4.1.2 DEL", "<a@example.org\x7f>", PartDomain},
		{"4.1.2 empty label", "<a@example..org>", PartDomain},
		{"4.1.2 dot first in domain", "<a@.example.org>", PartDomain},
		{"4.1.2 dot last in domain", "<a@example.org.>", PartDomain},
		{"4.1.2 hyphen first", "<a@-example.org>", PartDomain},
		{"4.1.2 hyphen last", "<a@example-.org>", PartDomain},
		{"4.1.2 domain characters", "<a@exam!ple.org>", PartDomain},
		{"4.1.3 not an address", "<a@[example.org]>", PartDomain},
		{"4.1.3 empty", "<a@[]>", PartDomain},
		{"4.1.3 not closed", "<a@[192.0.2.1>", PartDomain},
		{"4.1.3 octet too large", "<a@[192.0.2.256]>", PartDomain},
		{"4.1.3 three octets", "<a@[192.0.2]>", PartDomain},
		{"4.1.3 IPv6 without tag", "<a@[2001:db8::1]>", PartDomain},
		{"4.1.3 IPv4 with tag", "<a@[IPv6:192.0.2.1]>", PartDomain},
		{"4.1.3 empty IPv6", "<a@[IPv6:]>", PartDomain},
		{"4.1.3 zone", "<a@[IPv6:fe80::1%eth0]>", PartDomain},
		{"4.1.3 unknown tag", "<a@[x400:c=de]>", PartDomain},
		{"4.1.3 text after", "<a@[192.0.2.1].org>", PartDomain},
		{"4.1.3 endless", "<a@[" + strings.Repeat("1", 300) + "]>", PartDomain},
		{"C route without mailbox", "<@one.example:>", PartLocal},
		{"C route without colon", "<@one.example user@example.org>", PartPath},
		{"C route with a hole", "<@one.example,,@two.example:user@example.org>", PartPath},
		{"C route without at sign", "<@one.example,two.example:user@example.org>", PartPath},
		{"C route with a bad domain", "<@one..example:user@example.org>", PartDomain},
		{"C route without domain", "<@:user@example.org>", PartDomain},
		{"RFC 6531 invalid", "<\xff@example.org>", PartLocal},
		{"RFC 6531 invalid in quotes", "<\"\xc3\"@example.org>", PartLocal},
		{"RFC 6531 invalid in domain", "<a@\xc3.org>", PartDomain},
		{"RFC 6531 overlong slash", "<a\xc0\xafb@example.org>", PartLocal},
		{"RFC 6531 surrogate", "<\xed\xa0\x80@example.org>", PartLocal},
		{"RFC 6531 C1 control", "<a\u0085b@example.org>", PartLocal},
		{"RFC 6531 C1 control in domain", "<a@b\u009bc.org>", PartDomain},
		{"RFC 6531 hidden dot", "<a@example\u3002org>", PartDomain},
		{"RFC 6531 wide space", "<a@example\u3000org>", PartDomain},
		{"4.5.3.1.1 65 octets", "<" + strings.Repeat("l", 65) + "@example.org>", PartLocal},
		{"4.5.3.1.1 65 octets with the quotes", `<"` + strings.Repeat("l", 63) + `"@example.org>`, PartLocal},
		{"4.5.3.1.2 256 octets", "<a@" + strings.Repeat("abc.", 63) + "defg>", PartDomain},
		{"RFC 1035 label of 64", "<a@" + label63 + "d.org>", PartDomain},
		{"4.5.3.1.3 257 octets", "<" + strings.Repeat("l", 64) + "@" + label63 + "." + label63 + "." + strings.Repeat("d", 62) + ">", PartPath},
		{"4.5.3.1.3 255 octets, bare", strings.Repeat("l", 64) + "@" + label63 + "." + label63 + "." + strings.Repeat("d", 62), PartPath},
		{"4.5.3.1.3 route counts", "<" + strings.Repeat("@one.example,", 20) + "@two.example:a@example.org>", PartPath},
	} {
		p, err := ParseAddress(tc.in)
		t.Run(tc.rule, func(t *testing.T) { wantSyntaxError(t, tc.in, err, tc.part) })
		if !p.IsNull() {
			t.Errorf("%s: path %q beside the error", tc.rule, p)
		}
	}
}

func TestProblemsNeverRepeatTheInput(t *testing.T) {
	const secret = "hunter2"
	for _, in := range []string{
		"<" + secret, secret, "<" + secret + " x@example.org>", "<a@" + secret + "..org>", "<a@[" + secret + "]>", "<a@b>" + secret,
	} {
		_, err := ParseAddress(in)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: error %v", in, err)
		}
	}
}

func TestPathNeedsSMTPUTF8(t *testing.T) {
	for p, ascii := range map[Path]bool{
		{}:                            true,
		{"user", "example.org"}:       true,
		{"a b", "[IPv6:2001:db8::1]"}: true,
		{"δ", "example.org"}:          false,
		{"user", "παράδειγμα.δοκιμή"}:               false,
		{"user", "xn--hxajbheg2az3al.xn--jxalpdlp"}: true,
	} {
		if p.IsASCII() != ascii {
			t.Errorf("%q.IsASCII() = %v", p, !ascii)
		}
	}
}

func TestPathIsPostmaster(t *testing.T) {
	for p, want := range map[Path]bool{
		{}:                              false,
		{"postmaster", ""}:              true,
		{"PostMaster", "example.org"}:   true,
		{"postmaster2", "example.org"}:  false,
		{"po\u017ftmaster", ""}:         false, // long s
		{"user", "postmaster"}:          false,
		{"postmaster", "[192.0.2.1]"}:   true,
		{"postmaster ", "example.org"}:  false,
		{"\"postmaster\"", "localhost"}: false,
	} {
		if p.IsPostmaster() != want {
			t.Errorf("%q.IsPostmaster() = %v", p, !want)
		}
	}
}

func TestPathDomainLiteral(t *testing.T) {
	for domain, want := range map[string]string{
		"[192.0.2.1]":        "192.0.2.1",
		"[IPv6:2001:db8::1]": "2001:db8::1",
		"[iPV6:::1]":         "::1",
		"192.0.2.1":          "",
		"[192.0.2.1":         "",
		"[]":                 "",
		"[":                  "",
		"":                   "",
		"[2001:db8::1]":      "",
		"[example.org]":      "",
	} {
		addr, ok := Path{"user", domain}.DomainLiteral()
		if ok != (want != "") || ok && addr != netip.MustParseAddr(want) {
			t.Errorf("%q: %v, %v; want %q", domain, addr, ok, want)
		}
	}
}

func TestPathCheckRefusesInjection(t *testing.T) {
	for _, p := range []Path{
		{"a\r\nRCPT TO:<b@example.org>", "example.org"},
		{"a", "example.org>\r\nRCPT TO:<b@example.org"},
		{"a", "example.org> SIZE=1"},
		{"a", "example.org> SIZE=<1"},
		{"a", "@example.org"},
		{"a\x00", "example.org"},
		{"a", " "},
		{"a", "\u3002"},
		{"a\xff", "example.org"},
		{"user", ""},
		{"", "[127.0.0.1"},
		{strings.Repeat("l", 65), "example.org"},
	} {
		wantSyntaxError(t, p.String(), p.Check(), p.Check().(*SyntaxError).Part)
	}
}

func TestPathAppendDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, MaxPath)
	p := Path{`needs "quotes"`, "example.org"}
	if n := testing.AllocsPerRun(100, func() { buf = p.Append(buf[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"<>", "<user@example.org>", "user@example.org", `<"a\"b c"@[192.0.2.1]>`, "<@a,@b:c@d>",
		"<δ@δ.org>", "postmaster", "<a@[IPv6:::1]>", "<\"a\r\n\"@b>", `""@a`, "<@a>", "<a@b\u3002c>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseAddress(s)
		if err != nil {
			wantSyntaxError(t, s, err, err.(*SyntaxError).Part)
			return
		}
		wire := p.String()
		if len(wire) > MaxPath || len(p.Domain) > MaxDomain || strings.ContainsAny(wire, "\r\n\x00") {
			t.Errorf("%q became %q", s, wire)
		}
		if q, err := ParseAddress(wire); err != nil || q != p {
			t.Errorf("%q wrote %q, which reads as %q, %v", p, wire, q, err)
		}
		if q, err := ParseAddress(p.Address()); !p.IsNull() && (err != nil || q != p) {
			t.Errorf("%q has address %q, which reads as %q, %v", p, p.Address(), q, err)
		}
	})
}

// FuzzPathCheck takes any two strings as a path: what Check lets through is one
// path on the wire and nothing else.
func FuzzPathCheck(f *testing.F) {
	f.Add("user", "example.org")
	f.Add("a\r\nDATA", "example.org")
	f.Add("a", "b> SIZE=1")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, local, domain string) {
		p := Path{local, domain}
		if p.Check() != nil {
			return
		}
		if q, err := ParseAddress(p.String()); err != nil || q != p {
			t.Errorf("%q passed, but reads back as %q, %v", p, q, err)
		}
		if q, params, err := ParseMail(append([]byte("FROM:"), p.String()...), nil); p.Domain != "" && (err != nil || q != p || len(params) > 0) {
			t.Errorf("%q passed, but MAIL reads %q, %v, %v", p, q, params, err)
		}
	})
}
