package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirmail/weir/internal/smarthost"
)

// checkServers looks at the places where servers are named, and at how the
// relay signs in there.
func checkServers(d *decoder, c *Config, src Source) {
	names := checkOAuth(d, c, src)
	used := map[string]bool{}
	for _, s := range c.Servers() {
		key := func(k string) string { return join(s.Key, k) }
		if s.Smarthost != "" && len(s.NextHop) > 0 {
			d.wrong(key("smarthost"), "next_hop and smarthost both say where the mail goes", "keep one of them")
			continue
		}
		if s.IsZero() {
			if s.SignsIn() {
				d.wrong(d.setOf(key("username"), key("password"), key("password_file"), key("oauth")), "there is no server to sign in to", "set smarthost or next_hop beside it")
			} else if strings.Contains(s.Key, "fallback") {
				d.lacks(s.Key, "the fallback names no server", `write { smarthost = "…" } or { next_hop = "smtp://host:25" }`)
			}
			continue
		}
		checkHops(d, c, key("next_hop"), s.NextHop, s.TLS, s.OwnTLS)
		checkProvider(d, key, s)
		if s.SignsIn() {
			checkSignIn(d, key, s, src)
		}
		if s.OAuth != "" {
			used[s.OAuth] = true
			checkTokens(d, c, key("oauth"), s, names)
		}
	}
	for i := range c.OAuthApps {
		if name := c.OAuthApps[i].Name; name != "" && !used[name] {
			d.doubt(at("oauth_app", i), fmt.Sprintf("nothing signs in by %q", name), fmt.Sprintf("write oauth = %q beside smarthost or next_hop", name))
		}
	}
}

// checkProvider looks at what a provider wants.
func checkProvider(d *decoder, key func(string) string, s NamedServer) {
	choice, ok := s.Smarthost.Choice()
	if !ok {
		return
	}
	p := choice.Provider
	secret := !s.Password.IsZero() || s.PasswordFile != ""
	switch {
	case !s.SignsIn() && !p.LoginOptional():
		d.lacks(key("smarthost"), p.Name+" takes mail only from those who sign in", signInAdvice(p))
	case secret && !takesPasswords(p):
		d.wrong(d.setOf(key("password_file"), key("password")), p.Name+" takes no passwords", signInAdvice(p))
	case secret && p.ID == "microsoft365":
		d.doubt(d.setOf(key("password_file"), key("password")), "Microsoft turns passwords off for SMTP, and answers 550 5.7.30", signInAdvice(p))
	case p.Username != "" && s.Username != "" && s.Username != p.Username && !strings.HasPrefix(s.Username, p.Username+":"):
		d.doubt(key("username"), fmt.Sprintf("the user name of everybody at %s is %q", p.Name, p.Username), "the secret goes into password_file")
	}
	if s.OwnTLS && s.TLS == TLSOff && !choice.Port.Implicit {
		d.wrong(key("tls"), p.Name+" takes nothing without TLS", `leave it out, or write tls = "verified"`)
	}
}

// signInAdvice says how one signs in at a provider.
func signInAdvice(p *smarthost.Provider) string {
	if p.OAuth != nil && (p.OAuth.Device != "" || !takesPasswords(p)) {
		return `write username = "…" and oauth = "work", and a section [[oauth_app]] with name = "work" and client_id = "…"`
	}
	if p.Username != "" {
		return fmt.Sprintf("write password_file = \"…\": %s", p.PasswordHint)
	}
	return fmt.Sprintf("write username = \"…\" and password_file = \"…\": %s; %s", p.UsernameHint, p.PasswordHint)
}

func takesPasswords(p *smarthost.Provider) bool {
	return slices.Contains(p.Mechanisms, "PLAIN") || slices.Contains(p.Mechanisms, "LOGIN")
}

// checkSignIn looks at a user name and what is shown with it.
func checkSignIn(d *decoder, key func(string) string, s NamedServer, src Source) {
	secret := d.setOf(key("password_file"), key("password"), key("oauth"))
	ways := 0
	for _, set := range []bool{!s.Password.IsZero(), s.PasswordFile != "", s.OAuth != ""} {
		if set {
			ways++
		}
	}
	switch {
	case ways == 0:
		d.lacks(key("username"), "there is a user name and nothing to show with it", "set password_file or oauth")
	case ways > 1:
		d.wrong(secret, "password, password_file and oauth are ways to sign in of which there can be one", "keep one of them")
	case s.SignsInAs() == "":
		d.lacks(secret, "whom the relay signs in as is not said", "set username")
	}
	if strings.ContainsAny(s.Username, "\x00\r\n") {
		d.wrong(key("username"), "there is a character in it that no name has", "")
	}
	checkSecretFile(d, src, key("password_file"), s.PasswordFile)
	for _, h := range s.Hops() {
		checkSecretPath(d, key, s, h)
	}
}

// checkSecretPath keeps passwords and tokens from going where others hear them.
func checkSecretPath(d *decoder, key func(string) string, s NamedServer, h NextHop) {
	at := d.setOf(key("username"), key("password_file"), key("password"), key("oauth"))
	switch {
	case h.MX:
		d.wrong(at, fmt.Sprintf("the DNS would say who is shown the password: %s names a domain", h), "name the host, as in smtp://host:587")
	case h.OnThisMachine():
	case s.TLS == TLSOff && !h.Implicit:
		d.wrong(at, fmt.Sprintf("the password or token would go to %s in plain text", h.Address()), `write tls = "verified", or smtps://`)
	case s.TLS == TLSEncrypted:
		d.doubt(at, fmt.Sprintf("whoever can pretend to be %s is shown the password or token", h.Address()), `write tls = "verified"`)
	}
}

// checkOAuth looks at the ways to get tokens, and returns them by their names.
func checkOAuth(d *decoder, c *Config, src Source) map[string]*OAuthApp {
	names := map[string]*OAuthApp{}
	for i := range c.OAuthApps {
		o, key := &c.OAuthApps[i], at("oauth_app", i)
		switch {
		case o.Name == "":
			d.lacks(key+".name", "it has no name, so nothing can sign in by it", `write name = "work"`)
		case names[o.Name] != nil:
			d.wrong(key+".name", fmt.Sprintf("two are called %q", o.Name), "")
		default:
			names[o.Name] = o
		}
		if o.ClientID == "" {
			d.lacks(key+".client_id", "the application is not named", "register one at the provider, and write its id; docs/smarthosts.md says how")
		}
		checkSecretFile(d, src, key+".client_secret_file", o.ClientSecretFile)
		for _, u := range []struct{ key, url string }{{"token_url", o.TokenURL}, {"device_url", o.DeviceURL}, {"authorize_url", o.AuthorizeURL}} {
			if u.url != "" {
				checkServiceURL(d, key+"."+u.key, u.url)
			}
		}
		if o.Provider != "" {
			checkOAuthProvider(d, key+".provider", o.Provider)
		}
		if o.Grant == OAuthGrantClient && o.ClientSecretFile == "" {
			d.lacks(key+".client_secret_file", "an application that signs in as itself has a secret, and it is not set", "set client_secret_file")
		}
	}
	return names
}

func checkOAuthProvider(d *decoder, key, name string) {
	switch c, err := smarthost.Choose(name); {
	case err != nil:
		d.wrong(key, err.Error(), hintOf(err))
	case c.Provider.OAuth == nil:
		d.wrong(key, c.Provider.Name+" gives no tokens", "sign in by password_file")
	}
}

// checkTokens looks whether tokens can be got for a server.
func checkTokens(d *decoder, c *Config, key string, s NamedServer, names map[string]*OAuthApp) {
	o := names[s.OAuth]
	if o == nil {
		suggestion := fmt.Sprintf("add [[oauth_app]] with name = %q", s.OAuth)
		var known []string
		for i := range c.OAuthApps {
			known = append(known, c.OAuthApps[i].Name)
		}
		if near, ok := nearest(s.OAuth, known); ok {
			suggestion = fmt.Sprintf("did you mean %q?", near)
		}
		d.wrong(key, fmt.Sprintf("there is no [[oauth_app]] of the name %q", s.OAuth), suggestion)
		return
	}
	if _, err := o.Resolve(s.Smarthost); err != nil {
		d.wrong(key, err.Error(), hintOf(err))
	}
}
