// Package auth finds out who a client is: it has the server's side of the SASL
// mechanisms (RFC 4422) and the places that know accounts, which are a file, an LDAP
// directory, an HTTP service, client certificates and the issuer of tokens.
//
// Its rule: a client hears only that it is who it says, that it is not, or that this
// cannot be found out for now. Which part was wrong is told to nobody, and an account
// that does not exist costs the same work as a wrong password. No secret that a client
// sends is kept, logged or put into an error.
package auth
