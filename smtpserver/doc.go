// Package smtpserver is the server side of SMTP and LMTP: it reads commands,
// keeps the order that RFC 5321 demands, and asks a [Session] what to do with
// the mail.
//
// Its rules:
//
//   - Every reply is a [Row] of a table and leaves by one door, or is what a [Door]
//     refuses with, which [Hooks.Refused] hears of. A reply 421 closes the
//     connection, always; nothing but 421 and 221 closes it.
//   - Who is refused costs next to nothing, and hears why: at the door, in the
//     queue before it when the server stops, and while still writing.
//   - What EHLO offers and what commands and parameters are taken comes from
//     one list, so neither can be true without the other.
//   - Lines end with CRLF, and only CRLF.CRLF ends a message. Nothing that
//     came in plain text is read after STARTTLS.
//   - A waiting connection holds a goroutine of the least size and no buffer. The
//     replies to a pipelined group leave in one write.
//   - Where nobody can tell commands from content any more the connection is
//     closed: behind a BDAT that cannot be read, and behind a DATA that was refused
//     while its message was on the way already.
//   - Whatever is waited for has an end: a whole line, a block of a message, a peer
//     that takes its replies; and so has all that can be repeated.
//   - Whatever a peer sends, the harm stays inside of its own session.
//
// A [Server] lives as a net/http Server does: Serve, then Shutdown, and Close
// when patience ends.
package smtpserver
