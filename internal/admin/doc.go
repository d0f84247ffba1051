// Package admin is the door through which a running relay is watched and
// steered: HTTP and JSON, on a Unix socket of the relay's own.
//
// Its rule: it changes state and never settings, and it keeps no state itself.
// Whatever it lists or changes goes by in pages, so that a queue of a million
// messages costs no more memory than one of a hundred. Everything that it
// refuses it explains, as RFC 9457 describes.
//
// Whoever can reach [Handler] can steer the relay; the permission of the
// socket guards it. [Health] may be shown to anyone.
package admin
