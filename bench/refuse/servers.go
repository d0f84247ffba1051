package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtpserver"
)

// The servers that are measured, by their modes.
const (
	bareMode = "bare"
	doorMode = "door"
)

// refusal is what both say.
const refusal = "421 4.3.2 mx.example.net Service busy, closing channel; reason=load retry=180s id=7gq2k9xa\r\n"

// listen opens a port and tells the benchmark which.
func listen() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		fmt.Println(l.Addr())
	}
	return l, err
}

// serveBare accepts, writes and closes, and does nothing else.
func serveBare(ctx context.Context, _ []string) error {
	l, err := listen()
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	wire := []byte(refusal)
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accepting: %w", err)
		}
		// One that has gone is the load's to count.
		_, _ = nc.Write(wire)
		nc.Close()
	}
}

// shut is a door that refuses everybody.
type shut struct{ refused smtpserver.Refused }

func (d *shut) Knock(v *smtpserver.Visitor) { v.Refuse(d.refused) }
func (d *shut) Leave(*smtpserver.Visitor)   {}
func (d *shut) Pause() time.Duration        { return 0 }

// serveDoor runs a server with that door.
func serveDoor(ctx context.Context, _ []string) error {
	l, err := listen()
	if err != nil {
		return err
	}
	row := smtpserver.NewRow(smtpserver.Row{
		Name: "busy", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(3, 2),
		Text: "{host} Service busy, closing channel; reason=load", Reason: "load",
	})
	s := &smtpserver.Server{
		Hostname: "mx.example.net",
		Door:     &shut{smtpserver.Refused{Row: row, Wire: []byte(refusal)}},
	}
	defer context.AfterFunc(ctx, func() { s.Close() })()
	if err := s.Serve(l); !errors.Is(err, smtpserver.ErrServerClosed) {
		return err
	}
	return nil
}
