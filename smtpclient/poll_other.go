//go:build !unix

package smtpclient

import "os"

// readSocket cannot look without waiting here; a dead connection shows itself
// at the next command.
func readSocket(uintptr, []byte) (int, error) { return 0, os.ErrDeadlineExceeded }
