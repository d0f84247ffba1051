// Package smtptest plays one side of an SMTP dialogue from a script, in the
// manner of net/http/httptest, so that a test can put an exact peer in front of
// a client or a server.
//
// The rule that it keeps: a peer does what its file says and nothing else. What
// the other side does differently is reported through [testing.TB] with the
// file and line that expected something else; and no goroutine outlives its
// [Server] or [Client.Play].
//
// # Dialogue files
//
// A dialogue is text that reads like the transcript of a session:
//
//	# Greylisting, then nothing more.
//	S: 220 mx.example.net ESMTP
//	C: EHLO *
//	S: 250-mx.example.net
//	S: 250 PIPELINING
//	C: MAIL FROM:<a@example.org>*
//	C: RCPT TO:<b@example.net>
//	S: 250 2.1.0 Ok
//	S: 450 4.7.1 Greylisted, come back later
//	C: QUIT
//	S: 221 2.0.0 Bye
//	close
//
// "S:" is what the server says, "C:" what the client says. The side that plays
// the file sends its own lines, successive ones in one write, and expects those
// of the other. In an expected line "*" stands for any run of characters; in a
// line that is sent it is an asterisk. One space follows the colon. These
// escapes are known on both sides: \r \n \t \0 \\ \* \xHH, and \c at the end of
// a line that is sent without a line end. Spaces at the end of a line have to be
// written \x20.
//
// Instead of a line:
//
//	C: <data>         a message up to its final dot, with strict line ends
//	C: <data 120>     the same, of 120 octets without the transparency
//	C: <bdat>         a BDAT command with its chunk; the last one if it is sent
//	C: <bdat last>    the same, and it must say LAST
//	C: <bdat more>    the same, and it must not say LAST
//	C: <bdat 120 …>   the same, of 120 octets
//	S: <reply 250*>   a whole reply, lines joined by \n; to be expected only
//	C: <eof>          the client closes its side ("S:" likewise)
//	| text            after <data> or <bdat>: the content, line by line
//
// And what the player itself does:
//
//	close             close the connection
//	reset             close it with a TCP reset
//	stall             neither read nor write until the test ends
//	drain             read and forget until the other side closes
//	wait 90s          pause
//	starttls          shake hands, with the test certificate
//	starttls refuse   break the handshake off with an alert
//	starttls fails    shake hands, and expect the other side to break it off
//	--- connection    what follows is for the next connection
//
// At the end of its script a server waits for the client to close and takes any
// further octet for a deviation; a client closes.
package smtptest
