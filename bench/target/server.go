package target

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/weirmail/weir/bench/process"
)

// Server is a mail server under test. It is started once and stopped once; its
// methods are not safe for concurrent use.
type Server interface {
	// Start starts the server and returns when it greets clients.
	Start(ctx context.Context, s Setup) error
	// Address is where it takes mail.
	Address() string
	// Queued counts the messages in its queue.
	Queued(ctx context.Context) (int64, error)
	// Syncs counts how often it has synced its data since it was started. It
	// reports false where that is not known.
	Syncs(ctx context.Context) (int64, bool)
	// Stop stops the server. It may be called after a Start that failed.
	Stop() error
}

// Setup says how a server is to run.
type Setup struct {
	// Dir is an existing folder for all that the server writes.
	Dir string
	// Group is where its processes are counted.
	Group *process.Group
	// NextHop is the address that all mail goes to. Without one it stays in
	// the queue.
	NextHop string
}

// greetingTime is how long a server may take until it greets. With a million
// messages in the queue it may have something to do first.
const greetingTime = 2 * time.Minute

// stopTime is how long a server may take to stop before it is killed.
const stopTime = 20 * time.Second

// freeAddress finds an address on loopback that nobody uses.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// awaitGreeting waits until a server greets, or its process has ended.
func awaitGreeting(ctx context.Context, p *process.Process, address string) error {
	ctx, cancel := context.WithTimeout(ctx, greetingTime)
	defer cancel()
	for {
		if greets(address) {
			return nil
		}
		select {
		case <-p.Done():
			return errors.Join(errors.New("the server ended instead of serving"), p.Wait())
		case <-ctx.Done():
			return fmt.Errorf("waiting for the server's greeting: %w", ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// greets reports that a server says 220. It leaves in order, so that nothing
// odd stands in the log.
func greets(address string) bool {
	nc, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer nc.Close()
	if nc.SetDeadline(time.Now().Add(5*time.Second)) != nil {
		return false
	}
	in := bufio.NewReader(nc)
	line, err := in.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "220") {
		return false
	}
	if _, err := nc.Write([]byte("QUIT\r\n")); err != nil {
		return false
	}
	_, err = in.ReadString('\n')
	return err == nil
}

// withLog adds the ends of the server's logs to an error.
func withLog(err error, paths ...string) error {
	if err == nil {
		return nil
	}
	for _, path := range paths {
		if tail := logTail(path); tail != "" {
			err = fmt.Errorf("%w; the end of %s:\n%s", err, filepath.Base(path), tail)
		}
	}
	return err
}

// logTail returns the end of a log.
func logTail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	const most = 2000
	return strings.TrimSpace(string(text[max(0, len(text)-most):]))
}
