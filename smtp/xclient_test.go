package smtp

import (
	"net/netip"
	"strings"
	"testing"
)

func TestParseXCLIENT(t *testing.T) {
	for s, want := range map[string]XCLIENT{
		"NAME=spike.example.org ADDR=192.0.2.1": {
			Given: XCLIENTName | XCLIENTAddr, Name: "spike.example.org", Addr: netip.MustParseAddr("192.0.2.1"),
		},
		"  addr=ipv6:2001:db8::1   port=65535 ": {
			Given: XCLIENTAddr | XCLIENTPort, Addr: netip.MustParseAddr("2001:db8::1"), Port: 65535,
		},
		"ADDR=2001:db8::1":                                         {Given: XCLIENTAddr, Addr: netip.MustParseAddr("2001:db8::1")},
		"ADDR=IPV6:::ffff:192.0.2.1":                               {Given: XCLIENTAddr, Addr: netip.MustParseAddr("192.0.2.1")},
		"NAME=[UNAVAILABLE]":                                       {Given: XCLIENTName},
		"NAME=[tempunavail] PROTO=esmtp":                           {Given: XCLIENTName | XCLIENTProto, NameTemporary: true, Proto: "ESMTP"},
		"ADDR=[TEMPUNAVAIL] PORT=[UNAVAILABLE] HELO=[UNAVAILABLE]": {Given: XCLIENTAddr | XCLIENTPort | XCLIENTHELO},
		"PROTO=SMTP HELO=[192.0.2.1]":                              {Given: XCLIENTProto | XCLIENTHELO, Proto: "SMTP", HELO: "[192.0.2.1]"},
		"LOGIN=a+20b+2B":                                           {Given: XCLIENTLogin, Login: "a b+"},
		"LOGIN=[UNAVAILABLE] DESTADDR=192.0.2.2 DESTPORT=25": {
			Given: XCLIENTLogin | XCLIENTDestAddr | XCLIENTDestPort, DestAddr: netip.MustParseAddr("192.0.2.2"), DestPort: 25,
		},
	} {
		if got, err := ParseXCLIENT([]byte(s)); err != nil || got != want {
			t.Errorf("ParseXCLIENT(%q) = %+v, %v; want %+v", s, got, err, want)
		}
	}
}

func TestParseXCLIENTBad(t *testing.T) {
	for rule, s := range map[string]string{
		"nothing":               "",
		"spaces":                "   ",
		"no value":              "NAME",
		"an empty value":        "NAME=",
		"no name":               "=x",
		"unknown attribute":     "COLOUR=red",
		"an attribute twice":    "PORT=25 port=25",
		"a second equals sign":  "LOGIN=a=b",
		"bad xtext":             "LOGIN=a+4",
		"not xtext":             "LOGIN=\u00e4",
		"a tab":                 "PORT=25\tPROTO=SMTP",
		"CR LF in LOGIN":        "LOGIN=a+0D+0ARCPT",
		"NUL in LOGIN":          "LOGIN=+00",
		"a C1 control in LOGIN": "LOGIN=+C2+85",
		"not UTF-8 in LOGIN":    "LOGIN=+FF",
		"a long LOGIN":          "LOGIN=" + strings.Repeat("x", 256),
		"not an address":        "ADDR=localhost",
		"IPv4 as IPv6":          "ADDR=IPV6:192.0.2.1",
		"a zone":                "ADDR=IPV6:fe80::1+25eth0",
		"port 0":                "PORT=0",
		"port above":            "PORT=65536",
		"port signed":           "PORT=+2B25",
		"port with more":        "DESTPORT=25x",
		"protocol":              "PROTO=HTTP",
		"a name with a newline": "NAME=a+0Ab",
		"HELO with a space":     "HELO=a+20b",
		"DESTADDR":              "DESTADDR=x",
	} {
		got, err := ParseXCLIENT([]byte(s))
		wantSyntaxError(t, rule+": "+s, err, PartArgument)
		if got != (XCLIENT{}) {
			t.Errorf("%s: %+v beside the error", rule, got)
		}
	}
}

func FuzzParseXCLIENT(f *testing.F) {
	for _, s := range []string{
		"NAME=spike.example.org ADDR=192.0.2.1 PORT=1 PROTO=SMTP HELO=x LOGIN=a+20b DESTADDR=IPV6:::1 DESTPORT=25",
		"NAME=[TEMPUNAVAIL] ADDR=[UNAVAILABLE]", "LOGIN=+5BUNAVAILABLE+5D", "HELO=a.",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, args []byte) {
		x, err := ParseXCLIENT(args)
		if err != nil {
			wantSyntaxError(t, string(args), err, PartArgument)
			return
		}
		if again, err := ParseXCLIENT([]byte(x.String())); err != nil || again != x {
			t.Errorf("%q became %+v, which writes %q and reads as %+v, %v", args, x, x, again, err)
		}
	})
}
