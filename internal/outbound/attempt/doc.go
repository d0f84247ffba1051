// Package attempt makes one connection to one next hop and runs transactions
// over it: it chooses the parameters that this peer offers, and gives back
// what each recipient was answered, judged.
//
// Its rule: a peer is asked only for what its EHLO offers. Where a message
// cannot be handed over without something that is not offered, that is an
// answer too, with words that name what is missing.
package attempt
