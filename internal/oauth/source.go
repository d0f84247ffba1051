package oauth

import (
	"context"
	"errors"
	"sync"
	"time"
)

// SourceOptions are what a source is made of.
type SourceOptions struct {
	Client *Client
	// Store holds the login; unused for [GrantClient].
	Store *Store
	// Idle is how long a login lasts that is not used; 0 where that is not
	// known. It is then used ahead of that.
	Idle time.Duration
	// Report hears of a failure that begins, and of an end that comes near. It
	// may be nil.
	Report func(error)
	// Recovered hears that tokens are got again. It may be nil.
	Recovered func()
}

// Source gives access tokens for one login. It is safe for concurrent use.
type Source struct {
	o SourceOptions
	// turn is held by the one who asks the server.
	turn chan struct{}

	mu      sync.Mutex
	current access
	got     time.Time // when current was got
	of      time.Time // when the file of the login that it is of was written
	began   time.Time // when the person logged in
	problem *Error    // why there is no token, or no new one
	since   time.Time // of problem
	until   time.Time // before which the server is not asked again
	tries   int       // that failed in a row
	stamp   time.Time // of the file of the login, at the last try
	warned  time.Time // of the end of the login
	unsaved *Login    // what the disk did not take
}

// NewSource returns a source. Nothing is asked for before it is needed.
func NewSource(o SourceOptions) *Source {
	if o.Report == nil {
		o.Report = func(error) {}
	}
	if o.Recovered == nil {
		o.Recovered = func() {}
	}
	return &Source{o: o, turn: make(chan struct{}, 1)}
}

// The bounds of the pause after the server could not give a token.
const (
	minPause = 10 * time.Second
	maxPause = 5 * time.Minute
)

// loginPause is the pause where only a new login helps. A login that comes
// meanwhile ends it at once.
const loginPause = time.Hour

// maxAhead is how long before its end a token is replaced, or a fifth of its
// life where that is less.
const maxAhead = 5 * time.Minute

// Token returns a token that is good for a while. The error is an [*Error], or
// that of the context.
func (s *Source) Token(ctx context.Context) (string, error) {
	if t, fresh := s.known(time.Now(), s.stampNow()); fresh {
		return t, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	now := time.Now()
	token, fresh := s.known(now, s.stampNow()) // while this one waited for its turn
	if fresh {
		return token, nil
	}
	if err := s.resting(now); err != nil {
		return whatIsLeft(token, err)
	}
	if err := s.renew(ctx, now); err != nil {
		if ctx.Err() != nil && token == "" {
			return "", ctx.Err()
		}
		return whatIsLeft(token, err)
	}
	token, _ = s.known(time.Now(), s.stampNow())
	return token, nil
}

// whatIsLeft is the token that is still good, or else the error.
func whatIsLeft(token string, err *Error) (string, error) {
	if token != "" {
		return token, nil
	}
	return "", err
}

// known returns the token in memory while it is good, and whether there is no need
// for another: it is good for long enough, and of the login that is on the disk.
// Who logs in anew may do so because the token, though good, does not suffice.
func (s *Source) known(now, stamp time.Time) (token string, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !now.Before(s.current.expires) {
		return "", false
	}
	ahead := min(maxAhead, s.current.expires.Sub(s.got)/5)
	return s.current.token, stamp.Equal(s.of) && now.Before(s.current.expires.Add(-ahead))
}

// resting returns the last failure while the server is left alone, unless
// somebody has logged in since.
func (s *Source) resting(now time.Time) *Error {
	stamp := s.stampNow()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.problem == nil || !now.Before(s.until) || !stamp.Equal(s.stamp) {
		return nil
	}
	return s.problem
}

func (s *Source) stampNow() time.Time {
	if s.o.Client.Grant == GrantClient {
		return time.Time{}
	}
	return s.o.Store.changed(s.o.Client)
}

// renew asks for a new token, and remembers what came of it.
func (s *Source) renew(ctx context.Context, now time.Time) *Error {
	stamp := s.stampNow()
	a, began, err := s.ask(ctx, now, stamp)
	if err != nil && ctx.Err() != nil {
		return failure(s.o.Client.Login, err) // who asked has gone; nothing is known
	}
	if err != nil {
		return s.failed(failure(s.o.Client.Login, err), now, stamp)
	}
	s.mu.Lock()
	was := s.problem
	s.current, s.got, s.began, s.problem, s.tries = a, now, began, nil, 0
	s.mu.Unlock()
	if was != nil {
		s.o.Recovered()
	}
	return nil
}

// ask gets a token in the way of the grant.
func (s *Source) ask(ctx context.Context, now, stamp time.Time) (access, time.Time, error) {
	c := s.o.Client
	if c.Grant == GrantClient {
		a, err := c.ownName(ctx, now)
		return a, time.Time{}, err
	}
	l, err := s.load(stamp)
	if err != nil {
		return access{}, time.Time{}, &Error{Login: c.Login, NeedsLogin: errors.Is(err, ErrNoLogin) || errors.Is(err, errDamaged), Err: err}
	}
	a, err := c.renew(ctx, l.Refresh, now)
	if err != nil {
		return access{}, time.Time{}, err
	}
	if !a.end.IsZero() || a.refresh != l.Refresh {
		l.Ends = a.end
	}
	l.Refresh, l.Used = a.refresh, now
	a.end = l.Ends
	s.save(l, stamp)
	return a, l.Began, nil
}

// load returns the login: that of the disk, or the one that it did not take.
func (s *Source) load(stamp time.Time) (Login, error) {
	s.mu.Lock()
	unsaved, same := s.unsaved, stamp.Equal(s.stamp)
	s.mu.Unlock()
	if unsaved != nil && same {
		return *unsaved, nil
	}
	return s.o.Store.Load(s.o.Client)
}

// save keeps a login: the server may have ended the refresh token before this
// one. Where somebody has logged in meanwhile, theirs stays. What the disk does
// not take is remembered, and reported.
func (s *Source) save(l Login, stamp time.Time) {
	var err error
	of := stamp
	if s.o.Store.changed(s.o.Client).Equal(stamp) {
		if err = s.o.Store.Save(s.o.Client, l); err == nil {
			of = s.stampNow()
		}
	}
	s.mu.Lock()
	s.of, s.unsaved = of, nil
	if err != nil {
		s.unsaved, s.stamp = &l, stamp
	}
	s.mu.Unlock()
	if err != nil {
		s.o.Report(err)
	}
}

// failed remembers a failure, and reports it where it is a new one.
func (s *Source) failed(e *Error, now, stamp time.Time) *Error {
	s.mu.Lock()
	was := s.problem
	if was == nil {
		s.since = now
	}
	pause := min(minPause<<min(s.tries, 10), maxPause)
	if e.NeedsLogin {
		pause = loginPause
	}
	s.problem, s.until, s.stamp = e, now.Add(max(pause, e.RetryAfter)), stamp
	s.tries++
	s.mu.Unlock()
	if was == nil || was.Error() != e.Error() {
		s.o.Report(e)
	}
	return e
}
