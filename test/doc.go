// Package test runs the whole relay, as its users run it, against real peers:
// swaks, curl, Python's smtplib and Postfix as clients, Postfix, smtp-sink and
// a server of our own as next hops, a browser in front of the page. A file is
// about one symptom that an operator would report.
//
// Its rule: everything happens on loopback, with files of its own; what is not
// installed is said loudly and skipped; nothing depends on how fast the
// machine is.
package test
