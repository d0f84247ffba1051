// Package dns asks the DNS for what a relay needs of it: the mail exchangers
// of a domain and the addresses of a host.
//
// Its rule: a caller learns which of three things is so: here is the answer;
// there is none, as the owner of the name says; or nobody could be asked, so
// that it is worth coming back. Answers are kept as long as their owners
// allow, within bounds, and the same question is asked once at a time.
//
// It is a stub resolver (RFC 9499): it asks resolvers that ask the others.
// Signatures (DNSSEC) are for them to check, and what they say of that is believed
// where the way to them is trusted: on this machine, or where the operator says so.
package dns
