// Package inbound is the first room: it takes mail from clients and puts it
// into the spool.
//
// Its rule: a client hears 250 only after the spool has said that the message
// would survive a power cut, and every refusal is a row of a table with its
// reason. Relaying is a decision of the policy, which allows only what the
// configuration says in words.
package inbound
