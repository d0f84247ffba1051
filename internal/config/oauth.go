package config

import (
	"errors"
	"fmt"

	"github.com/weirmail/weir/internal/smarthost"
)

// ResolvedOAuth is an [OAuthApp] with what the provider adds to it.
type ResolvedOAuth struct {
	Grant                             OAuthGrant
	AuthorizeURL, TokenURL, DeviceURL string
	Scope                             string
	// Parameters are further ones of the authorization request.
	Parameters map[string]string
	// IdleDays is how long a login lasts that is not used; 0 where that is not
	// known.
	IdleDays int
}

// Resolve completes the settings for a server. The error says what is missing.
func (o *OAuthApp) Resolve(s Smarthost) (ResolvedOAuth, error) {
	r := ResolvedOAuth{Grant: o.Grant, AuthorizeURL: o.AuthorizeURL, TokenURL: o.TokenURL, DeviceURL: o.DeviceURL, Scope: o.Scope}
	known, err := o.known(s)
	if err != nil {
		return r, err
	}
	if known != nil && o.TokenURL == "" {
		r.AuthorizeURL, r.TokenURL, r.DeviceURL = known.Endpoints(o.Tenant)
		r.Parameters, r.IdleDays = known.Parameters, known.IdleDays
		if r.Scope == "" {
			r.Scope = known.Scope
			if r.Grant == OAuthGrantClient {
				r.Scope = known.ClientScope
			}
		}
	}
	if r.Grant == "" {
		r.Grant = OAuthGrantDevice
		if r.DeviceURL == "" {
			r.Grant = OAuthGrantCode
		}
	}
	return r, o.missing(&r, known)
}

// known is what is known of the provider; nil where there is none.
func (o *OAuthApp) known(s Smarthost) (*smarthost.OAuth, error) {
	name := o.Provider
	if name == "" {
		name = string(s)
	}
	if name == "" {
		return nil, nil
	}
	c, err := smarthost.Choose(name)
	switch {
	case err != nil:
		return nil, err
	case c.Provider.OAuth == nil && o.TokenURL == "":
		return nil, hint{fmt.Errorf("%s gives no tokens", c.Provider.Name), "sign in by password_file"}
	}
	return c.Provider.OAuth, nil
}

// missing says what the way to get tokens needs and does not have.
func (o *OAuthApp) missing(r *ResolvedOAuth, known *smarthost.OAuth) error {
	lacks := func(what, suggestion string) error {
		return hint{fmt.Errorf("%s of [[oauth_app]] %q is not set", what, o.Name), suggestion}
	}
	switch {
	case r.TokenURL == "":
		return lacks("token_url", `set it, or provider = "microsoft365" or another of "weir smarthosts"`)
	case r.Grant == OAuthGrantDevice && r.DeviceURL == "" && known != nil:
		return hint{errors.New("the provider has no codes for devices"), `write grant = "code"`}
	case r.Grant == OAuthGrantDevice && r.DeviceURL == "":
		return lacks("device_url", `set it, or write grant = "code"`)
	case r.Grant == OAuthGrantCode && r.AuthorizeURL == "":
		return lacks("authorize_url", "")
	case r.Grant == OAuthGrantClient && r.Scope == "" && known != nil:
		return hint{errors.New("the provider does not let an application sign in as itself"), `leave grant out, and run "weir auth login"`}
	case r.Grant == OAuthGrantClient && known != nil && known.Tenant != "" && o.Tenant == "" && o.TokenURL == "":
		return lacks("tenant", "write the domain or the id of the organization")
	}
	return nil
}
