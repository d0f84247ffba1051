// Package sign signs messages on their way out (DKIM: RFC 6376, RFC 8301, RFC
// 8463).
//
// Its rule: a signature says that the domain in From answers for the message, so
// it is given only to mail of those who may send in its name; and a message that is
// to be signed is signed or waits. Signing reads a message and changes no octet of
// it: the signature is a header field of its own, sent before the stored content.
//
// The content is read once, for all keys and for all recipients: what came of it is
// kept for a while by the id of the message, so that the next recipient and the next
// attempt cost nothing.
//
// The signer of go-msgauth, by which the tests verify, would read it once for each
// key, in a goroutine of its own, takes a CR without LF for the end of a line, and
// does not sign a message without an empty line. So the signature is made here.
package sign
