// Package spool is the room between inbound and outbound: it keeps the
// promise that a message answered 250 is delivered or accounted for.
//
// Its rule: accepted means durable. [Spool.Put] returns nil only once the
// message would survive a power cut, and what became of a recipient is
// durable before anything is done that depends on it. A crash may repeat a
// delivery whose settlement was not yet durable; it never loses one.
//
// The stores are in the folders below; spooltest is the contract that each of
// them passes.
package spool
