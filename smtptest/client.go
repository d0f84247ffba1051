package smtptest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"time"
)

// Client plays the "C:" side of a dialogue against any server: the same files as
// for a [Server], with the roles swapped.
type Client struct {
	// Dial opens a connection to the server under test.
	Dial func(context.Context) (net.Conn, error)
	// TLS is what starttls steps use. Nil takes whatever certificate comes.
	TLS *tls.Config
	// Patience is how long to wait for the server at each step: 0 for 30
	// seconds, below 0 for ever, as under the virtual time of testing/synctest.
	Patience time.Duration
}

// Play plays the connections of the dialogue one after the other and returns
// when the last is over. What the server does differently is reported as an error
// of the test; the connection is closed then and the next one begins. It ends
// early with the test's context. One Client may play several dialogues at once.
func (c Client) Play(tb testing.TB, d *Dialogue) {
	tb.Helper()
	if err := d.playableBy(client); err != nil {
		tb.Fatalf("smtptest: %v", err)
	}
	for _, s := range d.connections {
		if err := c.play(tb.Context(), d.name, s); err != nil {
			tb.Errorf("server deviates: %v", err)
		}
	}
}

func (c Client) play(ctx context.Context, file string, s script) error {
	conn, err := c.Dial(ctx)
	if err != nil {
		return &deviation{file: file, line: s.line, what: "connecting", cause: err}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	r := &role{
		file: file, self: client, conn: conn, tls: c.config,
		patience: c.patience(), ended: ctx.Done(), stalled: func() {},
	}
	err = r.play(s)
	if ctx.Err() != nil {
		err = errors.Join(err, ctx.Err())
	}
	return err
}

func (c Client) patience() time.Duration {
	if c.Patience == 0 {
		return patience
	}
	return max(c.Patience, 0)
}

func (c Client) config() *tls.Config {
	if c.TLS != nil {
		return c.TLS
	}
	return &tls.Config{InsecureSkipVerify: true}
}
