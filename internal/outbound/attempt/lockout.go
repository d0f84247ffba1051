package attempt

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// Lockout remembers passwords that a server has refused. To show the same one again,
// at the next address or every few minutes, gets the account locked. Another password
// is shown at once. Until a login has been accepted once, one connection at a time signs
// in, so that not all connections of a destination show a wrong password together. It
// is safe for concurrent use; the zero value is ready.
type Lockout struct {
	mu      sync.Mutex
	refused map[*smtpclient.Login]*refusedPassword
	trial   map[*smtpclient.Login]chan struct{} // of logins not accepted yet: who signs in
	proved  map[*smtpclient.Login]bool          // they were accepted the last time
}

// refusedPassword is the last one that was refused for a login.
type refusedPassword struct {
	digest  [sha256.Size]byte
	failure *Failure
	until   time.Time
	pause   time.Duration
}

// The bounds of the time for which a password is not shown again. It doubles with each
// refusal.
const (
	minLockout = 15 * time.Minute
	maxLockout = 4 * time.Hour
)

// onlyPassword tells a login that has nothing but a password to show.
func onlyPassword(l *smtpclient.Login) bool {
	return l != nil && l.Password != nil && l.Token == nil && !l.External
}

// bars returns the failure to sign in as it was, where the same password would be shown
// again too soon.
func (o *Lockout) bars(ctx context.Context, l *smtpclient.Login, now time.Time) *Failure {
	if o == nil || !onlyPassword(l) {
		return nil
	}
	o.mu.Lock()
	r := o.refused[l]
	if r == nil || !now.Before(r.until) {
		o.mu.Unlock()
		return nil
	}
	known := *r
	o.mu.Unlock()
	password, err := l.Password(ctx)
	if err != nil || sha256.Sum256([]byte(password)) != known.digest {
		return nil
	}
	return &Failure{
		Stage: smtp.StageAUTH, Reply: known.failure.Reply,
		Err: fmt.Errorf("the same password is not shown again before %s, another one at once: %w", known.until.UTC().Format(time.RFC3339), known.failure.Err),
	}
}

// barred is the error of a password that is not to be shown, in place of it.
type barred struct{ failure *Failure }

func (b barred) Error() string { return b.failure.Err.Error() }

// guard returns a login for one connection, which waits for its turn before it shows its
// password and does not show one that was refused meanwhile. end gives the turn back.
func (o *Lockout) guard(l *smtpclient.Login, now func() time.Time) (guarded *smtpclient.Login, end func()) {
	if o == nil || !onlyPassword(l) {
		return l, func() {}
	}
	leave := func() {}
	g := *l
	g.Password = func(ctx context.Context) (string, error) {
		turn := o.turn(l)
		if turn == nil {
			return l.Password(ctx)
		}
		select {
		case turn <- struct{}{}:
			leave = func() { <-turn }
		case <-ctx.Done():
			return "", ctx.Err()
		}
		if f := o.bars(ctx, l, now()); f != nil {
			return "", barred{f}
		}
		return l.Password(ctx)
	}
	return &g, func() { leave() }
}

// turn returns whose turn it is to sign in with a login that has not been accepted yet,
// nil for one that has.
func (o *Lockout) turn(l *smtpclient.Login) chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.proved[l] {
		return nil
	}
	if o.trial == nil {
		o.trial = map[*smtpclient.Login]chan struct{}{}
	}
	turn := o.trial[l]
	if turn == nil {
		turn = make(chan struct{}, 1)
		o.trial[l] = turn
	}
	return turn
}

// note remembers a failure that is the refusal of a password.
func (o *Lockout) note(ctx context.Context, l *smtpclient.Login, f *Failure, now time.Time) {
	if o == nil || !onlyPassword(l) || !refusesPassword(f) {
		return
	}
	password, err := l.Password(ctx)
	if err != nil {
		return
	}
	digest := sha256.Sum256([]byte(password))
	o.mu.Lock()
	defer o.mu.Unlock()
	pause := minLockout
	if r := o.refused[l]; r != nil && r.digest == digest {
		pause = min(2*r.pause, maxLockout)
	}
	if o.refused == nil {
		o.refused = map[*smtpclient.Login]*refusedPassword{}
	}
	o.refused[l] = &refusedPassword{digest, f, now.Add(pause), pause}
	delete(o.proved, l)
}

// clear notes a login that was accepted.
func (o *Lockout) clear(l *smtpclient.Login) {
	if o == nil || !onlyPassword(l) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.refused, l)
	if o.proved == nil {
		o.proved = map[*smtpclient.Login]bool{}
	}
	o.proved[l] = true
}

// refusesPassword tells the refusal of an account's password for good, and not of a
// mechanism.
func refusesPassword(f *Failure) bool {
	var auth *smtpclient.AuthError
	if f.Stage != smtp.StageAUTH || !errors.As(f.Err, &auth) || len(auth.Refused) == 0 {
		return false
	}
	last := auth.Refused[len(auth.Refused)-1]
	return last.Reply.Code.Permanent() && !last.IsMechanism()
}
