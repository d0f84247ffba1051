// Package acme gets certificates from an authority that speaks ACME (RFC 8555), and
// renews them.
//
// Its rule: a handshake never waits for the authority. What has been got is shown
// from memory; what has not is somebody else's to replace.
package acme
