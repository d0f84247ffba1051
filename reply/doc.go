// Package reply holds the words that a mail server answers with: the reply
// code of RFC 5321, the enhanced status code of RFC 3463, and the text.
//
// Its rule: a [Reply] is one value, and the class digit of its enhanced status
// code is always the first digit of its code. The enhanced status code is
// stored without its class, so a reply such as "450 5.4.4" cannot be written.
//
// The package imports the standard library only and keeps no state.
package reply
