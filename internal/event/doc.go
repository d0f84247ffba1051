// Package event has one struct for each kind of thing that happens in the
// relay, and the [Listener] that hears of them.
//
// Its rule: an event says what happened, not what to do about it, and holds
// neither content of messages nor secrets. Listeners are quick, safe for
// concurrent use, and never block the path of a message.
package event
