package api

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// ConnectError tells that the relay's socket could not be opened.
type ConnectError struct {
	// Socket is the path.
	Socket string
	// Err is why.
	Err error
}

// NotRunning reports that nobody listens on the socket.
func (e *ConnectError) NotRunning() bool {
	return errors.Is(e.Err, fs.ErrNotExist) || errors.Is(e.Err, syscall.ECONNREFUSED)
}

// Error says what to do about it.
func (e *ConnectError) Error() string {
	switch {
	case e.NotRunning():
		return fmt.Sprintf("no relay is running at %s: start it with weir serve, or name the socket with --socket", e.Socket)
	case errors.Is(e.Err, fs.ErrPermission):
		return fmt.Sprintf("no permission to open %s: it belongs to the user that runs the relay; become that user, or root", e.Socket)
	}
	return fmt.Sprintf("connecting to the relay at %s: %v", e.Socket, e.Err)
}

// Unwrap returns why the socket could not be opened.
func (e *ConnectError) Unwrap() error { return e.Err }
