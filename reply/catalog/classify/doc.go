// Package classify tells what a refusal of a mail server means: for which
// reason, how far it reaches, who has to act, and when to try again.
//
// Its rule: two questions, answered apart. Whether a reply is transient or
// permanent is told by the first digit of its code and by nothing else
// (RFC 5321 section 4.2.1). Why it was given is one word of a closed list, the
// [Reason], told by what is known of the provider, then by the text, then by the
// enhanced status code, then by the basic code; the evidence comes with it.
//
// The package imports the standard library and package reply. It does no I/O.
package classify
