// Package route finds the next hops of a forward-path: a smarthost, an LMTP
// server, the hosts of a rule for the domain, or those that the DNS names.
//
// Its rule: where mail goes follows from the table and the DNS alone, and
// where it cannot go an error says whether that is for good, by which
// enhanced status code, and which key or record is to be looked at. A foreign
// record never leads back to this machine.
package route
