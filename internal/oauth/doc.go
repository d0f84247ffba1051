// Package oauth gets the tokens that the relay signs in to other servers with
// (RFC 6749). A person allows it once, by a code on another device (RFC 8628)
// or by one that is pasted; what comes of that, a refresh token, is kept
// encrypted. An application may also get tokens in its own name.
//
// The rule that it keeps: a refresh token is on the disk only encrypted, an
// access token only in memory, and neither is in an error, a log or a reply.
// However many connections ask for a token, the server is asked by one of them
// at a time, and not again before it makes sense.
package oauth
