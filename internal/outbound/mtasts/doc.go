// Package mtasts finds the policies by which domains say that mail for them is to
// be sent over TLS only, and to which hosts (MTA-STS, RFC 8461).
//
// Its rule: a policy that was once seen holds until it runs out, whatever the DNS
// and the policy's server say meanwhile: who can take the record away must not be
// able to take the protection away. What cannot be fetched never keeps mail for a
// domain whose policy was never seen.
package mtasts
