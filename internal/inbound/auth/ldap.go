package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// LDAPOptions are what an LDAPDirectory is built from. Either BindTemplate is set, or
// Base and Filter. In them and in Filter {name} stands for the name that the client
// gives, {local} and {domain} for what is before and behind its last @.
type LDAPOptions struct {
	// URL is ldaps://host, ldap://host or ldapi:///path.
	URL string
	// StartTLS begins TLS on a connection by ldap.
	StartTLS bool
	// TLS is for both; nil means that of the system.
	TLS *tls.Config
	// BindTemplate is the name that a client binds as, such as
	// "uid={name},ou=people,dc=example,dc=org".
	BindTemplate string
	// Base and Filter find the entry of a client, by a bind as BindDN.
	Base, Filter         string
	BindDN, BindPassword string
	// SendersAttribute is the attribute of the entry whose values are the senders
	// of the account; empty for none. It needs Base and Filter.
	SendersAttribute string
	Remote
}

// LDAPDirectory checks passwords by binding with them (RFC 4513 section 5.1.3). It makes
// a connection for each.
type LDAPDirectory struct {
	options LDAPOptions
	asker   *asker
}

// NewLDAPDirectory returns a directory that asks a server.
func NewLDAPDirectory(o LDAPOptions) (*LDAPDirectory, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("%q is no address such as ldaps://host", o.URL)
	}
	plain := u.Scheme == "ldapi" || u.Scheme == "ldap" && onThisMachine(u.Hostname())
	if u.Scheme != "ldaps" && !(u.Scheme == "ldap" && o.StartTLS) && !plain {
		return nil, errors.New("passwords go by ldaps, by ldap with STARTTLS, or to this machine")
	}
	if (o.BindTemplate == "") == (o.Base == "" || o.Filter == "") {
		return nil, errors.New("either the template of a name to bind as is needed, or a base and a filter to find it with")
	}
	if o.TLS == nil {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	o.TLS = o.TLS.Clone()
	if o.TLS.ServerName == "" {
		o.TLS.ServerName = u.Hostname()
	}
	return &LDAPDirectory{options: o, asker: newAsker(o.Remote)}, nil
}

// Check binds with the password.
func (d *LDAPDirectory) Check(ctx context.Context, c Credentials) (Identity, error) {
	ctx, done, err := d.asker.begin(ctx)
	if err != nil {
		return Identity{}, err
	}
	defer done()
	conn, err := d.connect(ctx)
	if err != nil {
		return Identity{}, unavailable("the directory cannot be reached", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if d.options.BindTemplate != "" {
		return d.bind(conn, c, place(d.options.BindTemplate, c.Name, ldap.EscapeDN), nil, true)
	}
	return d.searchAndBind(conn, c)
}

func (d *LDAPDirectory) connect(ctx context.Context) (*ldap.Conn, error) {
	dialer := &net.Dialer{Timeout: d.asker.timeout}
	if deadline, ok := ctx.Deadline(); ok {
		dialer.Deadline = deadline
	}
	conn, err := ldap.DialURL(d.options.URL, ldap.DialWithDialer(dialer), ldap.DialWithTLSConfig(d.options.TLS))
	if err != nil {
		return nil, err
	}
	conn.SetTimeout(d.asker.timeout)
	if d.options.StartTLS {
		if err := conn.StartTLS(d.options.TLS); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// searchAndBind finds the entry of the client first. For a client without one there is
// a bind too, which fails, so that it takes the same time.
func (d *LDAPDirectory) searchAndBind(conn *ldap.Conn, c Credentials) (Identity, error) {
	if d.options.BindDN != "" {
		if err := conn.Bind(d.options.BindDN, d.options.BindPassword); err != nil {
			return Identity{}, unavailable("the directory does not let the relay look for accounts", err)
		}
	}
	attributes := []string{"1.1"} // none (RFC 4511 section 4.5.1.8)
	if d.options.SendersAttribute != "" {
		attributes = []string{d.options.SendersAttribute}
	}
	found, err := conn.Search(ldap.NewSearchRequest(d.options.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 2, 0, false,
		place(d.options.Filter, c.Name, ldap.EscapeFilter), attributes, nil))
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded), err == nil && len(found.Entries) > 1:
		return Identity{}, unavailable("the directory has several entries for one name", nil)
	case err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return Identity{}, unavailable("the directory cannot be searched", err)
	case err != nil || len(found.Entries) == 0:
		return d.bind(conn, c, "cn=nobody,"+d.options.Base, nil, false)
	}
	entry := found.Entries[0]
	return d.bind(conn, c, entry.DN, entry, true)
}

// bind shows whether it is the password of an entry. An empty password would bind as
// nobody, with success (RFC 4513 section 5.1.2); none gets here.
func (d *LDAPDirectory) bind(conn *ldap.Conn, c Credentials, dn string, entry *ldap.Entry, exists bool) (Identity, error) {
	err := conn.Bind(dn, c.Password)
	switch {
	case !exists:
		return Identity{}, denied("", "the directory has no such entry")
	case err == nil:
		return d.identity(c.Name, entry)
	case isRefusedBind(err):
		return Identity{}, denied("", "the directory does not take the name and the password")
	}
	return Identity{}, unavailable("the directory cannot be asked", err)
}

// isRefusedBind tells of answers that mean this one client.
func isRefusedBind(err error) bool {
	return ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax,
		ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultInsufficientAccessRights)
}

func (d *LDAPDirectory) identity(name string, entry *ldap.Entry) (Identity, error) {
	if entry == nil || d.options.SendersAttribute == "" {
		return newIdentity(name, nil, false)
	}
	return newIdentity(name, entry.GetEqualFoldAttributeValues(d.options.SendersAttribute), true)
}

// place puts a name into a template, escaped so that it stays one value.
func place(template, name string, escape func(string) string) string {
	local, domain := name, ""
	if i := strings.LastIndexByte(name, '@'); i >= 0 {
		local, domain = name[:i], name[i+1:]
	}
	return strings.NewReplacer("{name}", escape(name), "{local}", escape(local), "{domain}", escape(domain)).Replace(template)
}
