package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// HTTPOptions are what an HTTPDirectory is built from.
type HTTPOptions struct {
	// URL is where the questions go; see [CheckURL].
	URL string
	// Token is sent as a bearer token, so that the service knows who asks; empty for
	// none.
	Token string
	Remote
}

// HTTPDirectory asks a service for each password: it posts
//
//	{"username": "ada@example.org", "password": "...", "client": "192.0.2.7"}
//
// and takes 200 for yes, 401 and 403 for no, and everything else for a fault of the
// service. The answer to a yes may name the account and its senders:
//
//	{"account": "ada", "senders": ["ada@example.org", "@example.com"]}
type HTTPDirectory struct {
	options HTTPOptions
	asker   *asker
}

// NewHTTPDirectory returns a directory that asks a service.
func NewHTTPDirectory(o HTTPOptions) (*HTTPDirectory, error) {
	if err := CheckURL(o.URL); err != nil {
		return nil, err
	}
	return &HTTPDirectory{options: o, asker: newAsker(o.Remote)}, nil
}

// Check asks the service.
func (d *HTTPDirectory) Check(ctx context.Context, c Credentials) (Identity, error) {
	ctx, done, err := d.asker.begin(ctx)
	if err != nil {
		return Identity{}, err
	}
	defer done()
	question, err := json.Marshal(map[string]string{"username": c.Name, "password": c.Password, "client": addressOf(c.Client)})
	if err != nil {
		return Identity{}, unavailable("the question to the service of accounts cannot be written", nil)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.options.URL, bytes.NewReader(question))
	if err != nil {
		return Identity{}, unavailable("the service of accounts cannot be asked", nil)
	}
	r.Header.Set("Content-Type", "application/json")
	if d.options.Token != "" {
		r.Header.Set("Authorization", "Bearer "+d.options.Token)
	}
	code, body, err := d.asker.ask(r)
	switch {
	case err != nil:
		return Identity{}, unavailable("the service of accounts has not answered", err)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return Identity{}, denied("", "the service of accounts says no")
	case code != http.StatusOK:
		return Identity{}, unavailable("the service of accounts has a fault", fmt.Errorf("it answers %d", code))
	}
	return readIdentity(body, c.Name)
}

// readIdentity reads the answer to a yes, which may be empty.
func readIdentity(body []byte, name string) (Identity, error) {
	answer := struct {
		Account string   `json:"account"`
		Senders []string `json:"senders"`
	}{Account: name}
	if len(bytes.TrimSpace(body)) > 0 {
		if err := json.Unmarshal(body, &answer); err != nil {
			return Identity{}, unavailable("the answer of the service of accounts is not the JSON that it should be", nil)
		}
	}
	return newIdentity(answer.Account, answer.Senders, answer.Senders != nil)
}

// newIdentity makes an identity of what a service says.
func newIdentity(account string, patterns []string, restricted bool) (who Identity, err error) {
	if who.Account, err = PrepareName(account); err != nil {
		return Identity{}, unavailable("the name of the account that was answered is none", err)
	}
	if restricted {
		if who.Senders, err = ParseSenders(patterns); err != nil {
			return Identity{}, unavailable("the senders of the account that were answered are none", err)
		}
	}
	return who, nil
}
