// Package conformance holds what SMTP servers are measured by: dialogues, each
// about one requirement of one section of an RFC, in text files that play against
// any server, and the runner that plays them.
//
// Its rule: a dialogue says what the standard says, at the level at which the
// standard says it. What is Weir's own promise has a level of its own, so that no
// server is blamed for our taste; and a server that does not offer an extension is
// not measured by it.
//
// # Dialogue files
//
// A file is about one section and named after it: rfc5321-4.1.1.1-ehlo.txt. A
// dialogue begins with its name and its level, and is one connection:
//
//	# A remark, up to the end of the line.
//	=== EHLO without a name is refused
//	MUST
//	hello
//	C: EHLO
//	S: 501
//	open
//
// The level is MUST, SHOULD, MAY or WEIR. Behind it may stand a section that
// differs from the file's, as in "SHOULD 5321 4.1.4". Then come, if there are any,
// the conditions, without which the dialogue is skipped:
//
//	needs CHUNKING AUTH=PLAIN    offered in the answer to EHLO, with this word; in a
//	                             dialogue with the step "secure", in that in TLS
//	needs !8BITMIME              not offered
//	needs tls:REQUIRETLS         offered in TLS, where the dialogue is in plain text
//	needs lmtp                   played against the LMTP server
//
// What the client says, successive lines in one write:
//
//	C: text           a line; CRLF is added
//	C: text\c         the same without the line end
//	flush             what stands before goes in a write of its own
//
// In it \r \n \t \0 \\ \{ \} and \xHH stand for octets, and in braces:
//
//	{sender} {recipient} {domain} {refused} {client} {user} {password}
//	{size}            the word behind SIZE in the answer to EHLO; {rcptmax} and
//	                  {mailmax} likewise of LIMITS
//	{size+1} {size-1} a number that is greater or smaller
//	{repeat 64 text}  so many times; {repeat size+1 text} as well
//	{length text}     its number of octets
//	{base64 text}
//	{lines size+1}    so many octets of text, in lines
//
// A dialogue whose variable has no value is skipped. What the server is to
// answer, one whole reply:
//
//	S: 250            this code
//	S: 250|251        one of these
//	S: 5yz            this class
//	S: not 500|501    any but these
//	S: 504 5.5.4      with this enhanced status code; 5.*.* for one of a class.
//	                  It is looked at where the server offers them
//	S: 250 * text *   with this text, in any case, in one of its lines
//	S: 250|closed     the connection may end in place of it, or after it
//	S: 10 x 250       ten replies
//
// The lines from "times 100" to the next reply are played a hundred times.
//
// After a reply with 421 the connection must end, and with it the dialogue. Steps
// in one word:
//
//	greeting          a reply with 220
//	hello             greeting, and ehlo
//	ehlo              EHLO, or LHLO, and 250
//	helo              greeting, HELO, and 250
//	secure            hello, and where STARTTLS is offered, TLS and ehlo
//	account           secure, and where an account is known and AUTH PLAIN is
//	                  offered, AUTH and ehlo
//	starttls          the handshake after 220; after another reply it is the end
//	sender            MAIL FROM:<{sender}>, and 250
//	recipient         RCPT TO:<{recipient}>, and 250 or 251
//	transaction       sender, and recipient
//	deliver           DATA with a short message, and 250
//	open              NOOP, and 250
//	closed            the connection ends, without another word
//	eof               the client closes its side
//	has SIZE          the last answer to EHLO has the keyword
//	has AUTH=PLAIN    with this word behind it
//	lacks STARTTLS    it does not have it
//	given SIZE        it has the keyword, or the dialogue is skipped
//	wait 100ms        a pause
package conformance
