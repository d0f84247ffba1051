package config

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// checkAuth looks at how accounts are checked, and at the listeners that ask for them.
func checkAuth(d *decoder, c *Config, src Source) {
	a := &c.Auth
	checkDirectories(d, a, src)
	checkSenders(d, a.Senders)
	d.atLeast("auth.hashes", a.Hashes, 0)
	d.atLeastTime("auth.timeout", a.Timeout, time.Second)
	if a.Timeout > time.Minute {
		d.wrong("auth.timeout", fmt.Sprintf("%s is too long: clients wait for a minute at most", FormatDuration(a.Timeout)), "")
	}
	for i, cert := range a.Certificates {
		checkAccountCertificate(d, at("auth.certificate", i), cert)
	}
	offered := false
	for i := range c.Listeners {
		l := &c.Listeners[i]
		if l.OffersAuth() {
			offered = true
			checkListenerAuth(d, c, at("listener", i)+".auth", l)
		}
	}
	if !offered && !a.IsZero() {
		d.doubt(d.setOf("auth.users", "auth.ldap.url", "auth.http.url", "auth.oauth.introspection", "auth.certificate_name", "auth.certificate"),
			"no listener offers AUTH, so nobody can sign in", `write auth = "required" under the [[listener]] for mail clients`)
	}
}

// checkDirectories looks at who knows the accounts.
func checkDirectories(d *decoder, a *Auth, src Source) {
	var set []string
	for key, value := range map[string]string{"auth.users": a.Users, "auth.ldap.url": a.LDAP.URL, "auth.http.url": a.HTTP.URL} {
		if value != "" {
			set = append(set, key)
		}
	}
	slices.Sort(set)
	if len(set) > 1 {
		d.wrong(set[0], fmt.Sprintf("passwords are checked in one place, and here are %s", strings.Join(set, " and ")), "keep one of them")
	}
	if a.Users != "" {
		checkUsersFile(d, a.Users, src)
	}
	if a.LDAP.URL != "" {
		checkLDAP(d, &a.LDAP, src)
	}
	for _, s := range []struct{ key, url, secretKey, secret string }{
		{"auth.http.url", a.HTTP.URL, "auth.http.token_file", a.HTTP.TokenFile},
		{"auth.oauth.introspection", a.OAuth.Introspection, "auth.oauth.client_secret_file", a.OAuth.ClientSecretFile},
	} {
		if s.url != "" {
			checkServiceURL(d, s.key, s.url)
			checkSecretFile(d, src, s.secretKey, s.secret)
		}
	}
	d.atLeastTime("auth.oauth.keep", a.OAuth.Keep, time.Second)
	if a.OAuth.Introspection != "" && a.OAuth.Account == "" {
		d.wrong("auth.oauth.account", "which part of the answer names the account is not said", `write account = "username"`)
	}
}

// checkUsersFile looks at the file of the accounts, and not into it.
func checkUsersFile(d *decoder, path string, src Source) {
	mode, err := src.mode(path)
	switch {
	case err != nil:
		d.wrong("auth.users", fmt.Sprintf("%s cannot be read: %v", path, plain(err)), `"weir user add NAME" makes it`)
	case mode.Perm()&0o077 != 0:
		d.wrong("auth.users", fmt.Sprintf("others on this machine may open %s (mode %04o)", path, mode.Perm()), "chmod 600 "+path)
	}
}

// checkLDAP looks at how the directory is reached, and how an entry is found.
func checkLDAP(d *decoder, l *AuthLDAP, src Source) {
	u, err := url.Parse(l.URL)
	if err != nil || u.Host == "" && u.Scheme != "ldapi" || !slices.Contains([]string{"ldap", "ldaps", "ldapi"}, u.Scheme) {
		d.wrong("auth.ldap.url", fmt.Sprintf("%q is no address such as ldaps://host", l.URL), "")
	} else if u.Scheme == "ldap" && !l.StartTLS && !isThisMachine(u.Hostname()) {
		d.wrong("auth.ldap.url", "passwords would go to the directory in plain text", "write ldaps://, or start_tls = true")
	}
	found := l.Base != "" || l.Filter != ""
	switch {
	case l.Bind == "" && !found:
		d.lacks("auth.ldap.bind", "whom a client binds as is not said", "set bind, or base and filter")
	case l.Bind != "" && found:
		d.wrong(d.setOf("auth.ldap.bind"), "either bind names the entry, or base and filter find it", "keep one of them")
	case found && (l.Base == "" || l.Filter == ""):
		d.lacks(d.setOf("auth.ldap.base", "auth.ldap.filter"), "an entry is found by base and filter together", "set both")
	case !strings.Contains(l.Bind+l.Filter, "{name}") && !strings.Contains(l.Bind+l.Filter, "{local}"):
		d.wrong(d.setOf("auth.ldap.bind", "auth.ldap.filter"), "the name of the client is not in it, so everyone would be the same", "write {name} or {local} where it stands")
	}
	checkSecretFile(d, src, "auth.ldap.search_password_file", l.SearchPasswordFile)
	if l.CA != "" {
		if _, err := src.ReadFile(l.CA); err != nil {
			d.wrong("auth.ldap.ca", fmt.Sprintf("%s cannot be read: %v", l.CA, plain(err)), "")
		}
	}
}

// checkServiceURL keeps passwords and tokens from going anywhere in plain text.
func checkServiceURL(d *decoder, key, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		d.wrong(key, fmt.Sprintf("%q is no address such as https://host/path", text), "")
	case u.Scheme == "http" && !isThisMachine(u.Hostname()):
		d.wrong(key, "secrets would go there in plain text", "write https://")
	}
}

func isThisMachine(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// checkSecretFile looks at a file with a secret in it.
func checkSecretFile(d *decoder, src Source, key, path string) {
	if path == "" {
		return
	}
	if _, err := src.ReadFile(path); err != nil {
		d.wrong(key, fmt.Sprintf("%s cannot be read: %v", path, plain(err)), "")
		return
	}
	if mode, err := src.mode(path); err == nil && mode.Perm()&0o007 != 0 {
		d.doubt(key, fmt.Sprintf("everyone on this machine may open %s", path), "chmod o-rwx "+path)
	}
}

// checkSenders looks at patterns of senders.
func checkSenders(d *decoder, senders []string) {
	for i, s := range senders {
		if s == "*" || s == "self" || s == "<>" {
			continue
		}
		_, domain, ok := strings.Cut(s, "@")
		if checkDomain(strings.TrimPrefix(domain, ".")) != nil || !ok || strings.ContainsAny(s, " ,<>") {
			d.wrong(at("auth.senders", i), fmt.Sprintf("%q is no sender", s), `write an address, "@example.org", "@.example.org", "self", "<>" or "*"`)
		}
	}
}

func checkAccountCertificate(d *decoder, key string, c AuthCertificate) {
	digits := strings.ReplaceAll(c.Fingerprint, ":", "")
	if b, err := hex.DecodeString(digits); err != nil || len(b) != 32 {
		d.wrong(key+".fingerprint", "a SHA-256 fingerprint has 64 hexadecimal digits", `"openssl x509 -noout -fingerprint -sha256 -in FILE" prints it`)
	}
	if c.Account == "" {
		d.lacks(key+".account", "whose certificate it is is not said", "set account")
	}
}

// checkListenerAuth looks at what a listener could offer.
func checkListenerAuth(d *decoder, c *Config, key string, l *Listener) {
	network, address := l.Network()
	_, port, _ := net.SplitHostPort(address)
	private := network == "unix" || l.TLS != ListenerTLSOff && c.HasCertificate(l)
	switch {
	case c.Auth.IsZero():
		d.wrong(key, "nothing says who may sign in", "set users under [auth], or [auth.ldap], [auth.http] or [auth.oauth]")
	case !private && !(c.Auth.Users != "" && len(c.Auth.WithoutTLS) > 0):
		d.wrong(key, "AUTH is offered with TLS alone, and this listener has none", "set certificate and key under [tls]")
	case l.Auth == ListenerAuthRequired && port == "25":
		d.doubt(key, "other servers cannot sign in, so no mail comes from them by port 25", `write auth = "offered"`)
	}
}
