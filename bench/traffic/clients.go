package traffic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/weirmail/weir/bench/process"
)

// Timing is how long transactions took, as the clients saw it.
type Timing struct {
	// Sent counts the messages that were acknowledged, Failed the attempts
	// that were not.
	Sent   int64 `json:"sent"`
	Failed int64 `json:"failed"`
	// Problem is the first failure.
	Problem string `json:"problem,omitempty"`
	// P50, P99 and Max are of the time from the connection, or from MAIL
	// where one carries many messages, to the reply after the dot.
	P50 time.Duration `json:"p50"`
	P99 time.Duration `json:"p99"`
	Max time.Duration `json:"max"`
	// Elapsed is how long the sending went on.
	Elapsed time.Duration `json:"elapsed"`
}

// order is what the clients' process is told to do.
type order struct {
	Address string
	Shape   Shape
	// The clients stop after Messages, or after For; 0 is no bound.
	Messages int64
	For      time.Duration
}

// Messages sends so many messages with clients of our own, in a process of
// their own, and measures each transaction.
func Messages(ctx context.Context, g *process.Group, address string, s Shape, messages int) (Timing, error) {
	return clients(ctx, g, order{Address: address, Shape: s, Messages: int64(messages)})
}

// For sends for some time with clients of our own, in a process of their own,
// and measures each transaction.
func For(ctx context.Context, g *process.Group, address string, s Shape, d time.Duration) (Timing, error) {
	return clients(ctx, g, order{Address: address, Shape: s, For: d})
}

func clients(ctx context.Context, g *process.Group, o order) (t Timing, err error) {
	text, err := json.Marshal(o)
	if err != nil {
		return t, fmt.Errorf("writing an order: %w", err)
	}
	command, err := process.Mode(clientMode)
	if err != nil {
		return t, err
	}
	var result bytes.Buffer
	p, err := process.Start(g, process.Spec{
		Command: command, Stdin: bytes.NewReader(text), Stdout: &result, Stderr: os.Stderr,
	})
	if err != nil {
		return t, err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		_ = p.Stop(time.Second)
		return t, ctx.Err()
	}
	if err := p.Wait(); err != nil {
		return t, err
	}
	if err := json.Unmarshal(result.Bytes(), &t); err != nil {
		return t, fmt.Errorf("reading the clients' result: %w", err)
	}
	return t, nil
}

// message returns the content of a message as it goes over the wire, its end
// included. No line begins with a dot. The id has to be unique.
func message(id string, size int) []byte {
	var b strings.Builder
	b.Grow(size + 256)
	fmt.Fprintf(&b, "From: <%s>\r\nTo: <%s>\r\nSubject: %d bytes of text\r\nMessage-ID: <%s@%s>\r\n\r\n",
		reversePath, forwardPath, size, id, domain)
	const line = "Water runs over the weir, and so does mail, once it is let through.\r\n"
	for left := size; left > 0; {
		n := min(left, len(line))
		if n < len(line) {
			b.WriteString(strings.Repeat("x", max(0, n-2)) + "\r\n")
		} else {
			b.WriteString(line)
		}
		left -= n
	}
	b.WriteString(".\r\n")
	return []byte(b.String())
}
