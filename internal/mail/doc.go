// Package mail holds the nouns that the rooms of Weir share: the identity of
// a message, its envelope, its recipients and how far each one is.
//
// Its rule: these are plain values that import nothing but the words of the
// protocol. Who may change them, and when a change is durable, is the spool's
// contract and not theirs.
package mail
