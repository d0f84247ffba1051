package relay

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/inbound/auth"
)

// openAccounts builds what finds out who clients are; nil where no listener asks.
func openAccounts(cfg *config.Config, events *event.Listener) (*auth.Service, error) {
	if !slices.ContainsFunc(cfg.Listeners, func(l config.Listener) bool { return l.OffersAuth() }) {
		return nil, nil
	}
	a := &cfg.Auth
	o := auth.Options{Mechanisms: texts(a.Mechanisms), WithoutTLS: texts(a.WithoutTLS)}
	var err error
	if o.Senders, err = auth.ParseSenders(a.Senders); err != nil {
		return nil, fmt.Errorf("the senders of accounts (key senders of [auth]): %w", err)
	}
	if o.Directory, err = openDirectory(cfg, events); err != nil {
		return nil, err
	}
	if a.HasCertificates() {
		if o.Certificates, err = certificateAccounts(a); err != nil {
			return nil, err
		}
	}
	if a.OAuth.Introspection != "" {
		if o.Tokens, err = openTokens(a); err != nil {
			return nil, err
		}
	}
	return auth.New(o), nil
}

// texts makes names of words of the configuration.
func texts[T ~string](words []T) []string {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	return names
}

// openDirectory builds what knows the passwords; nil where nothing does.
func openDirectory(cfg *config.Config, events *event.Listener) (auth.Directory, error) {
	switch a := &cfg.Auth; {
	case a.Users != "":
		return openUsers(cfg, events)
	case a.LDAP.URL != "":
		return openLDAP(a)
	case a.HTTP.URL != "":
		token, err := readSecret("token_file of [auth.http]", a.HTTP.TokenFile)
		if err != nil {
			return nil, err
		}
		d, err := auth.NewHTTPDirectory(auth.HTTPOptions{URL: a.HTTP.URL, Token: token, Remote: auth.Remote{Timeout: a.Timeout}})
		return directory(d, err, "[auth.http]")
	}
	return nil, nil
}

// directory keeps a nil pointer from becoming a directory.
func directory[D auth.Directory](d D, err error, where string) (auth.Directory, error) {
	if err != nil {
		return nil, fmt.Errorf("the accounts of %s: %w", where, err)
	}
	return d, nil
}

func openUsers(cfg *config.Config, events *event.Listener) (auth.Directory, error) {
	secret, err := keptSecret(filepath.Join(cfg.StateDir, "auth-secret"))
	if err != nil {
		return nil, err
	}
	f, err := auth.OpenUserFile(auth.UserFileOptions{
		Path: cfg.Auth.Users, Hasher: auth.NewHasher(cfg.Auth.Hashes, 0), Secret: secret,
		Report: func(err error) { events.Fault(event.Fault{Where: "accounts", Err: err}) },
	})
	return directory(f, err, "[auth] (key users)")
}

// keptSecret reads a secret of the relay's own, and makes it where it is not there.
func keptSecret(path string) ([]byte, error) {
	secret, err := os.ReadFile(path)
	if err == nil && len(secret) == secretLength {
		return secret, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading a secret (key state_dir): %w", err)
	}
	secret = make([]byte, secretLength)
	rand.Read(secret) // never fails
	if err := os.WriteFile(path, secret, 0o600); err != nil {
		return nil, fmt.Errorf("keeping a secret (key state_dir): %w", err)
	}
	return secret, nil
}

const secretLength = 32

// readSecret reads a file with a secret in a line; "" where none is named.
func readSecret(key, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading a secret (key %s): %w", key, err)
	}
	return string(bytes.TrimRight(secret, "\r\n")), nil
}

func openLDAP(a *config.Auth) (auth.Directory, error) {
	l := &a.LDAP
	password, err := readSecret("search_password_file of [auth.ldap]", l.SearchPasswordFile)
	if err != nil {
		return nil, err
	}
	o := auth.LDAPOptions{
		URL: l.URL, StartTLS: l.StartTLS, BindTemplate: l.Bind, Base: l.Base, Filter: l.Filter,
		BindDN: l.SearchDN, BindPassword: password, SendersAttribute: l.Senders, Remote: auth.Remote{Timeout: a.Timeout},
	}
	if l.CA != "" {
		roots, err := readRoots(l.CA)
		if err != nil {
			return nil, fmt.Errorf("the authorities of the directory (key ca of [auth.ldap]): %w", err)
		}
		o.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	d, err := auth.NewLDAPDirectory(o)
	return directory(d, err, "[auth.ldap]")
}

func readRoots(path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, errors.New("there is no certificate in it")
	}
	return roots, nil
}

func certificateAccounts(a *config.Auth) (*auth.Certificates, error) {
	byFingerprint := make(map[string]string, len(a.Certificates))
	for _, c := range a.Certificates {
		byFingerprint[c.Fingerprint] = c.Account
	}
	c, err := auth.NewCertificates(auth.CertificateName(a.CertificateName), byFingerprint)
	if err != nil {
		return nil, fmt.Errorf("the accounts of certificates ([[auth.certificate]]): %w", err)
	}
	return c, nil
}

func openTokens(a *config.Auth) (auth.Tokens, error) {
	secret, err := readSecret("client_secret_file of [auth.oauth]", a.OAuth.ClientSecretFile)
	if err != nil {
		return nil, err
	}
	i, err := auth.NewIntrospection(auth.IntrospectionOptions{
		URL: a.OAuth.Introspection, ClientID: a.OAuth.ClientID, ClientSecret: secret, Scope: a.OAuth.Scope,
		Audience: a.OAuth.Audience, Claim: a.OAuth.Account, Keep: a.OAuth.Keep, Remote: auth.Remote{Timeout: a.Timeout},
	})
	if err != nil {
		return nil, fmt.Errorf("the issuer of tokens (key introspection of [auth.oauth]): %w", err)
	}
	return i, nil
}
