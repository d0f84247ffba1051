package oauth

import (
	"context"
	"fmt"
	"time"
)

// keepInterval is how often a login is looked at.
const keepInterval = time.Hour

// warnBefore is how long before the end of a login it is told, once a day.
const warnBefore = 7 * 24 * time.Hour

// Keep looks after the login until the context ends: it asks for a token at
// once, so that a failure is seen before mail meets it, uses a login ahead of
// the end that comes of disuse, and tells of one that is near.
func (s *Source) Keep(ctx context.Context) {
	ticker := time.NewTicker(keepInterval)
	defer ticker.Stop()
	for {
		s.look(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// look is one look at the login.
func (s *Source) look(ctx context.Context) {
	now := time.Now()
	if s.wantsUse(now) {
		_, _ = s.Token(ctx) // what comes of it is remembered and reported
	}
	s.warn(now)
}

// wantsUse tells that a token is to be got though nobody asks for one: there
// was none yet, or the last try failed, or the login is not to fall asleep.
func (s *Source) wantsUse(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.IsZero() || s.problem != nil || s.o.Idle > 0 && now.Sub(s.got) > s.o.Idle/3
}

// warn tells of an end that is near.
func (s *Source) warn(now time.Time) {
	s.mu.Lock()
	ends := s.current.end
	due := !ends.IsZero() && ends.Sub(now) < warnBefore && now.Sub(s.warned) >= 24*time.Hour
	if due {
		s.warned = now
	}
	s.mu.Unlock()
	if due {
		s.o.Report(fmt.Errorf("the login of %s ends at %s: run \"weir auth login %s\" before", s.o.Client.Login, ends.UTC().Format("2006-01-02 15:04 MST"), s.o.Client.Login))
	}
}

// Status is how a login is.
type Status struct {
	Login string
	Grant Grant
	// Began is when the person logged in, as far as that is known.
	Began time.Time
	// Expires is when the token in memory ends; zero where there is none.
	Expires time.Time
	// Ends is when the login ends; zero where the server does not say.
	Ends time.Time
	// Problem is why there is no new token; nil where all is well. Since is when
	// that began, Retry when the server is asked again.
	Problem      *Error
	Since, Retry time.Time
}

// Status returns how the login is.
func (s *Source) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{
		Login: s.o.Client.Login, Grant: s.o.Client.Grant, Began: s.began,
		Expires: s.current.expires, Ends: s.current.end, Problem: s.problem,
	}
	if s.problem != nil {
		st.Since, st.Retry = s.since, s.until
	}
	return st
}
