// Package disk is the spool on the local disk: an embedded store (Pebble) for
// envelopes, small contents and the due index, and a file for each large
// content.
//
// Its rule: a record names only what is durable already. A large content is
// synced, with its folder, before the record that names it; it is removed
// only after the record is durably gone.
package disk
