package relay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/admin"
	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound"
	"github.com/weirmail/weir/internal/outbound/lane"
	"github.com/weirmail/weir/internal/outbound/profile"
)

// laneKeeper is who looks at the lanes for the admin interface, and steers them.
type laneKeeper struct{ r *Relay }

// Lanes implements [admin.Lanes].
func (k laneKeeper) Lanes(context.Context) ([]api.Lane, error) {
	var lanes []api.Lane
	for _, s := range k.r.out.Lanes() {
		l := laneOf(&s)
		l.History = nil
		lanes = append(lanes, l)
	}
	return lanes, nil
}

// Lane implements [admin.Lanes].
func (k laneKeeper) Lane(_ context.Context, name string) (api.Lane, error) {
	s, err := k.r.out.Lane(name)
	if err != nil {
		return api.Lane{}, laneError(err)
	}
	return laneOf(&s), nil
}

// Suspend implements [admin.Lanes].
func (k laneKeeper) Suspend(ctx context.Context, name string, until time.Time, text string) error {
	return laneError(k.r.out.HoldLane(ctx, name, until, text))
}

// Resume implements [admin.Lanes].
func (k laneKeeper) Resume(ctx context.Context, name string) (bool, error) {
	ended, err := k.r.out.ResumeLane(ctx, name)
	return ended, laneError(err)
}

// Limit implements [admin.Lanes].
func (k laneKeeper) Limit(ctx context.Context, name string, connections int, pace float64, until time.Time) error {
	return laneError(k.r.out.LimitLane(ctx, name, lane.Limits{Connections: connections, Pace: pace}, until))
}

func laneError(err error) error {
	if errors.Is(err, outbound.ErrNoLane) {
		return fmt.Errorf("%w: %w", admin.ErrNoLane, err)
	}
	return err
}

// laneOf is a lane as it is shown.
func laneOf(s *outbound.LaneStatus) api.Lane {
	l := api.Lane{
		Name: s.Name, State: string(s.State), Since: s.Since.UTC(), Until: s.Until.UTC(), Text: s.Hold.Text,
		Open: s.Open, Busy: s.Workers - s.Idle, Pending: s.Pending,
		Window: s.Window, Connections: s.Limits.Connections, Ceiling: s.Ceiling,
		Pace: s.Rate, PaceLimit: s.Limits.Pace, PaceCeiling: s.RateCeiling, Measured: s.Measured,
		PerConnection: s.PerConnection,
		Ordered:       s.Order.Connections > 0 || s.Order.Pace > 0, OrderedUntil: s.Order.LimitedUntil.UTC(),
		Done: s.Counts.Done, Pushed: s.Counts.Pushed,
	}
	if !s.Last.At.IsZero() {
		l.Asked = s.Last.Kind.String()
		l.Last = admin.Attempt(&s.Last.Attempt)
	}
	for _, sample := range s.History {
		l.History = append(l.History, api.LaneSample{
			At: sample.At.UTC(), Window: sample.Window, Pace: sample.Rate, Done: sample.Counts.Done, Pushed: sample.Counts.Pushed,
		})
	}
	return l
}

// laneOf returns the lane of a recipient, where its route is known.
func (r *Relay) laneOf(e *mail.Envelope, recipient int) string {
	route, ok := r.table.Cached(e.ReversePath, e.Recipients[recipient].Path)
	if !ok {
		return ""
	}
	if e.RequireTLS {
		route = route.Protect()
	}
	return route.Lane
}

// profilesOf are the destinations that the configuration speaks of, and behind them
// those of the smarthosts that it names, and those that are built in.
func profilesOf(cfg *config.Config) (*profile.Set, error) {
	var all []profile.Profile
	for i := range cfg.Lanes {
		l := &cfg.Lanes[i]
		p := profile.Profile{
			Name: l.Label(), Hosts: l.Match, Domains: l.Match, Configured: true, Sources: l.Source,
			Limits: profile.Limits{Connections: l.Connections, Messages: l.MessagesPerConnection},
		}
		if !l.Pace.IsZero() {
			p.Pace = float64(l.Pace.Count) / l.Pace.Per.Seconds()
		}
		all = append(all, p)
	}
	all = append(all, smarthostProfiles(cfg)...)
	builtin, err := profile.Builtin()
	if err != nil {
		return nil, err
	}
	return profile.New(append(all, builtin...)...), nil
}

// dialogues are what was said in the last attempts for a message.
func (r *Relay) dialogues(id mail.ID) (all []api.Dialogue) {
	for _, d := range r.out.Dialogues(id) {
		all = append(all, api.Dialogue{
			At: d.At.UTC(), Host: d.Host, Address: d.Address, Lines: strings.Split(strings.TrimSuffix(d.Text, "\n"), "\n"),
		})
	}
	return all
}
