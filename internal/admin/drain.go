package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/weirmail/weir/internal/admin/api"
)

// maxText is how long what an operator says about a maintenance may be.
const maxText = 200

// drain begins a maintenance.
func (h *handler) drain(w http.ResponseWriter, r *http.Request) error {
	var request api.DrainRequest
	if err := readBody(r, &request); err != nil {
		return err
	}
	d, err := drainOf(request, h.Now())
	if err != nil {
		return badRequest("%v", err)
	}
	if err := h.checkListener(r.Context(), d.Listener); err != nil {
		return err
	}
	if err := h.Admission.Drain(r.Context(), d); err != nil {
		return internal(err)
	}
	return write(w, d)
}

// drainOf makes a maintenance of what was asked for.
func drainOf(r api.DrainRequest, now time.Time) (api.Drain, error) {
	d := api.Drain{Listener: r.Listener, From: now.UTC(), Until: r.Until.UTC(), Text: r.Text}
	switch {
	case !r.Until.IsZero() && r.For != 0:
		return d, errors.New("until and for both say when the maintenance ends: set one of them")
	case r.For < 0:
		return d, fmt.Errorf("for is %s, but cannot be less than nothing", r.For)
	case r.For > 0:
		d.Until = d.From.Add(time.Duration(r.For))
	case r.Until.IsZero():
		d.Until = time.Time{}
	case !r.Until.After(now):
		return d, fmt.Errorf("until is %s, which has passed: it is %s now", r.Until.Format(time.RFC3339), now.Format(time.RFC3339))
	}
	return d, checkText(r.Text)
}

// checkText holds what an operator says to one line that fits a terminal.
func checkText(s string) error {
	switch {
	case utf8.RuneCountInString(s) > maxText:
		return fmt.Errorf("the text has %d characters, %d is the most", utf8.RuneCountInString(s), maxText)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("the text has to be one line, without control characters")
	}
	return nil
}

// checkListener holds the name of a listener to those that there are.
func (h *handler) checkListener(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	status, err := h.Status(ctx)
	if err != nil {
		return internal(err)
	}
	var names []string
	for _, l := range status.Listeners {
		if l.Name == name {
			return nil
		}
		names = append(names, l.Name)
	}
	return problem(http.StatusNotFound, api.ProblemNotFound, "There is no such listener",
		"there is no listener %q; there is %s", name, strings.Join(names, ", "))
}

// resume ends a maintenance.
func (h *handler) resume(w http.ResponseWriter, r *http.Request) error {
	var request api.ResumeRequest
	if err := readBody(r, &request); err != nil {
		return err
	}
	if err := h.checkListener(r.Context(), request.Listener); err != nil {
		return err
	}
	ended, err := h.Admission.Resume(r.Context(), request.Listener)
	if err != nil {
		return internal(err)
	}
	return write(w, api.Resumed{Ended: ended})
}
