//go:build unix

package smtpclient

import (
	"os"
	"syscall"
)

// readSocket reads from a socket that does not block.
func readSocket(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), b)
		switch err {
		case nil:
			return n, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, os.ErrDeadlineExceeded
		default:
			return 0, os.NewSyscallError("read", err)
		}
	}
}
