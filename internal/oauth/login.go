package oauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Prompt is what a person is told while logging in.
type Prompt struct {
	// URL is the page to open. Code is to be entered there; empty where the
	// page leads back with one.
	URL, Code string
	// Until is when it is too late; zero where nothing is said.
	Until time.Time
}

// errNoRefresh is for servers that give an access token alone.
var errNoRefresh = errors.New("the server gave no refresh token, so the login would end within the hour: the scope may lack offline_access, or the client may not have it")

// LoginByDevice logs in by a code that is entered on another device (RFC 8628).
// It shows the code and waits until it was entered, or it is too late, or the
// context ends. The error is an [*Error], or that of the context.
func (c *Client) LoginByDevice(ctx context.Context, show func(Prompt) error) (Login, error) {
	config, err := c.config()
	if err != nil {
		return Login{}, err
	}
	ctx = c.context(ctx)
	device, err := config.DeviceAuth(ctx)
	if err != nil {
		return Login{}, failure(c.Login, err)
	}
	if device.UserCode == "" || device.DeviceCode == "" || device.VerificationURI == "" {
		return Login{}, failure(c.Login, errors.New("the answer of the device endpoint has no code in it"))
	}
	if device.Expiry.IsZero() {
		device.Expiry = time.Now().Add(deviceTime)
	}
	if err := show(Prompt{URL: device.VerificationURI, Code: device.UserCode, Until: device.Expiry}); err != nil {
		return Login{}, err
	}
	return c.poll(ctx, config, device)
}

// deviceTime is how long a code is good whose end the server does not tell.
const deviceTime = 15 * time.Minute

// poll asks until the code was entered. A server that cannot be reached, or is
// ill, is asked again: the person is still typing.
func (c *Client) poll(ctx context.Context, config *oauth2.Config, device *oauth2.DeviceAuthResponse) (Login, error) {
	for {
		t, err := config.DeviceAccessToken(ctx, device)
		if err == nil {
			return c.login(t)
		}
		if ctx.Err() != nil {
			return Login{}, ctx.Err()
		}
		if !time.Now().Before(device.Expiry) {
			return Login{}, &Error{Login: c.Login, Code: "expired_token", Err: errors.New("expired_token")}
		}
		answer, answered := errors.AsType[*oauth2.RetrieveError](err)
		_, unreachable := errors.AsType[*url.Error](err)
		if ill := answered && answer.ErrorCode == "" && answer.Response != nil && answer.Response.StatusCode >= 500; !ill && !unreachable {
			return Login{}, failure(c.Login, err)
		}
	}
}

// login makes a login of what a person has allowed.
func (c *Client) login(t *oauth2.Token) (Login, error) {
	now := time.Now()
	a, err := c.read(t, now)
	switch {
	case err != nil:
		return Login{}, failure(c.Login, err)
	case a.refresh == "":
		return Login{}, failure(c.Login, errNoRefresh)
	}
	return Login{Refresh: a.refresh, Began: now, Used: now, Ends: a.end}, nil
}

// pasteAddress is where the browser is sent with the code. Nothing listens
// there: the person copies the address out of the browser, which may be on
// another machine. Servers take any port on loopback (RFC 8252 section 7.3).
const pasteAddress = "http://localhost:49017/"

// LoginByCode logs in by the address that the browser is sent to at the end: it
// shows the page to open, and reads the address, or the code in it, by ask.
func (c *Client) LoginByCode(ctx context.Context, ask func(Prompt) (string, error)) (Login, error) {
	config, err := c.config()
	if err != nil {
		return Login{}, err
	}
	config.RedirectURL = pasteAddress
	verifier, state := oauth2.GenerateVerifier(), rand.Text()
	page := config.AuthCodeURL(state, append(c.options(), oauth2.S256ChallengeOption(verifier))...)
	pasted, err := ask(Prompt{URL: page})
	if err != nil {
		return Login{}, err
	}
	code, err := codeOf(c.Login, pasted, state)
	if err != nil {
		return Login{}, err
	}
	t, err := config.Exchange(c.context(ctx), code, oauth2.VerifierOption(verifier))
	if err != nil {
		return Login{}, failure(c.Login, err)
	}
	return c.login(t)
}

// codeOf finds the code in what was pasted: an address with it, or the code
// alone.
func codeOf(login, pasted, state string) (string, error) {
	pasted = strings.TrimSpace(pasted)
	if pasted == "" {
		return "", failure(login, errors.New("nothing was pasted"))
	}
	if !strings.Contains(pasted, "://") && !strings.Contains(pasted, "code=") && !strings.Contains(pasted, "error=") {
		if strings.ContainsAny(pasted, " \t") {
			return "", failure(login, errors.New("what was pasted is neither an address nor a code"))
		}
		return pasted, nil
	}
	_, query, _ := strings.Cut(pasted, "?")
	if !strings.Contains(pasted, "://") {
		query = strings.TrimPrefix(pasted, "?")
	}
	query, _, _ = strings.Cut(query, "#")
	values, err := url.ParseQuery(query)
	switch {
	case err != nil:
		return "", failure(login, errors.New("the address cannot be read"))
	case values.Get("error") != "":
		code := readable(values.Get("error"))
		return "", &Error{Login: login, Code: code, Description: readable(values.Get("error_description")), Err: errors.New(code)}
	case values.Get("code") == "":
		return "", failure(login, errors.New("the address has no code in it: copy the one that the browser shows at the very end, which begins with "+pasteAddress))
	case subtle.ConstantTimeCompare([]byte(values.Get("state")), []byte(state)) != 1:
		return "", failure(login, fmt.Errorf("the address is of another login: open the page that was shown just now"))
	}
	return values.Get("code"), nil
}
