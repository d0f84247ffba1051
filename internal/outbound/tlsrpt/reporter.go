package tlsrpt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/weirmail/weir/smtp"
)

// The times of reports.
const (
	saveEvery = time.Minute
	// spread is how long after midnight reports begin at most, so that not all
	// relays of the world begin at the same time (RFC 8460 section 4.1).
	spread = 4 * time.Hour
	// retryEvery is the pause after a report could not be handed over.
	retryEvery = time.Hour
	maxTries   = 24
	postTime   = 30 * time.Second
)

// Options are what reports are made with.
type Options struct {
	From   From
	Ledger *Ledger
	// LookupTXT asks the DNS. Passes tells of its errors whether asking again may
	// help.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
	Passes    func(error) bool
	// Send puts a report on its way by mail.
	Send func(ctx context.Context, r *Report, to smtp.Path) error
	// Dial makes connections to servers that take reports by HTTPS.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Told hears of what became of a report; err is nil where it is on its way. It
	// may be nil.
	Told func(domain, to string, err error)
	// Now is the clock, Random gives numbers in [0, 1).
	Now    func() time.Time
	Random func() float64
}

// Reporter sends reports.
type Reporter struct {
	options Options
	http    *http.Client
}

// NewReporter returns one.
func NewReporter(o Options) *Reporter {
	if o.Told == nil {
		o.Told = func(string, string, error) {}
	}
	return &Reporter{options: o, http: &http.Client{
		Timeout:       postTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DialContext: o.Dial, DisableKeepAlives: true, MaxResponseHeaderBytes: 32 << 10},
	}}
}

// Run keeps what is counted, and reports every day, until the context ends.
func (r *Reporter) Run(ctx context.Context) {
	defer r.options.Ledger.Save()
	save := time.NewTicker(saveEvery)
	defer save.Stop()
	after := time.Duration(r.options.Random() * float64(spread))
	next := time.NewTimer(r.untilNext(after))
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-save.C:
			r.options.Ledger.Save()
		case <-next.C:
			if pause := retryEvery; !r.report(ctx) {
				next.Reset(pause)
			} else {
				next.Reset(r.untilNext(after))
			}
		}
	}
}

// untilNext is the time to the next reports. What is left of days before, when the
// relay did not run, has the same moment of today, or soon where that has passed.
func (r *Reporter) untilNext(after time.Duration) time.Duration {
	now := r.options.Now()
	today := start(dayOf(now)).Add(after)
	if now.Before(today) {
		return today.Sub(now)
	}
	if len(r.options.Ledger.before(dayOf(now))) > 0 {
		return saveEvery
	}
	return today.Add(24 * time.Hour).Sub(now)
}

// before returns the slots of days before one.
func (l *Ledger) before(day int64) []slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	var old []slot
	for at := range l.records {
		if at.day < day {
			old = append(old, at)
		}
	}
	return old
}

// report reports what was counted on days that are over. It reports false where
// some are to be tried again.
func (r *Reporter) report(ctx context.Context) bool {
	done := true
	for _, at := range r.options.Ledger.before(dayOf(r.options.Now())) {
		if ctx.Err() != nil {
			return false
		}
		if r.reportOne(ctx, at) {
			r.options.Ledger.drop(at)
		} else {
			done = false
		}
	}
	return done
}

// reportOne reports about one domain. It reports true where nothing is left to do.
func (r *Reporter) reportOne(ctx context.Context, at slot) bool {
	rec := r.options.Ledger.take(at)
	texts, err := r.options.LookupTXT(ctx, "_smtp._tls."+at.domain)
	if err != nil {
		return !r.options.Passes(err) || rec.Tried >= maxTries
	}
	destinations, err := FindRecord(texts)
	if err != nil {
		return true // it wants none
	}
	report, err := newReport(r.options.From, at, rec.Tallies)
	if err != nil {
		r.options.Told(at.domain, "", err)
		return true
	}
	left := false
	for _, d := range destinations {
		if slices.Contains(rec.Done, d.String()) {
			continue
		}
		err := r.hand(ctx, report, d)
		r.options.Told(at.domain, d.String(), err)
		if err != nil {
			left = true
			continue
		}
		r.options.Ledger.done(at, d.String())
	}
	return !left || rec.Tried >= maxTries
}

// take returns a copy of what was counted, and counts the try.
func (l *Ledger) take(at slot) record {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.records[at]
	if r == nil {
		return record{}
	}
	r.Tried++
	r.changed = true
	return record{Tallies: r.Tallies, Done: slices.Clone(r.Done), Tried: r.Tried}
}

// done remembers that a destination has its report.
func (l *Ledger) done(at slot, destination string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.records[at]; r != nil {
		r.Done = append(r.Done, destination)
		r.changed = true
	}
}

// hand hands a report over.
func (r *Reporter) hand(ctx context.Context, report *Report, d Destination) error {
	if d.URL == "" {
		return r.options.Send(ctx, report, d.Mail)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(report.JSON))
	if err != nil {
		return fmt.Errorf("handing a TLS report over: %w", err)
	}
	request.Header.Set("Content-Type", "application/tlsrpt+gzip")
	response, err := r.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return errors.New("the server answers with " + response.Status)
	}
	return nil
}
