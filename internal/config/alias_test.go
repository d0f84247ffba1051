package config

import (
	"slices"
	"strings"
	"testing"
)

func TestContainersOfPostfixCanBeExchanged(t *testing.T) {
	src := sourceOf("")
	src.Environ = []string{
		"RELAYHOST=[smtp.example.net]:587", "RELAYHOST_USERNAME=ada", "RELAYHOST_PASSWORD=hunter2", "RELAYHOST_TLS_LEVEL=encrypt",
		"MYNETWORKS=127.0.0.0/8 10.0.0.0/8, 192.168.0.0/16", "POSTFIX_myhostname=mail.example.org", "POSTFIX_message_size_limit=26214400",
		"ALLOWED_SENDER_DOMAINS=example.org", "HOSTNAME=pod-1",
	}
	c, warnings, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	if c.NextHop[0].String() != "smtp://smtp.example.net:587" || c.Username != "ada" || c.Password.Reveal() != "hunter2" ||
		c.Delivery.TLS != TLSEncrypted || len(c.Clients.Allow) != 3 || c.Hostname != "mail.example.org" || c.SMTP.MaxMessageSize != 25<<20 {
		t.Errorf("%v %q %v %q %v %v %v", c.NextHop, c.Username, c.Password, c.Delivery.TLS, c.Clients.Allow, c.Hostname, c.SMTP.MaxMessageSize)
	}
	var all []string
	for _, w := range warnings {
		all = append(all, w.String())
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{"RELAYHOST is taken for next_hop", "write WEIR_NEXT_HOP=smtp://smtp.example.net:587", "ALLOWED_SENDER_DOMAINS: it limits nobody here"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said in\n%s", want, text)
		}
	}
	if strings.Contains(text, "hunter2") || strings.Contains(text, "HOSTNAME is taken") {
		t.Errorf("the warnings are\n%s", text)
	}
}

func TestWhatWeirIsToldGoesBeforeAliases(t *testing.T) {
	src := sourceOf(`next_hop = "smtp://file"`)
	src.Environ = []string{"RELAYHOST=other", "MYNETWORKS=192.0.2.0/24", "WEIR_CLIENTS__ALLOW=198.51.100.0/24"}
	c, warnings, err := Load(src)
	if err != nil || c.NextHop[0].Host != "file" || c.Clients.Allow[0].String() != "198.51.100.0/24" {
		t.Errorf("%v %v %v", c.NextHop, c.Clients.Allow, err)
	}
	if !slices.ContainsFunc(warnings, func(f Fault) bool { return f.Problem == "RELAYHOST is not used: next_hop is set already" }) {
		t.Errorf("the warnings are %v", warnings)
	}
}

func TestRelayhost(t *testing.T) {
	for text, want := range map[string]string{
		"[smtp.example.net]:587": "smtp://smtp.example.net:587", "smtp.example.net:465": "smtps://smtp.example.net:465",
		"[smtp.example.net]": "smtp://smtp.example.net:25", " smtp.example.net ": "smtp://smtp.example.net:25",
		"[192.0.2.1]:26": "smtp://192.0.2.1:26", "[2001:db8::1]:587": "smtp://[2001:db8::1]:587",
		"": "", "a b": "", "smtp://a": "", "[]:25": "",
	} {
		got, err := relayhost(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// A mistake in a variable of others opens nothing.
func TestAliasesAreCheckedAsAllElse(t *testing.T) {
	for env, want := range map[string]string{
		"MYNETWORKS=0.0.0.0/0":         "open relay",
		"MYNETWORKS=nonsense":          "MYNETWORKS",
		"RELAYHOST_TLS_LEVEL=dane":     "RELAYHOST_TLS_LEVEL: this level is not known here",
		"RELAYHOST=smtp://a.example:1": "RELAYHOST",
	} {
		src := sourceOf("")
		src.Environ = []string{env}
		if _, _, err := Load(src); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", env, err)
		}
	}
}
