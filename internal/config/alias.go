package config

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// alias is a variable of the environment that containers of Postfix know, such as
// those of the image boky/postfix. They are taken, with a warning, so that a
// container can be exchanged; what the file or a variable of Weir says goes before.
type alias struct {
	name string
	key  string                       // empty where nothing here does the same
	read func(string) (string, error) // nil takes the text as it is
	why  string                       // nothing here does the same
}

// aliases returns them in the order in which they are taken.
func aliases() []alias {
	return []alias{
		{name: "RELAYHOST", key: "next_hop", read: relayhost},
		{name: "RELAYHOST_USERNAME", key: "username"},
		{name: "RELAYHOST_PASSWORD", key: "password"},
		{name: "RELAYHOST_PASSWORD_FILE", key: "password_file"},
		{name: "RELAYHOST_TLS_LEVEL", key: "delivery.tls", read: tlsLevel},
		{name: "POSTFIX_relayhost", key: "next_hop", read: relayhost},
		{name: "MYNETWORKS", key: "clients.allow", read: spacesToCommas},
		{name: "POSTFIX_mynetworks", key: "clients.allow", read: spacesToCommas},
		{name: "POSTFIX_myhostname", key: "hostname"},
		{name: "POSTFIX_message_size_limit", key: "smtp.max_message_size"},
		{name: "ALLOWED_SENDER_DOMAINS", why: "it limits nobody here: who may send is said by the networks in allow under [clients], and by accounts under [auth] with their senders"},
	}
}

// aliased takes the variables that other containers know.
func (d *decoder) aliased(environ []string) {
	vars := map[string]string{}
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		vars[name] = text
	}
	for _, a := range aliases() {
		text, set := vars[a.name]
		if !set || strings.TrimSpace(text) == "" {
			continue
		}
		place := Fault{File: "environment", Key: a.name}
		if a.key == "" {
			d.warnings = append(d.warnings, Fault{File: place.File, Key: a.name, Problem: a.name + ": " + a.why})
			continue
		}
		if _, own := vars[EnvName(a.key)]; own {
			continue
		}
		d.alias(place, a, text)
	}
}

// alias takes one of them.
func (d *decoder) alias(place Fault, a alias, text string) {
	if _, set := d.places[a.key]; set {
		d.warnings = append(d.warnings, Fault{File: place.File, Key: a.name, Problem: fmt.Sprintf("%s is not used: %s is set already", a.name, a.key)})
		return
	}
	if a.read != nil {
		var err error
		if text, err = a.read(text); err != nil {
			d.report(place, fmt.Sprintf("%s: %v", a.name, err), "write "+EnvName(a.key))
			return
		}
	}
	t, err := d.find(strings.Split(a.key, "."))
	if err != nil {
		d.report(place, fmt.Sprintf("%s: %v", a.name, err), "")
		return
	}
	d.set(t, place, a.name, text)
	advice := EnvName(a.key) + "=" + text
	if holdsSecret(a.name) {
		advice = EnvName(a.key)
	}
	d.warnings = append(d.warnings, Fault{File: place.File, Key: a.name, Problem: fmt.Sprintf("%s is taken for %s, as containers of Postfix have it", a.name, a.key), Suggestion: "write " + advice})
}

// relayhost reads [host]:port, host:port, [host] or host.
func relayhost(s string) (string, error) {
	s = strings.TrimSpace(s)
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = s, "25"
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host == "" || strings.ContainsAny(host, " /[]") {
		return "", fmt.Errorf("%q is no server such as [host]:587", s)
	}
	scheme := "smtp"
	if port == "465" {
		scheme = "smtps"
	}
	hop, err := ParseNextHop(scheme + "://" + net.JoinHostPort(host, port))
	if err != nil {
		return "", err
	}
	return hop.String(), nil
}

// spacesToCommas reads a list of Postfix.
func spacesToCommas(s string) (string, error) {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\n' }), ","), nil
}

// errLevel is for a level of Postfix that has nothing like it here.
var errLevel = errors.New("this level is not known here")

// tlsLevel reads smtp_tls_security_level.
func tlsLevel(s string) (string, error) {
	switch strings.TrimSpace(s) {
	case "none":
		return string(TLSOff), nil
	case "may":
		return string(TLSOpportunistic), nil
	case "encrypt":
		return string(TLSEncrypted), nil
	case "verify", "secure":
		return string(TLSVerified), nil
	}
	return "", errLevel
}
