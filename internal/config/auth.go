package config

import "time"

// Auth is who may sign in, and how that is checked.
type Auth struct {
	// The file of the accounts, which "weir user add NAME" makes and changes. It
	// has one account a line, with hashes of passwords, so nobody but the user
	// that weir runs as may read it (mode 0600). A change is seen within a
	// second.
	Users string `toml:"users" example:"/etc/weir/users"`

	// The mechanisms that may be offered. Without it, all that what is set here can
	// check: SCRAM-SHA-256-PLUS, SCRAM-SHA-256, PLAIN and LOGIN for accounts of
	// users, PLAIN and LOGIN for those of [auth.ldap] and [auth.http], EXTERNAL for
	// client certificates, OAUTHBEARER and XOAUTH2 for tokens of [auth.oauth].
	Mechanisms []AuthMechanism `toml:"mechanisms" example:"SCRAM-SHA-256"`

	// The mechanisms that are offered without TLS as well. Only SCRAM-SHA-256 can
	// be, which does not send the password; but who listens can try passwords on
	// what it has heard. Without it, AUTH needs TLS, or a Unix socket.
	WithoutTLS []PlainTextMechanism `toml:"without_tls" example:"SCRAM-SHA-256"`

	// The senders (reverse-paths) that accounts may use of which nothing else is
	// said: "ada@example.org" is that address, "@example.org" all of the domain,
	// "@.example.org" all of the domains below it, "self" the address that the
	// account is named by, "<>" the empty sender of notices, "*" any. Mail with
	// another is refused with 553 5.7.1.
	Senders []string `toml:"senders"`

	// How many passwords are hashed at the same time, each of which takes a
	// processor and 19 MiB. Others wait, and hear 454 4.7.0 after 5 seconds. 0 is
	// half of the processors.
	Hashes int `toml:"hashes" unit:"passwords"`

	// How long the services below may take to answer. After that the client hears
	// 454 4.7.0, and comes again.
	Timeout time.Duration `toml:"timeout"`

	// The part of a client certificate that names the account: "email" and "dns"
	// are the first address and host name in its subject alternative names,
	// "common" is the common name. Empty: none, and only those of
	// [[auth.certificate]] are accounts. Clients are asked for certificates by
	// client_certificate of the listener.
	CertificateName CertificateName `toml:"certificate_name"`

	// Accounts of single client certificates, by their fingerprints. One table for
	// each.
	Certificates []AuthCertificate `toml:"certificate"`

	// An LDAP directory that passwords are checked in, in place of users.
	LDAP AuthLDAP `toml:"ldap"`

	// A service that is asked for each password, in place of users. It is sent
	// {"username": "…", "password": "…", "client": "192.0.2.7"} and answers 200,
	// which may name {"account": "…", "senders": ["…"]}, or 401 or 403.
	HTTP AuthHTTP `toml:"http"`

	// Who issues the tokens of OAUTHBEARER and XOAUTH2, and is asked about each
	// (RFC 7662).
	OAuth AuthOAuth `toml:"oauth"`
}

// AuthCertificate is the account of one client certificate.
type AuthCertificate struct {
	// The SHA-256 fingerprint of the certificate, as "openssl x509 -noout
	// -fingerprint -sha256" prints it.
	Fingerprint string `toml:"fingerprint" example:"1F:9C:55:0A:3E:71:D2:84:6B:90:C7:18:2F:E3:4D:A6:59:BB:07:6C:91:28:F4:3D:E0:15:AA:72:C9:46:8D:03"`

	// The name of the account.
	Account string `toml:"account" example:"printer"`
}

// AuthLDAP is a directory in which passwords are checked.
type AuthLDAP struct {
	// The server: ldaps://host, or ldap://host with start_tls. Without it, LDAP is
	// not used.
	URL string `toml:"url" example:"ldaps://ldap.example.org"`

	// Begins TLS on a connection by ldap.
	StartTLS bool `toml:"start_tls"`

	// The file of the authorities that the server's certificate must be from, in
	// PEM. Without it, those of the system.
	CA string `toml:"ca" example:"/etc/weir/tls/ldap.pem"`

	// The name that a client binds as. {name} is what the client calls itself,
	// {local} and {domain} are what is before and behind its @. Without it, the
	// entry is looked for by base and filter.
	Bind string `toml:"bind" example:"uid={local},ou=people,dc=example,dc=org"`

	// The entry below which the client's is looked for.
	Base string `toml:"base" example:"ou=people,dc=example,dc=org"`

	// What finds the client's entry there.
	Filter string `toml:"filter" example:"(mail={name})"`

	// Whom the relay binds as to look. Without it, it binds as nobody.
	SearchDN string `toml:"search_dn" example:"cn=weir,dc=example,dc=org"`

	// The file of the password for that.
	SearchPasswordFile string `toml:"search_password_file" example:"/etc/weir/ldap.password"`

	// The attribute of the entry whose values are the senders of the account.
	// Without it, the general senders hold.
	Senders string `toml:"senders" example:"mail"`
}

// AuthHTTP is a service that is asked for each password.
type AuthHTTP struct {
	// Where the questions are posted to, by https unless it is on this machine.
	// Without it, no service is asked.
	URL string `toml:"url" example:"https://accounts.example.org/check"`

	// The file of a token by which the service knows the relay; it is sent as
	// "Authorization: Bearer".
	TokenFile string `toml:"token_file" example:"/etc/weir/accounts.token"`
}

// AuthOAuth is the issuer of tokens.
type AuthOAuth struct {
	// The introspection endpoint of the issuer, by https unless it is on this
	// machine. Without it, no token is taken.
	Introspection string `toml:"introspection" example:"https://login.example.org/oauth2/introspect"`

	// What the relay is called there.
	ClientID string `toml:"client_id" example:"weir"`

	// The file of its secret.
	ClientSecretFile string `toml:"client_secret_file" example:"/etc/weir/oauth.secret"`

	// The scope that a token must have. Without it, any.
	Scope string `toml:"scope" example:"mail.send"`

	// Whom a token must be for (aud). Without it, anyone.
	Audience string `toml:"audience" example:"smtp.example.org"`

	// The part of the answer that names the account.
	Account string `toml:"account"`

	// How long a token that was good is not asked about again.
	Keep time.Duration `toml:"keep"`
}

// IsZero says whether nobody could sign in.
func (a *Auth) IsZero() bool {
	return a.Users == "" && a.LDAP.URL == "" && a.HTTP.URL == "" && a.OAuth.Introspection == "" && !a.HasCertificates()
}

// HasCertificates says whether client certificates are accounts.
func (a *Auth) HasCertificates() bool { return a.CertificateName != "" || len(a.Certificates) > 0 }

// OffersAuth says whether clients of the listener may sign in.
func (l *Listener) OffersAuth() bool {
	return l.Auth == ListenerAuthOffered || l.Auth == ListenerAuthRequired
}
