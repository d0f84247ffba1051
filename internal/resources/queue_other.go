//go:build !linux

package resources

import (
	"syscall"
	"time"
)

// ListenQueue is not known here: it returns [ErrUnsupported].
func ListenQueue(syscall.Conn) (depth, limit int, err error) { return 0, 0, ErrUnsupported }

// QueueAge is not known here: it returns [ErrUnsupported].
func QueueAge(syscall.Conn) (time.Duration, error) { return 0, ErrUnsupported }

// SetBacklog cannot be done here: it returns [ErrUnsupported].
func SetBacklog(syscall.Conn, int) error { return ErrUnsupported }
