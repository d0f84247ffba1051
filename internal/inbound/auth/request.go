package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Remote is how a service is asked: for no longer than Timeout, and by no more than
// Parallel at once.
type Remote struct {
	// Timeout is for the whole of one question; 0 means 10 seconds.
	Timeout time.Duration
	// Parallel is how many questions may be open at once; 0 means 32.
	Parallel int
	// Client asks by HTTP; nil means one of its own, which follows no redirection
	// and uses no proxy.
	Client *http.Client
}

// asker bounds the questions to one service.
type asker struct {
	client  *http.Client
	timeout time.Duration
	slots   chan struct{}
}

func newAsker(r Remote) *asker {
	if r.Timeout <= 0 {
		r.Timeout = 10 * time.Second
	}
	if r.Parallel <= 0 {
		r.Parallel = 32
	}
	if r.Client == nil {
		r.Client = &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &asker{client: r.Client, timeout: r.Timeout, slots: make(chan struct{}, r.Parallel)}
}

// begin waits until one more question may be asked. The error is of the kind [Busy].
func (a *asker) begin(ctx context.Context) (context.Context, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	select {
	case a.slots <- struct{}{}:
		return ctx, func() { <-a.slots; cancel() }, nil
	case <-ctx.Done():
		cancel()
		return nil, nil, &Error{Kind: Busy, Why: "as many accounts are asked for as may be at once"}
	}
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// ask sends a request, and returns the code of the answer and its body.
func (a *asker) ask(r *http.Request) (int, []byte, error) {
	answer, err := a.client.Do(r)
	if err != nil {
		return 0, nil, withoutURL(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	return answer.StatusCode, body, err
}

// withoutURL takes the address out of an error, which may have a secret in it.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// CheckURL holds the address of a service that hears passwords or tokens to https, or
// to this machine.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%q is no address such as https://host/path", text)
	}
	if u.Scheme == "https" || u.Scheme == "http" && onThisMachine(u.Hostname()) {
		return nil
	}
	return errors.New("passwords and tokens go by https alone, or to this machine")
}

func onThisMachine(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}

// addressOf writes the address of a client, empty where there is none.
func addressOf(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
