// Package traffic makes the mail that a benchmark sends through a server, and
// takes it at the other end.
//
// Its rule: every message is counted where it leaves and where it arrives, by
// its Message-ID, so that a server that loses or repeats mail is found out and
// never called fast. Both ends run in processes of their own, outside of what
// is measured.
package traffic
