// Package relay builds the whole relay from a configuration, runs it and stops
// it. It knows every part; no part knows it.
//
// Its rule: parts start in the order in which they depend on each other and
// stop in the reverse order. What a client was promised is kept on the way
// down too: transactions finish within the grace time, attempts are given the
// rest of it, and the spool closes last.
package relay
