package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool/disk"
	"github.com/weirmail/weir/smtp"
)

// fillers is how many messages are stored at a time: many, so that a flush of
// the disk serves many.
const fillers = 256

// fill puts the messages that wait into the spool in a folder, the way that
// the relay itself does, but without its network.
func fill(ctx context.Context, spool string, p *plan) (err error) {
	store, err := disk.Open(ctx, spool, disk.Options{})
	if err != nil {
		return err
	}
	defer func() {
		if closed := store.Close(); err == nil {
			err = closed
		}
	}()
	f := filler{store: store, ids: mail.NewIDSource(rand.Reader), plan: p, arrived: time.Now()}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var group sync.WaitGroup
	for range fillers {
		group.Go(func() {
			if err := f.run(ctx); err != nil {
				stop(err)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// filler is what those who fill share.
type filler struct {
	store   *disk.Store
	ids     *mail.IDSource
	plan    *plan
	arrived time.Time
	taken   atomic.Int64
}

// run stores messages until there are enough.
func (f *filler) run(ctx context.Context) error {
	for {
		n := f.taken.Add(1) - 1
		if n >= int64(f.plan.messages) {
			return nil
		}
		if err := f.one(ctx, n); err != nil {
			return fmt.Errorf("filling the queue: %w", err)
		}
	}
}

// one stores a message. Neighbours in the queue are due at very different
// times, as after a day of retries.
func (f *filler) one(ctx context.Context, n int64) error {
	id, err := f.ids.Next(f.arrived)
	if err != nil {
		return err
	}
	due := f.arrived.Add(waits + time.Duration(n*7919%100_003)*(spread/100_003))
	e := &mail.Envelope{
		ID:          id,
		Arrived:     f.arrived,
		ReversePath: smtp.Path{Local: "sender", Domain: "bench.example"},
		Recipients: []mail.Recipient{{
			Path:     smtp.Path{Local: "recipient", Domain: fmt.Sprintf("d%d.bench.example", n%1000)},
			Progress: mail.Progress{Due: due, Attempts: 1},
		}},
	}
	return f.store.Put(ctx, e, bytes.NewReader(content(n, f.plan.size)))
}

// content is a message of the given length that does not compress to nothing.
func content(n int64, size int) []byte {
	b := fmt.Appendf(nil, "Subject: a message that waits\r\nMessage-ID: <%d@bench.example>\r\n\r\n", n)
	random := uint64(n)*0x9e3779b97f4a7c15 + 1
	const letters = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ .,0123456789"
	for len(b) < size-2 {
		random = random*6364136223846793005 + 1442695040888963407
		b = append(b, letters[(random>>33)%uint64(len(letters))])
		if len(b)%76 == 0 {
			b = append(b, "\r\n"...)
		}
	}
	return append(b, "\r\n"...)
}
