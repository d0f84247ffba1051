// Package spooltest is the contract of [spool.Spool] as a test: each store
// runs it on itself.
//
// Its rule: it asks for nothing but what the interface promises, and sees
// nothing but what the interface shows. So what passes it may stand between
// the rooms.
package spooltest
