// Package dkim has the keys of DomainKeys Identified Mail (RFC 6376, RFC 8301,
// RFC 8463) and the records in the DNS that tell the world of them.
//
// Its rule: what a key file or a record holds is either understood wholly or
// refused in words that say what is wrong and what would be right; and no text
// that this package makes has anything of a private key in it, but for the file.
package dkim
