// Package profile knows what is special about some destinations: which host
// names belong to one operator, and what that operator bears. What is built in
// is about the large providers; the configuration adds to it and goes before.
//
// Its rule: a profile is found by names alone, by the whole labels at their end,
// and is data. It says what is known before the first connection; all else is
// learned from the replies.
package profile
