package resources

import "errors"

// ErrUnsupported is returned where the system cannot tell.
var ErrUnsupported = errors.New("not known on this system")

// ErrNotListening is returned by [ListenQueue] for a socket that does not
// listen.
var ErrNotListening = errors.New("the socket does not listen")
