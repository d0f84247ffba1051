package traffic

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// patience bounds each connection of a client: a server that says nothing for
// so long has failed.
const patience = time.Minute

// runClients is the mode of the clients: it reads an order from standard input
// and prints the timing.
func runClients(ctx context.Context, _ []string) error {
	var o order
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		return fmt.Errorf("reading the order: %w", err)
	}
	return json.NewEncoder(os.Stdout).Encode(send(ctx, o))
}

// send lets all clients send and gathers what they measured.
func send(ctx context.Context, o order) Timing {
	if o.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.For)
		defer cancel()
	}
	var left atomic.Int64
	left.Store(o.Messages)
	bounded := o.Messages > 0
	next := func() bool {
		return ctx.Err() == nil && (!bounded || left.Add(-1) >= 0)
	}
	all := make([]*client, o.Shape.Clients)
	begin := time.Now()
	var group sync.WaitGroup
	for i := range all {
		all[i] = &client{name: fmt.Sprintf("%d.%d.%d", os.Getpid(), begin.UnixNano(), i), order: o, next: next}
		group.Go(all[i].run)
	}
	group.Wait()
	return timingOf(all, time.Since(begin))
}

// timingOf puts together what the clients measured.
func timingOf(all []*client, elapsed time.Duration) Timing {
	t := Timing{Elapsed: elapsed}
	var took []time.Duration
	for _, c := range all {
		took = append(took, c.took...)
		if c.problem != nil {
			t.Failed++
			if t.Problem == "" {
				t.Problem = c.problem.Error()
			}
		}
	}
	t.Sent = int64(len(took))
	slices.Sort(took)
	t.P50, t.P99, t.Max = quantile(took, 0.50), quantile(took, 0.99), quantile(took, 1)
	return t
}

// quantile returns the smallest of the sorted values that the given part of
// all does not exceed.
func quantile(sorted []time.Duration, part float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	at := int(part*float64(len(sorted))+0.9999999) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}

// client is one who sends. It stops at its first failure: in a benchmark every
// message has to get through. Commands are not pipelined, as with smtp-source.
type client struct {
	name    string
	order   order
	next    func() bool // may one more be sent?
	took    []time.Duration
	problem error

	conn net.Conn
	in   *bufio.Reader
}

// run sends as long as more may be sent.
func (c *client) run() {
	for n := 0; c.problem == nil && c.next(); n++ {
		c.problem = c.one(n)
	}
	c.problem = firstError(c.problem, c.leave())
}

// one sends one message.
func (c *client) one(n int) error {
	content := message(fmt.Sprintf("%s.%d", c.name, n), c.order.Shape.Size)
	begin := time.Now()
	if c.conn == nil {
		if err := c.connect(); err != nil {
			return err
		}
		if c.order.Shape.Many {
			begin = time.Now()
		}
	}
	if err := c.transaction(content); err != nil {
		return err
	}
	c.took = append(c.took, time.Since(begin))
	if c.order.Shape.Many {
		return nil
	}
	return c.leave()
}

// connect opens a connection and says hello.
func (c *client) connect() error {
	nc, err := net.DialTimeout("tcp", c.order.Address, patience)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	c.conn = nc
	if c.in == nil {
		c.in = bufio.NewReaderSize(nc, 1<<10)
	}
	c.in.Reset(nc)
	if err := c.expect("220"); err != nil {
		return err
	}
	return c.say("EHLO client."+domain, "250")
}

// transaction sends one message over the open connection.
func (c *client) transaction(content []byte) error {
	if err := c.say("MAIL FROM:<"+reversePath+">", "250"); err != nil {
		return err
	}
	if err := c.say("RCPT TO:<"+forwardPath+">", "250"); err != nil {
		return err
	}
	if err := c.say("DATA", "354"); err != nil {
		return err
	}
	if _, err := c.conn.Write(content); err != nil {
		return fmt.Errorf("sending a message: %w", err)
	}
	return c.expect("250")
}

// leave ends the connection, if there is one, in order.
func (c *client) leave() error {
	if c.conn == nil {
		return nil
	}
	defer func() {
		c.conn.Close()
		c.conn = nil
	}()
	if c.problem != nil {
		return nil
	}
	return c.say("QUIT", "221")
}

// say sends a command and expects a reply.
func (c *client) say(command, code string) error {
	if _, err := io.WriteString(c.conn, command+"\r\n"); err != nil {
		return fmt.Errorf("sending %s: %w", command, err)
	}
	return c.expect(code)
}

// expect reads one reply.
func (c *client) expect(code string) error {
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", code, err)
		}
		if !strings.HasPrefix(string(line), code) {
			return fmt.Errorf("waiting for %s: the server said %q", code, line)
		}
		if len(line) < 4 || line[3] != '-' {
			return nil
		}
	}
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
