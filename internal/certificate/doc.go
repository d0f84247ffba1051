// Package certificate keeps the certificates that listeners show: it reads them
// from files, chooses among them by what a client asks for, and follows the files
// when they change.
//
// Its rule: what is shown is always a certificate with its key that can be used. A
// pair that cannot be read, or does not fit together, is told of and never takes
// the place of one that did.
package certificate
