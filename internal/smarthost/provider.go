package smarthost

import (
	"bytes"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// data is the table.
//
//go:embed providers.toml
var data []byte

// Provider is one entry of the table. It is not changed once it is read.
type Provider struct {
	// ID is what the configuration calls it, and Name what it calls itself.
	ID   string `toml:"id" json:"id"`
	Name string `toml:"name" json:"name"`
	// Aliases are other names of it, which are not taken but understood.
	Aliases []string `toml:"aliases" json:"-"`
	// Source is the provider's page that the entry is from, and Dated the month
	// in which it was last gone over.
	Source string `toml:"source" json:"source"`
	Dated  string `toml:"dated" json:"dated"`
	// Host is the server. "{region}" in it stands for one of Regions.
	Host    string   `toml:"host" json:"host"`
	Regions []string `toml:"regions" json:"regions,omitempty"`
	// Variants are further servers, by what stands behind the colon.
	Variants map[string]string `toml:"variants" json:"variants,omitempty"`
	// STARTTLS are the ports on which a session begins in plain text, Implicit
	// those with TLS from the first byte, the best of each first. Prefer is
	// "implicit" where the first of those is the one to use.
	STARTTLS []uint16 `toml:"starttls" json:"starttls,omitempty"`
	Implicit []uint16 `toml:"implicit" json:"implicit,omitempty"`
	Prefer   string   `toml:"prefer" json:"-"`
	// Mechanisms are those of AUTH that are offered.
	Mechanisms []string `toml:"mechanisms" json:"mechanisms"`
	// Username is the name that everybody signs in with; empty where each has
	// one of its own, which UsernameHint then tells.
	Username     string `toml:"username" json:"username,omitempty"`
	UsernameHint string `toml:"username_hint" json:"username_hint,omitempty"`
	PasswordHint string `toml:"password_hint" json:"password_hint"`
	// Login is "optional" where a client may be known by its address.
	Login string `toml:"login" json:"login,omitempty"`
	// Size is the largest message, such as "25MB", Recipients the most
	// recipients of one, Connections the most connections at a time,
	// PerConnection the most messages over one, Rate the most messages in a
	// time, such as "30/1m". Nothing is said of what is not known.
	Size          string `toml:"size" json:"size,omitempty"`
	Recipients    int    `toml:"recipients" json:"recipients,omitempty"`
	Connections   int    `toml:"connections" json:"connections,omitempty"`
	PerConnection int    `toml:"per_connection" json:"per_connection,omitempty"`
	Rate          string `toml:"rate" json:"rate,omitempty"`
	// Notes are what one should know before the first message.
	Notes []string `toml:"notes" json:"notes,omitempty"`
	// OAuth is how tokens are got; nil where there are none.
	OAuth *OAuth `toml:"oauth" json:"oauth,omitempty"`
}

// OAuth is how tokens of a provider are got. "{tenant}" in the addresses stands
// for the organization.
type OAuth struct {
	// Authorize, Token and Device are the endpoints (RFC 6749 section 3, RFC
	// 8628 section 3.1). Device is empty where codes are pasted.
	Authorize string `toml:"authorize" json:"authorize,omitempty"`
	Token     string `toml:"token" json:"token"`
	Device    string `toml:"device" json:"device,omitempty"`
	// Tenant is the one that is used where none is set.
	Tenant string `toml:"tenant" json:"tenant,omitempty"`
	// Scope is what is asked for on behalf of a person, ClientScope by an
	// application in its own name; empty where that is not possible.
	Scope       string `toml:"scope" json:"scope"`
	ClientScope string `toml:"client_scope" json:"client_scope,omitempty"`
	// Parameters are further ones of the authorization request.
	Parameters map[string]string `toml:"parameters" json:"-"`
	// IdleDays is how long a login lasts that is not used.
	IdleDays int `toml:"idle_days" json:"idle_days,omitempty"`
	// Notes say what the client has to be registered as.
	Notes string `toml:"notes" json:"notes,omitempty"`
}

// Providers returns the table in the order of the file. An error is a mistake
// in the file, which a test finds.
func Providers() ([]Provider, error) {
	var file struct {
		Provider []Provider `toml:"provider"`
	}
	decoder := toml.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("reading the table of smarthosts: %w", err)
	}
	return file.Provider, nil
}

// Port is a port of a provider.
type Port struct {
	Number uint16
	// Implicit is TLS from the first byte; else it begins with STARTTLS.
	Implicit bool
}

// Ports returns the ports of a provider, the best first.
func (p *Provider) Ports() []Port {
	var plain, implicit []Port
	for _, n := range p.STARTTLS {
		plain = append(plain, Port{Number: n})
	}
	for _, n := range p.Implicit {
		implicit = append(implicit, Port{Number: n, Implicit: true})
	}
	if p.Prefer == "implicit" {
		return append(implicit, plain...)
	}
	return append(plain, implicit...)
}

// PerSecond is Rate as messages a second; 0 where it is not known.
func (p *Provider) PerSecond() float64 {
	count, per, ok := strings.Cut(p.Rate, "/")
	n, err := strconv.ParseFloat(count, 64)
	time, perErr := time.ParseDuration(per)
	if !ok || err != nil || perErr != nil || time <= 0 {
		return 0
	}
	return n / time.Seconds()
}

// LoginOptional tells whether a client may be known by its address.
func (p *Provider) LoginOptional() bool { return p.Login == "optional" }

// Endpoints returns the OAuth endpoints for a tenant; empty is the provider's
// own choice.
func (o *OAuth) Endpoints(tenant string) (authorize, token, device string) {
	if tenant == "" {
		tenant = o.Tenant
	}
	fill := func(s string) string { return strings.ReplaceAll(s, "{tenant}", tenant) }
	return fill(o.Authorize), fill(o.Token), fill(o.Device)
}
