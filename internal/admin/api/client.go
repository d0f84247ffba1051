package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/weirmail/weir/internal/mail"
)

// Client speaks to a running relay. It is safe for concurrent use. Errors are
// a [*ConnectError] where there is nobody to speak to, and a [*Problem] where
// the relay said no.
type Client struct {
	http http.Client
}

// maxAnswer bounds what is read of an answer that is held in memory.
const maxAnswer = 64 << 20

// New returns a client for the relay that listens on a Unix socket. It does
// not connect yet.
func New(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, "unix", socket)
		if err != nil {
			return nil, &ConnectError{Socket: socket, Err: err}
		}
		return nc, nil
	}
	return &Client{http: http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Close closes the connections that the client keeps for its next request.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status returns how the relay is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.call(ctx, http.MethodGet, "/v1/status", nil, &s)
	return s, err
}

// Ready returns nil where the relay takes mail, and a [*Problem] that says why
// where it does not.
func (c *Client) Ready(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/readyz", nil, nil)
}

// Drain begins a maintenance and returns it as it is.
func (c *Client) Drain(ctx context.Context, r DrainRequest) (Drain, error) {
	var d Drain
	err := c.call(ctx, http.MethodPost, "/v1/drain", r, &d)
	return d, err
}

// Resume ends the maintenance of a listener, or all of it where listener is
// empty. It reports whether there was any.
func (c *Client) Resume(ctx context.Context, listener string) (ended bool, err error) {
	var r Resumed
	err = c.call(ctx, http.MethodPost, "/v1/resume", ResumeRequest{listener}, &r)
	return r.Ended, err
}

// Decisions returns those that a query chooses, the latest first. None is no
// error.
func (c *Client) Decisions(ctx context.Context, q DecisionQuery) ([]Decision, error) {
	var d Decisions
	err := c.call(ctx, http.MethodGet, "/v1/decisions?"+q.values().Encode(), nil, &d)
	return d.Decisions, err
}

// List returns one page of the messages that a filter chooses, at most limit
// of them; 0 means 100, and 1000 is the most. The cursor is empty for the
// first page, and [Page.Next] for each further one.
func (c *Client) List(ctx context.Context, f Filter, cursor string, limit int) (Page, error) {
	query := f.Values()
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	var p Page
	err := c.call(ctx, http.MethodGet, "/v1/queue?"+query.Encode(), nil, &p)
	return p, err
}

// Messages gives all messages that a filter chooses, page by page. After an
// error there is nothing more.
func (c *Client) Messages(ctx context.Context, f Filter) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for cursor := ""; ; {
			page, err := c.List(ctx, f, cursor, 500)
			if err != nil {
				yield(Message{}, err)
				return
			}
			for _, m := range page.Messages {
				if !yield(m, nil) {
					return
				}
			}
			if cursor = page.Next; cursor == "" {
				return
			}
		}
	}
}

// Get returns one message.
func (c *Client) Get(ctx context.Context, id mail.ID) (Message, error) {
	var m Message
	err := c.call(ctx, http.MethodGet, messagePath(id), nil, &m)
	return m, err
}

// Content opens the content of a message. The caller closes it.
func (c *Client) Content(ctx context.Context, id mail.ID) (io.ReadCloser, error) {
	res, err := c.send(ctx, http.MethodGet, messagePath(id)+"/content", nil)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// Hold keeps a message from being delivered.
func (c *Client) Hold(ctx context.Context, id mail.ID) (Message, error) {
	return c.act(ctx, id, ActionHold)
}

// Release lets a held message go again.
func (c *Client) Release(ctx context.Context, id mail.ID) (Message, error) {
	return c.act(ctx, id, ActionRelease)
}

// Retry makes all waiting recipients of a message due now. A held message
// stays held.
func (c *Client) Retry(ctx context.Context, id mail.ID) (Message, error) {
	return c.act(ctx, id, ActionRetry)
}

// Remove takes a message out of the queue, without a notice to its sender.
func (c *Client) Remove(ctx context.Context, id mail.ID) error {
	return c.call(ctx, http.MethodDelete, messagePath(id), nil, nil)
}

// Bulk does an action to all messages that the filter chooses. It may take
// long; the end of the context stops it half way.
func (c *Client) Bulk(ctx context.Context, action Action, b Bulk) (BulkResult, error) {
	var r BulkResult
	err := c.call(ctx, http.MethodPost, "/v1/queue/"+string(action), b, &r)
	return r, err
}

func (c *Client) act(ctx context.Context, id mail.ID, action Action) (Message, error) {
	var m Message
	err := c.call(ctx, http.MethodPost, messagePath(id)+"/"+string(action), nil, &m)
	return m, err
}

func messagePath(id mail.ID) string { return "/v1/queue/" + id.String() }

// call sends a request and reads the answer into out, where that is not nil.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	res, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("reading the relay's answer: %w", err)
	}
	return nil
}

// send sends a request and returns the answer where it is a good one.
func (c *Client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("writing a request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://weir"+path, body)
	if err != nil {
		return nil, fmt.Errorf("making a request: %w", err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, plainError(err)
	}
	if res.StatusCode >= 300 {
		defer res.Body.Close()
		return nil, readProblem(res)
	}
	return res, nil
}

// plainError takes off what the HTTP client puts around an error: the address
// that it names is made up.
func plainError(err error) error {
	if connect := (*ConnectError)(nil); errors.As(err, &connect) {
		return connect
	}
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("asking the relay: %w", err)
}

// readProblem turns an answer into an error.
func readProblem(res *http.Response) error {
	p := &Problem{Type: ProblemUnspecified, Title: http.StatusText(res.StatusCode), Status: res.StatusCode}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	switch {
	case err != nil || kind == ProblemType && json.Unmarshal(body, p) == nil:
	default:
		p.Detail = strings.TrimSpace(fmt.Sprintf("the relay answered %s", res.Status))
	}
	return p
}
