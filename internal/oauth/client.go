package oauth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Grant is the way in which tokens are got.
type Grant string

// The ways.
const (
	// GrantDevice: a person enters a code on another device (RFC 8628).
	GrantDevice Grant = "device"
	// GrantCode: a person logs in, and pastes where the browser ends up (RFC
	// 6749 section 4.1, with PKCE, RFC 7636).
	GrantCode Grant = "code"
	// GrantClient: the application gets them in its own name (RFC 6749 section
	// 4.4). Nobody logs in.
	GrantClient Grant = "client"
)

// Client is what the relay is to an authorization server. It is not changed
// once it is in use.
type Client struct {
	// Login is what the login is called, mostly the user name.
	Login string
	Grant Grant
	// AuthorizeURL, TokenURL and DeviceURL are the endpoints. Those that the
	// grant does not need may be empty.
	AuthorizeURL, TokenURL, DeviceURL string
	// ID is what the relay is called there. Secret returns its secret, and is
	// asked each time; nil where there is none.
	ID     string
	Secret func() (string, error)
	// Scope is what is asked for, with spaces between.
	Scope string
	// Parameters are further ones of the authorization request.
	Parameters map[string]string
	// Transport makes the requests; nil means that of package http.
	Transport http.RoundTripper
}

// requestTime is how long a request to the server may take, maxAnswer how much
// of an answer is read.
const (
	requestTime = 30 * time.Second
	maxAnswer   = 1 << 20
)

// context returns a context for requests, which are never sent on: a secret is
// for the endpoint that the configuration names, and no other.
func (c *Client) context(ctx context.Context) context.Context {
	next := c.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	return context.WithValue(ctx, oauth2.HTTPClient, &http.Client{
		Transport: bounded{next},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	})
}

// bounded holds each request to its time, the answer included, and leaves no
// connection behind: the library does not close all answers.
type bounded struct{ next http.RoundTripper }

// RoundTrip makes a request and reads the answer.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), requestTime)
	defer cancel()
	answer, err := b.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// secret returns the secret, or "".
func (c *Client) secret() (string, error) {
	if c.Secret == nil {
		return "", nil
	}
	return c.Secret()
}

// config is the client as the library has it.
func (c *Client) config() (*oauth2.Config, error) {
	secret, err := c.secret()
	if err != nil {
		return nil, err
	}
	return &oauth2.Config{
		ClientID: c.ID, ClientSecret: secret, Scopes: strings.Fields(c.Scope),
		// The servers of mail take a secret in the body; some do not take it in
		// the header, which RFC 6749 section 2.3.1 would like better.
		Endpoint: oauth2.Endpoint{
			AuthURL: c.AuthorizeURL, TokenURL: c.TokenURL, DeviceAuthURL: c.DeviceURL, AuthStyle: oauth2.AuthStyleInParams,
		},
	}, nil
}

// access is an access token, with what came beside it.
type access struct {
	token   string
	expires time.Time
	refresh string // the refresh token that is good from now on
	end     time.Time
}

// lifeUnknown is how long an access token is used whose life the server does
// not tell.
const lifeUnknown = 5 * time.Minute

// errNotBearer is for tokens that have to be used in another way.
var errNotBearer = errors.New("the token endpoint gives tokens that are not of the kind Bearer")

// read takes over what the library got.
func (c *Client) read(t *oauth2.Token, now time.Time) (access, error) {
	a := access{token: t.AccessToken, expires: t.Expiry, refresh: t.RefreshToken}
	if !strings.EqualFold(t.Type(), "Bearer") {
		return access{}, errNotBearer
	}
	if a.expires.IsZero() {
		a.expires = now.Add(lifeUnknown)
	}
	// Not in RFC 6749: how long the refresh token is good, in seconds.
	for _, key := range []string{"refresh_token_expires_in", "refresh_expires_in"} {
		if seconds, ok := t.Extra(key).(float64); ok && seconds > 0 && seconds < 1e10 {
			a.end = now.Add(time.Duration(seconds) * time.Second)
		}
	}
	return a, nil
}

// renew gets an access token by a refresh token (RFC 6749 section 6).
func (c *Client) renew(ctx context.Context, refresh string, now time.Time) (access, error) {
	config, err := c.config()
	if err != nil {
		return access{}, err
	}
	t, err := config.TokenSource(c.context(ctx), &oauth2.Token{RefreshToken: refresh}).Token()
	if err != nil {
		return access{}, err
	}
	return c.read(t, now)
}

// ownName gets an access token in the name of the application itself.
func (c *Client) ownName(ctx context.Context, now time.Time) (access, error) {
	secret, err := c.secret()
	if err != nil {
		return access{}, err
	}
	config := clientcredentials.Config{
		ClientID: c.ID, ClientSecret: secret, TokenURL: c.TokenURL, Scopes: strings.Fields(c.Scope), AuthStyle: oauth2.AuthStyleInParams,
	}
	t, err := config.Token(c.context(ctx))
	if err != nil {
		return access{}, err
	}
	return c.read(t, now)
}

// options are the further parameters of an authorization request, in the order
// of their names.
func (c *Client) options() []oauth2.AuthCodeOption {
	var all []oauth2.AuthCodeOption
	names := make([]string, 0, len(c.Parameters))
	for name := range c.Parameters {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		all = append(all, oauth2.SetAuthURLParam(name, c.Parameters[name]))
	}
	return all
}
