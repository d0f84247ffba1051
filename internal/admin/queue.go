package admin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
)

// The number of messages in a page of a list.
const (
	defaultPage = 100
	maxPage     = 1000
)

// list answers with one page of the queue.
func (h *handler) list(w http.ResponseWriter, r *http.Request) error {
	query, err := parseListing(r)
	if err != nil {
		return err
	}
	unhurried(w)
	page := api.Page{Messages: []api.Message{}}
	fits := matcher(query.filter, h.Now())
	err = h.scan(r.Context(), query.after, func(e *mail.Envelope) bool {
		if !fits(e) {
			return true
		}
		if len(page.Messages) == query.limit {
			page.Next = page.Messages[query.limit-1].ID.String()
			return false
		}
		page.Messages = append(page.Messages, message(e))
		return true
	})
	if err != nil {
		return internal(err)
	}
	return write(w, page)
}

// scan is the queue's Scan that ends with the context.
func (h *handler) scan(ctx context.Context, after mail.ID, each func(*mail.Envelope) bool) error {
	err := h.Queue.Scan(ctx, after, func(e *mail.Envelope) bool {
		return ctx.Err() == nil && each(e)
	})
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// listing is what the query of a list asks for.
type listing struct {
	filter api.Filter
	after  mail.ID
	limit  int
}

func parseListing(r *http.Request) (listing, error) {
	l := listing{limit: defaultPage}
	for key, values := range r.URL.Query() {
		if len(values) != 1 {
			return l, badRequest("%s stands there more than once", key)
		}
		if err := l.set(key, values[0]); err != nil {
			return l, badRequest("%v", err)
		}
	}
	if err := l.filter.Check(); err != nil {
		return l, badRequest("%v", err)
	}
	return l, nil
}

func (l *listing) set(key, value string) (err error) {
	switch key {
	case "limit":
		if l.limit, err = strconv.Atoi(value); err != nil || l.limit < 1 || l.limit > maxPage {
			return fmt.Errorf("limit is %q, but has to be a number from 1 to %d", value, maxPage)
		}
	case "cursor":
		if l.after, err = mail.ParseID(value); err != nil {
			return fmt.Errorf("cursor is %q, but has to be what next was in the page before", value)
		}
	default:
		known, err := l.filter.Set(key, value)
		if !known {
			return fmt.Errorf("%s is none of the parameters sender, recipient, domain, older_than, held, state, limit and cursor", key)
		}
		return err
	}
	return nil
}

func (h *handler) get(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return h.writeMessage(w, r, id)
}

func (h *handler) writeMessage(w http.ResponseWriter, r *http.Request, id mail.ID) error {
	e, err := h.Queue.Get(r.Context(), id)
	if err != nil {
		return h.queueProblem(id, err)
	}
	m := message(e)
	if h.LaneOf != nil {
		for i := range m.Recipients {
			if m.Recipients[i].Due != nil {
				m.Recipients[i].Lane = h.LaneOf(e, i)
			}
		}
	}
	if h.Dialogues != nil {
		m.Dialogues = h.Dialogues(id)
	}
	return write(w, m)
}

// content answers with the content of a message as it is stored.
func (h *handler) content(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	content, size, err := h.Content(r.Context(), id)
	if err != nil {
		return h.queueProblem(id, err)
	}
	defer content.Close()
	unhurried(w)
	w.Header().Set("Content-Type", "message/rfc822")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.Header().Set("Content-Disposition", `attachment; filename="`+id.String()+`.eml"`)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodHead {
		return nil
	}
	// The answer has begun. Where it ends too early the server closes the
	// connection, which tells the client.
	_, _ = io.Copy(w, content)
	return nil
}

// act answers a request for one message.
func (h *handler) act(action api.Action) serve {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathID(r)
		if err != nil {
			return err
		}
		if err := h.do(r.Context(), action, id); err != nil {
			return h.queueProblem(id, err)
		}
		return h.writeMessage(w, r, id)
	}
}

func (h *handler) remove(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if err := h.do(r.Context(), api.ActionRemove, id); err != nil {
		return h.queueProblem(id, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// do is where an action meets the queue.
func (h *handler) do(ctx context.Context, action api.Action, id mail.ID) error {
	switch action {
	case api.ActionHold:
		return h.Queue.Hold(ctx, id, true)
	case api.ActionRelease:
		return h.Queue.Hold(ctx, id, false)
	case api.ActionRetry:
		return h.Queue.Retime(ctx, id, h.Now())
	case api.ActionRemove:
		return h.Queue.Remove(ctx, id)
	}
	return fmt.Errorf("no action is called %q", action)
}

func pathID(r *http.Request) (mail.ID, error) {
	id, err := mail.ParseID(r.PathValue("id"))
	if err != nil {
		return id, badRequest("%v", err)
	}
	return id, nil
}

// queueProblem explains an error of the queue.
func (h *handler) queueProblem(id mail.ID, err error) *api.Problem {
	if h.NotFound(err) {
		return problem(http.StatusNotFound, api.ProblemNotFound, "There is no such message", "there is no message %v in the queue: it was delivered, returned or removed, or was never there", id)
	}
	return internal(err)
}
