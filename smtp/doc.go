// Package smtp is the grammar of SMTP: what may stand on the wire, as pure
// functions over bytes and strings. It knows commands, paths, parameters,
// the answer to EHLO, dot-stuffing and the size limits of RFC 5321; it opens no
// connection, keeps no session and writes no reply.
//
// The rule that it keeps: nothing that a peer sends makes it panic, allocate
// more than in proportion to its input, or let a control character, a bare
// newline or an unescaped delimiter through inside a parsed value; and what it
// writes, it reads back to the same value.
//
// Where it parses, it accepts what RFC 5321 (with RFC 6531 for UTF-8) allows and
// the few slips of real clients that are harmless (white space after "FROM:",
// more than one space between parameters). Everything else is a [SyntaxError],
// whose text never repeats what the peer sent.
package smtp
