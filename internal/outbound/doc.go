// Package outbound is the third room: it takes what is due from the spool,
// finds the next hops, hands the mail over, and records what came of it.
//
// Its rule: what became of a recipient is settled in the spool before anything
// is done that depends on it, and every recipient of a lease is settled or
// released. No wait of one destination holds up another.
package outbound
