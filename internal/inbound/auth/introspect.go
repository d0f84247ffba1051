package auth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// IntrospectionOptions are what Introspection is built from.
type IntrospectionOptions struct {
	// URL is the introspection endpoint of the issuer (RFC 7662); see [CheckURL].
	URL string
	// ClientID and ClientSecret are what the relay is known by to the issuer.
	ClientID, ClientSecret string
	// Scope is what tokens must have; empty for nothing.
	Scope string
	// Audience is whom tokens must be for; empty for anyone.
	Audience string
	// Claim is the part of the answer that names the account; empty for "username".
	Claim string
	// Keep is how long an answer that a token is good is believed, at most; 0 means
	// one minute.
	Keep time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	Remote
}

// Introspection asks the issuer of tokens about each (RFC 7662), and remembers for a
// while which are good.
type Introspection struct {
	options IntrospectionOptions
	asker   *asker

	mu   sync.Mutex
	good map[[sha256.Size]byte]goodToken
}

// goodToken is what is remembered of a token; the token itself is not.
type goodToken struct {
	who   Identity
	until time.Time
}

// maxGoodTokens bounds what is remembered.
const maxGoodTokens = 4096

// NewIntrospection returns what asks an issuer.
func NewIntrospection(o IntrospectionOptions) (*Introspection, error) {
	if err := CheckURL(o.URL); err != nil {
		return nil, err
	}
	if o.Claim == "" {
		o.Claim = "username"
	}
	if o.Keep <= 0 {
		o.Keep = time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Introspection{options: o, asker: newAsker(o.Remote), good: make(map[[sha256.Size]byte]goodToken)}, nil
}

// Scope is what tokens must have.
func (i *Introspection) Scope() string { return i.options.Scope }

// CheckToken returns the account that a token is for.
func (i *Introspection) CheckToken(ctx context.Context, token string) (Identity, error) {
	key := sha256.Sum256([]byte(token))
	if who, ok := i.remembered(key); ok {
		return who, nil
	}
	ctx, done, err := i.asker.begin(ctx)
	if err != nil {
		return Identity{}, err
	}
	defer done()
	claims, err := i.ask(ctx, token)
	if err != nil {
		return Identity{}, err
	}
	who, until, err := i.judge(claims)
	if err == nil {
		i.remember(key, goodToken{who, until})
	}
	return who, err
}

// ask posts the token, as RFC 7662 section 2.1 has it.
func (i *Introspection) ask(ctx context.Context, token string) (map[string]any, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.options.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, unavailable("the issuer of tokens cannot be asked", nil)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if i.options.ClientID != "" {
		// RFC 6749 section 2.3.1 has both encoded once more.
		r.SetBasicAuth(url.QueryEscape(i.options.ClientID), url.QueryEscape(i.options.ClientSecret))
	}
	code, body, err := i.asker.ask(r)
	if err != nil {
		return nil, unavailable("the issuer of tokens has not answered", err)
	}
	if code != http.StatusOK {
		return nil, unavailable("the issuer of tokens does not answer the relay", fmt.Errorf("it says %d", code))
	}
	var claims map[string]any
	if err := json.Unmarshal(body, &claims); err != nil {
		return nil, unavailable("the answer of the issuer of tokens is not the JSON that it should be", nil)
	}
	return claims, nil
}

// judge looks at what the issuer says of a token.
func (i *Introspection) judge(claims map[string]any) (who Identity, until time.Time, err error) {
	now := i.options.Now()
	until = now.Add(i.options.Keep)
	if expires, ok := claims["exp"].(float64); ok {
		if end := time.Unix(int64(expires), 0); end.Before(until) {
			until = end
		}
	}
	active, _ := claims["active"].(bool)
	starts, _ := claims["nbf"].(float64)
	name, _ := claims[i.options.Claim].(string)
	switch {
	case !active || !until.After(now) || int64(starts) > now.Unix():
		return who, until, denied("", "the token is not active")
	case i.options.Scope != "" && !hasAll(wordsOf(claims["scope"]), strings.Fields(i.options.Scope)):
		return who, until, denied("", "the token does not have the scope")
	case i.options.Audience != "" && !slices.Contains(wordsOf(claims["aud"]), i.options.Audience):
		return who, until, denied("", "the token is for others than the relay")
	case name == "":
		return who, until, denied("", "the issuer does not say whose the token is: there is no "+i.options.Claim+" in its answer")
	}
	who, err = newIdentity(name, nil, false)
	return who, until, err
}

// wordsOf reads a claim that is a list, or text with spaces between the words.
func wordsOf(claim any) []string {
	switch c := claim.(type) {
	case string:
		return strings.Fields(c)
	case []any:
		var words []string
		for _, w := range c {
			if s, ok := w.(string); ok {
				words = append(words, s)
			}
		}
		return words
	}
	return nil
}

func hasAll(has, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(w string) bool { return !slices.Contains(has, w) })
}

func (i *Introspection) remembered(key [sha256.Size]byte) (Identity, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	g, ok := i.good[key]
	return g.who, ok && i.options.Now().Before(g.until)
}

// remember keeps a good token. Where there are too many, those that are over go, and
// then any.
func (i *Introspection) remember(key [sha256.Size]byte, g goodToken) {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.options.Now()
	for k, old := range i.good {
		if len(i.good) < maxGoodTokens {
			break
		}
		if !now.Before(old.until) {
			delete(i.good, k)
		}
	}
	for k := range i.good {
		if len(i.good) < maxGoodTokens {
			break
		}
		delete(i.good, k)
	}
	i.good[key] = g
}
