package relay

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/oauth"
	"github.com/weirmail/weir/smtpclient"
)

// logins are how the relay signs in to the servers that mail is handed to.
type logins struct {
	config  *config.Config
	events  *event.Listener
	logger  *slog.Logger
	store   *oauth.Store
	sources map[string]*tokens // by login, application and endpoint
	order   []*tokens
}

// tokens is a source of tokens, and where they are for.
type tokens struct {
	*oauth.Source
	app     string
	servers []string
}

// LoginStore returns where a relay with a configuration keeps logins. credentials
// is the folder of systemd's credentials; empty where there is none.
func LoginStore(cfg *config.Config, credentials string) *oauth.Store {
	return oauth.NewStore(filepath.Join(cfg.StateDir, "logins"), credentials)
}

// newLogins returns the logins of a configuration. Nothing is asked for yet.
func newLogins(cfg *config.Config, credentials string, events *event.Listener, logger *slog.Logger) *logins {
	return &logins{config: cfg, events: events, logger: logger, store: LoginStore(cfg, credentials), sources: map[string]*tokens{}}
}

// of returns the login for the servers of a place in the configuration; nil where
// the relay does not sign in there.
func (l *logins) of(s config.NamedServer) (*smtpclient.Login, error) {
	if !s.SignsIn() {
		return nil, nil
	}
	login := &smtpclient.Login{Username: s.SignsInAs()}
	switch {
	case s.OAuth != "":
		source, err := l.tokens(s)
		if err != nil {
			return nil, err
		}
		login.Token = source.Token
	case s.PasswordFile != "":
		file := s.PasswordFile
		login.Password = func(context.Context) (string, error) { return readSecret("password_file", file) }
	default:
		secret := s.Password
		login.Password = func(context.Context) (string, error) { return secret.Reveal(), nil }
	}
	return login, nil
}

// tokens returns the source of tokens for a place, the same one for all places of
// the same login.
func (l *logins) tokens(s config.NamedServer) (*tokens, error) {
	client, idle, err := TokenClient(l.config, s)
	if err != nil {
		return nil, err
	}
	name := client.Login + "\n" + client.ID + "\n" + client.TokenURL
	t := l.sources[name]
	if t == nil {
		t = &tokens{app: s.OAuth, Source: oauth.NewSource(oauth.SourceOptions{
			Client: client, Store: l.store, Idle: idle,
			Report:    func(err error) { l.events.Fault(event.Fault{Where: "login", Err: err}) },
			Recovered: func() { l.logger.Info("tokens are given again", "login", client.Login) },
		})}
		l.sources[name] = t
		l.order = append(l.order, t)
	}
	for _, h := range s.Hops() {
		if !slices.Contains(t.servers, h.Address()) {
			t.servers = append(t.servers, h.Address())
		}
	}
	return t, nil
}

// TokenClient returns what the relay is to the authorization server of a place in
// the configuration that has oauth, and how long a login there lasts that is not
// used; 0 where that is not known.
func TokenClient(cfg *config.Config, s config.NamedServer) (*oauth.Client, time.Duration, error) {
	i := slices.IndexFunc(cfg.OAuthApps, func(o config.OAuthApp) bool { return o.Name == s.OAuth })
	if i < 0 {
		return nil, 0, fmt.Errorf("there is no [[oauth_app]] of the name %q", s.OAuth)
	}
	app := &cfg.OAuthApps[i]
	r, err := app.Resolve(s.Smarthost)
	if err != nil {
		return nil, 0, err
	}
	c := &oauth.Client{
		Login: s.SignsInAs(), Grant: oauth.Grant(r.Grant), ID: app.ClientID, Scope: r.Scope, Parameters: r.Parameters,
		AuthorizeURL: r.AuthorizeURL, TokenURL: r.TokenURL, DeviceURL: r.DeviceURL,
	}
	if file := app.ClientSecretFile; file != "" {
		c.Secret = func() (string, error) { return readSecret("client_secret_file", file) }
	}
	return c, time.Duration(r.IdleDays) * config.Day, nil
}

// run looks after the logins until the context ends.
func (l *logins) run(ctx context.Context) {
	var group sync.WaitGroup
	for _, t := range l.order {
		group.Go(func() { t.Keep(ctx) })
	}
	group.Wait()
}

// status tells how the logins by tokens are.
func (l *logins) status() []api.Login {
	var all []api.Login
	for _, t := range l.order {
		st := t.Status()
		a := api.Login{
			Name: st.Login, Application: t.app, Grant: string(st.Grant), Servers: t.servers,
			Began: st.Began, TokenExpires: st.Expires, Ends: st.Ends,
		}
		if st.Problem != nil {
			a.Problem, a.NeedsLogin, a.Since, a.Retry = st.Problem.Error(), st.Problem.NeedsLogin, st.Since, st.Retry
		}
		all = append(all, a)
	}
	return all
}
