// Package bounce writes the notices that tell the sender of a message what
// became of it: delivery status notifications by RFC 3461 and RFC 3464, with
// an explanation that a person can act on.
//
// Its rule: what a peer said is shown and never obeyed. Whatever the replies,
// addresses and contents are, the notice has no line that its own code did not
// begin, none longer than 998 octets, and no control character; and a notice
// goes to the reverse-path alone, from the null reverse-path, so that it can
// never earn another.
package bounce
