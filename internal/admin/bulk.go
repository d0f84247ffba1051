package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
)

const (
	// bulkPage is how many messages are chosen before the action is done to
	// them. The queue is not changed while it is being read.
	bulkPage = 500
	// bulkSample is how many messages a dry run shows.
	bulkSample = 20
	// bulkFailures is after how many failures there is no use in going on.
	bulkFailures = 100
)

// bulk answers a request for all messages that a filter chooses.
func (h *handler) bulk(action api.Action) serve {
	return func(w http.ResponseWriter, r *http.Request) error {
		var request api.Bulk
		if err := readBody(r, &request); err != nil {
			return err
		}
		if err := request.Filter.Check(); err != nil {
			return badRequest("%v", err)
		}
		if request.Filter.IsZero() && !request.All {
			return badRequest("the filter is empty, which means the whole queue: set all to true where that is meant")
		}
		if request.All && !request.Filter.IsZero() {
			return badRequest("all means the whole queue, but there is a filter too")
		}
		unhurried(w)
		run := h.newBulkRun(action, request)
		if err := run.all(r.Context()); err != nil {
			return internal(err)
		}
		return write(w, run.result)
	}
}

// bulkRun is one such request on its way through the queue.
type bulkRun struct {
	handler *handler
	fits    func(*mail.Envelope) bool
	// until keeps the run from chasing after the mail that arrives meanwhile:
	// ids grow with the time of arrival.
	until  time.Time
	after  mail.ID
	ids    []mail.ID
	result api.BulkResult
}

func (h *handler) newBulkRun(action api.Action, b api.Bulk) *bulkRun {
	now := h.Now()
	return &bulkRun{
		handler: h,
		fits:    matcher(b.Filter, now),
		until:   now,
		result:  api.BulkResult{Action: action, DryRun: b.DryRun},
	}
}

// all goes through the queue, page by page.
func (b *bulkRun) all(ctx context.Context) error {
	for {
		more, err := b.choose(ctx)
		if err != nil {
			return err
		}
		if err := b.act(ctx); err != nil {
			return err
		}
		if !more || b.result.Failed >= bulkFailures {
			return nil
		}
	}
}

// choose fills ids with the next messages that the action would change. more
// says that there may be others behind them.
func (b *bulkRun) choose(ctx context.Context) (more bool, err error) {
	b.ids = b.ids[:0]
	err = b.handler.scan(ctx, b.after, func(e *mail.Envelope) bool {
		if e.ID.Time().After(b.until) {
			return false
		}
		b.after = e.ID
		if !b.fits(e) {
			return true
		}
		b.result.Matched++
		b.result.Bytes += e.Size
		if b.changes(e) {
			b.take(e)
		}
		more = len(b.ids) == bulkPage
		return !more
	})
	return more, err
}

// changes says whether the action means anything to a message.
func (b *bulkRun) changes(e *mail.Envelope) bool {
	switch b.result.Action {
	case api.ActionHold:
		return !e.Held
	case api.ActionRelease:
		return e.Held
	case api.ActionRetry:
		_, waits := e.NextDue()
		return waits
	}
	return true
}

// take notes a message for act, or only counts it where nothing is to be done.
func (b *bulkRun) take(e *mail.Envelope) {
	if !b.result.DryRun {
		b.ids = append(b.ids, e.ID)
		return
	}
	b.result.Changed++
	if len(b.result.Sample) < bulkSample {
		b.result.Sample = append(b.result.Sample, message(e))
	}
}

// act does the action to the messages that were chosen.
func (b *bulkRun) act(ctx context.Context) error {
	for _, id := range b.ids {
		err := b.handler.do(ctx, b.result.Action, id)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			b.result.Changed++
		case !b.handler.NotFound(err):
			b.fail(err)
		}
		if b.result.Failed >= bulkFailures {
			return nil
		}
	}
	return nil
}

func (b *bulkRun) fail(err error) {
	if b.result.Failed == 0 {
		b.result.Problem = err.Error()
	}
	b.result.Failed++
}
