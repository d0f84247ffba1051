// Package api is what the running relay and those who steer it say to each
// other: the values that travel as JSON, and the [Client] that travels with
// them over the relay's Unix socket.
//
// Its rule: both ends of the wire use these types, so that neither can grow a
// field that the other does not know. Names in JSON are lower case with
// underscores, times are UTC as RFC 3339 writes them, sizes are bytes.
package api
