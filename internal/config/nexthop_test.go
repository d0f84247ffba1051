package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNextHopsAreRead(t *testing.T) {
	for text, want := range map[string]NextHop{
		"smtp://host":                 {Protocol: ProtocolSMTP, Host: "host", Port: 25},
		"smtp://host:587":             {Protocol: ProtocolSMTP, Host: "host", Port: 587},
		"SMTP://Host:587/":            {Protocol: ProtocolSMTP, Host: "Host", Port: 587},
		"smtp://192.0.2.1":            {Protocol: ProtocolSMTP, Host: "192.0.2.1", Port: 25},
		"smtp://[2001:db8::1]:2525":   {Protocol: ProtocolSMTP, Host: "2001:db8::1", Port: 2525},
		"smtps://host":                {Protocol: ProtocolSMTP, Host: "host", Port: 465, Implicit: true},
		"smtp+mx://example.org":       {Protocol: ProtocolSMTP, Host: "example.org", Port: 25, MX: true},
		"lmtp://127.0.0.1":            {Protocol: ProtocolLMTP, Host: "127.0.0.1", Port: 24},
		"lmtp+unix:/run/lmtp.sock":    {Protocol: ProtocolLMTP, Socket: "/run/lmtp.sock"},
		"lmtp+unix:///run/lmtp.sock":  {Protocol: ProtocolLMTP, Socket: "/run/lmtp.sock"},
		"lmtp+unix:/run/a b/lmtp@1:2": {Protocol: ProtocolLMTP, Socket: "/run/a b/lmtp@1:2"},
	} {
		got, err := ParseNextHop(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ParseNextHop(%q): %v (-want +got)\n%s", text, err, diff)
		}
	}
}

func TestNextHopsThatAreRefused(t *testing.T) {
	for _, text := range []string{
		"", "host", "host:587", "[host]:587", "//host", "://host", "smtp:host", "smtp:", "smtp://", "smtp://:25",
		"smtp://host:0", "smtp://host:65536", "smtp://host:smtp", "smtp://a b", "smtp://host/path", "smtp://host?x=1",
		"smtp://host#x", "smtp://user@host", "smtp://user:password@host", "http://host", "smtp+mx://192.0.2.1",
		"smtp+mx://", "lmtp+unix:", "lmtp+unix:run/lmtp", "smtp://-host", "smtp://host..example", "smtp://[::1", "smtp://host%00",
	} {
		if got, err := ParseNextHop(text); err == nil {
			t.Errorf("ParseNextHop(%q) = %+v, want an error", text, got)
		}
	}
}

func TestNextHopDials(t *testing.T) {
	for text, want := range map[string][2]string{
		"smtp://host":           {"tcp", "host:25"},
		"smtp://[::1]:2525":     {"tcp", "[::1]:2525"},
		"lmtp+unix:/run/l.sock": {"unix", "/run/l.sock"},
		"smtp+mx://example.org": {"tcp", "example.org:25"},
	} {
		hop, err := ParseNextHop(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{hop.Network(), hop.Address()}; got != want {
			t.Errorf("%s: dials %v, want %v", text, got, want)
		}
	}
}
