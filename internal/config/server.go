package config

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/weirmail/weir/internal/smarthost"
)

// Server is where mail is handed to, and how the relay signs in there. It stands
// at the top of the file, in each [[route]] and in each fallback.
type Server struct {
	// The server that the mail goes to: at the top of the file all mail for which
	// no [[route]] says otherwise. A list is tried in its order. The forms are
	// smtp://host:25 (the default port is 25), smtps://host:465 (TLS from the
	// first byte), smtp+mx://domain (the hosts that the MX records of the
	// domain name), lmtp://host:24 and lmtp+unix:/path/of/socket.
	NextHop []NextHop `toml:"next_hop" example:"smtp://smarthost.example.net:587"`

	// In place of next_hop, a provider that Weir knows: "gmail", with a region or
	// variant "ses:eu-west-1" or "mailgun:eu", with another port "sendgrid:2525".
	// "weir smarthosts" lists them; docs/smarthosts.md has an example for each of
	// the large ones.
	Smarthost Smarthost `toml:"smarthost" example:"ses:eu-west-1"`

	// The name that the relay signs in with there. Passwords and tokens go only
	// over TLS with a certificate that is valid, unless the server is on this
	// machine or its tls says otherwise.
	Username string `toml:"username" example:"relay@example.org"`

	// The password, for the environment. In a file, use password_file.
	Password Secret `toml:"password" example:"correct horse"`

	// The file of the password. It is read for each connection, so that a new
	// password needs no restart. Only Weir should be able to read it.
	PasswordFile string `toml:"password_file" example:"/etc/weir/smarthost.password"`

	// The [[oauth_app]] by which the relay signs in, in place of a password.
	OAuth string `toml:"oauth" example:"work"`
}

// Fallback is a server that is tried when none before it can be reached.
type Fallback struct {
	Server

	// The TLS that this server must speak, as in [delivery] tls; without it, that
	// one holds.
	TLS TLSPolicy `toml:"tls" example:"verified"`
}

// shorthand lets a fallback be written as its server alone.
func (Fallback) shorthand(text string) (key string) {
	if strings.Contains(text, "://") || strings.HasPrefix(text, "lmtp+unix:") {
		return "next_hop"
	}
	return "smarthost"
}

// OAuthApp is how tokens are got that the relay signs in with (OAuth 2.0).
type OAuthApp struct {
	// What the keys oauth call it.
	Name string `toml:"name" example:"work"`

	// How tokens are got. "device": "weir auth login" shows a code, which is
	// entered in a browser on any machine. "code": it shows a page, and the address
	// that the browser ends up at is pasted. "client": the application signs in as
	// itself, and nobody logs in. Without it, "device" where the provider has that,
	// and "code" where not.
	Grant OAuthGrant `toml:"grant" example:"device"`

	// The id of the application that was registered at the provider.
	ClientID string `toml:"client_id" example:"2f1d1c0e-7a4e-4d8e-9b0a-3c5d7e9f1a2b"`

	// The file of the secret of the application, where it has one. It is read each
	// time.
	ClientSecretFile string `toml:"client_secret_file" example:"/etc/weir/oauth.secret"`

	// The organization, at Microsoft: its domain or its id. "client" needs it.
	Tenant string `toml:"tenant" example:"example.org"`

	// The scope that is asked for. Without it, that of the provider for sending
	// mail.
	Scope string `toml:"scope" example:"https://outlook.office.com/SMTP.Send offline_access"`

	// The provider whose endpoints these are, where smarthost does not name it.
	Provider string `toml:"provider" example:"microsoft365"`

	// The endpoint for tokens, for a server that Weir does not know.
	TokenURL string `toml:"token_url" example:"https://login.example.net/token"`

	// The endpoint for codes of "device" (RFC 8628).
	DeviceURL string `toml:"device_url" example:"https://login.example.net/device"`

	// The page for "code".
	AuthorizeURL string `toml:"authorize_url" example:"https://login.example.net/authorize"`
}

// OAuthGrant is a way to get tokens.
type OAuthGrant string

// The ways to get tokens.
const (
	OAuthGrantDevice OAuthGrant = "device"
	OAuthGrantCode   OAuthGrant = "code"
	OAuthGrantClient OAuthGrant = "client"
)

func (OAuthGrant) choices() []string { return []string{"device", "code", "client"} }

// Smarthost is the name of a provider, as package smarthost has them.
type Smarthost string

// parseSmarthost holds a name to the providers that are known.
func parseSmarthost(s string) (Smarthost, error) {
	if _, err := ParseNextHop(s); err == nil {
		return "", hint{errors.New("this is a server and no provider"), "write it as next_hop"}
	}
	if _, err := smarthost.Choose(s); err != nil {
		if e, ok := errors.AsType[*smarthost.Error](err); ok {
			return "", hint{err, e.Suggestion}
		}
		return "", err
	}
	return Smarthost(strings.ToLower(strings.TrimSpace(s))), nil
}

// Choice returns the provider; ok is false where none is named.
func (s Smarthost) Choice() (c smarthost.Choice, ok bool) {
	if s == "" {
		return smarthost.Choice{}, false
	}
	c, err := smarthost.Choose(string(s))
	return c, err == nil
}

// IsZero says whether no server is named.
func (s *Server) IsZero() bool { return s.Smarthost == "" && len(s.NextHop) == 0 }

// Hops returns the servers: those of next_hop, or that of the provider.
func (s *Server) Hops() []NextHop {
	c, ok := s.Smarthost.Choice()
	if !ok {
		return s.NextHop
	}
	return []NextHop{{Protocol: ProtocolSMTP, Host: c.Host, Port: c.Port.Number, Implicit: c.Port.Implicit}}
}

// SignsIn says whether the relay signs in.
func (s *Server) SignsIn() bool {
	return s.Username != "" || !s.Password.IsZero() || s.PasswordFile != "" || s.OAuth != ""
}

// SignsInAs is the name that the relay signs in with: the one that is set, or
// that of the provider where everybody has the same.
func (s *Server) SignsInAs() string {
	if c, ok := s.Smarthost.Choice(); ok && s.Username == "" {
		return c.Provider.Username
	}
	return s.Username
}

// OnThisMachine says whether what is sent to a next hop does not leave the
// machine.
func (h NextHop) OnThisMachine() bool {
	if h.Socket != "" || strings.EqualFold(h.Host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(h.Host)
	return err == nil && addr.IsLoopback()
}

// Servers returns every place where a server is named, with its key; "" is the
// top.
func (c *Config) Servers() []NamedServer {
	all := []NamedServer{{Key: "", Server: &c.Server, TLS: c.Delivery.TLS}}
	all = c.withFallbacks(all, "", c.Fallback)
	for i := range c.Routes {
		r, key := &c.Routes[i], at("route", i)
		all = append(all, NamedServer{Key: key, Server: &r.Server, TLS: c.Delivery.tls(r.TLS), OwnTLS: r.TLS != ""})
		all = c.withFallbacks(all, key, r.Fallback)
	}
	return all
}

func (c *Config) withFallbacks(all []NamedServer, key string, list []Fallback) []NamedServer {
	for i := range list {
		f := &list[i]
		all = append(all, NamedServer{Key: at(join(key, "fallback"), i), Server: &f.Server, TLS: c.Delivery.tls(f.TLS), OwnTLS: f.TLS != ""})
	}
	return all
}

// NamedServer is a [Server] in its place.
type NamedServer struct {
	// Key is where it stands: "", "route[0]", "route[0].fallback[1]".
	Key string
	*Server
	// TLS is the policy that holds for it, and OwnTLS tells whether it was set
	// for it alone.
	TLS    TLSPolicy
	OwnTLS bool
}

// tls is a policy, or the general one where it is not set.
func (d *Delivery) tls(own TLSPolicy) TLSPolicy {
	if own != "" {
		return own
	}
	return d.TLS
}
