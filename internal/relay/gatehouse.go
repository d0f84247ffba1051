package relay

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/inbound"
	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/smtpserver"
)

// run reads the sensors, moves the listeners between serving and maintenance, and
// looks after what admission keeps, until the context ends.
func (g *gatehouse) run(ctx context.Context, mail []mailListener, log *slog.Logger) {
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { g.sensors.run(ctx, g.controller) })
	group.Go(func() { g.sweep(ctx, log) })
	watch := &stateWatch{gatehouse: g, log: log, states: make(map[string]admission.State)}
	ticker := time.NewTicker(4 * tick)
	defer ticker.Stop()
	for {
		now := time.Now()
		for _, l := range mail {
			watch.listener(l, now)
		}
		watch.pressure(now)
		watch.idle(mail, now)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// stateWatch acts on changes of state, and writes them into the log: each change
// once, and refusals once a second with their number.
type stateWatch struct {
	gatehouse *gatehouse
	log       *slog.Logger
	states    map[string]admission.State
	shedding  bool
	told      time.Time
	before    map[admission.Reason]int64
	relieved  time.Time
}

// listener moves a listener into maintenance and out of it.
func (w *stateWatch) listener(l mailListener, now time.Time) {
	state, drain := w.gatehouse.lifecycle.Of(l.name, now)
	last, seen := w.states[l.name]
	if state == last || !seen && state == admission.Serving {
		w.states[l.name] = state
		return
	}
	w.states[l.name] = state
	attrs := []any{"listener", l.name, "state", state.String()}
	if !drain.Until.IsZero() {
		attrs = append(attrs, "until", drain.Until)
	}
	if drain.Text != "" {
		attrs = append(attrs, "text", drain.Text)
	}
	switch {
	case state == admission.Maintenance:
		d := w.gatehouse.controller.Dismissal(l.name, l.server.Connections() > 0, now)
		l.server.Dismiss(inbound.ReplyMaintenance, inbound.HintOf(d.Retry), d.ID.String())
		w.gatehouse.controller.EmptyRoom(l.name, now)
	case last == admission.Maintenance && state == admission.Serving:
		l.server.Welcome()
	}
	w.log.Info("state", attrs...)
}

// sheddingEnds is the pressure below which shedding is over.
const sheddingEnds = 0.9

// pressure tells when shedding begins and ends, and what was refused meanwhile.
func (w *stateWatch) pressure(now time.Time) {
	b := w.gatehouse.controller.Board()
	if over := b.Pressure > 1 || w.shedding && b.Pressure >= sheddingEnds; over != w.shedding {
		w.shedding = over
		s := b.Signals[b.Deciding]
		w.log.Info("pressure", "shedding", over, "pressure", b.Pressure, "signal", b.Deciding.String(),
			"value", s.Value, "target", s.Target, "hard", s.Hard, "unit", s.Unit)
	}
	if now.Sub(w.told) < time.Second {
		return
	}
	w.told = now
	count := make(map[admission.Reason]int64)
	for _, r := range w.gatehouse.controller.Counts().Refused {
		count[r.Reason] += r.Count
	}
	for reason, n := range count {
		if more := n - w.before[reason]; more > 0 {
			w.log.Info("refused", "reason", string(reason), "count", more)
		}
	}
	w.before = count
}

// mostDismissed is how many idle sessions are sent away at once.
const mostDismissed = 256

// idle sends away sessions that have been idle for long, where there is pressure,
// the longest first.
func (w *stateWatch) idle(mail []mailListener, now time.Time) {
	patience, short := w.gatehouse.controller.Patience()
	if !short || now.Sub(w.relieved) < time.Second {
		return
	}
	w.relieved = now
	for _, l := range mail {
		if n := l.server.DismissIdle(patience, mostDismissed, smtpserver.ReplyIdle); n > 0 {
			w.log.Info("idle sessions are sent away", "listener", l.name, "count", n, "idle", patience)
		}
	}
}

// sweepInterval is how often what has expired is looked for.
const sweepInterval = 10 * time.Minute

// sweep drops what the greylist need not remember any more.
func (g *gatehouse) sweep(ctx context.Context, log *slog.Logger) {
	if g.greylist == nil {
		return
	}
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		for next := []byte(nil); ; {
			var err error
			if next, _, err = g.greylist.List.Sweep(ctx, next, 1000, time.Now()); err != nil && ctx.Err() == nil {
				log.Warn("sweeping the greylist", "error", err)
			}
			if next == nil || err != nil {
				break
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// operator is admission as the admin interface sees it.
type operator struct{ relay *Relay }

// Status completes a status.
func (o operator) Status(_ context.Context, s *api.Status) error {
	g, now := o.relay.gatehouse, time.Now()
	if s.State == api.StateServing {
		state, _ := g.lifecycle.Of("", now)
		s.State = state.String()
	}
	for i := range s.Listeners {
		state, _ := g.lifecycle.Of(s.Listeners[i].Name, now)
		s.Listeners[i].State = state.String()
	}
	for _, d := range g.lifecycle.Drains(now) {
		s.Drains = append(s.Drains, api.Drain{Listener: d.Listener, From: d.From, Until: d.Until, Text: d.Text, Window: d.Window})
	}
	s.Admission = admissionOf(g.controller.Figures())
	return nil
}

func admissionOf(f admission.Figures) *api.Admission {
	a := &api.Admission{
		Observe: f.Observe, Pressure: f.Board.Pressure, Signals: signalsOf(f.Board),
		Slots: api.Slots{
			Limit: f.Slots, Fixed: f.SlotsFixed, Used: f.Used, Waiting: f.Waiting, Room: f.Room,
			Standing: f.Standing, PeakRate: f.PeakRate, Search: f.Search,
		},
		Sessions: api.Sessions{Open: f.Sessions, Limit: int64(f.Connections)},
		Ledgers: []api.Ledger{
			{Name: "memory", Unit: "bytes", Charged: f.Memory.Charged, Budget: f.Memory.Budget},
			{Name: "disk", Unit: "bytes", Charged: f.Disk.Charged, Budget: f.Disk.Budget},
		},
		Counts: api.Counts{
			Observed: f.Counts.Observed, Unheard: f.Unheard, Unspoken: f.Unspoken,
			AcceptPaused: api.Duration(f.AcceptPaused), RefusalCPU: f.RefusalCPU,
			Refused: []api.Refused{},
		},
	}
	if f.Board.Pressure > 0 {
		a.Deciding = f.Board.Deciding.String()
	}
	for _, c := range admission.Classes() {
		a.Slots.Classes = append(a.Slots.Classes, api.ClassSlots{Class: c.String(), Used: f.ByClass[c]})
		a.Counts.Classes = append(a.Counts.Classes, api.ClassCounts{
			Class: c.String(), Admitted: f.Counts.Admitted[c], Waited: f.Counts.Waited[c],
		})
	}
	for _, r := range f.Counts.Refused {
		a.Counts.Refused = append(a.Counts.Refused, api.Refused{
			Point: r.Point.String(), Class: r.Class.String(), Reason: string(r.Reason), Count: r.Count,
		})
	}
	return a
}

func signalsOf(b *admission.Board) []api.Signal {
	signals := make([]api.Signal, 0, len(b.Signals))
	for id := range b.Signals {
		s := &b.Signals[id]
		signals = append(signals, api.Signal{
			Name: admission.SignalID(id).String(), Reason: string(admission.SignalID(id).Reason()),
			Value: s.Value, Unit: s.Unit, Limit: s.Target, Hard: s.Hard, Source: s.Source,
			Pressure: s.Pressure, Effective: s.Effective, Unavailable: s.Unavailable,
		})
	}
	return signals
}

// Drain begins a maintenance.
func (o operator) Drain(ctx context.Context, d api.Drain) error {
	g, now := o.relay.gatehouse, time.Now()
	err := g.lifecycle.Drain(admission.Drain{Listener: d.Listener, From: d.From, Until: d.Until, Text: d.Text}, now)
	if err != nil {
		return err
	}
	return g.saveDrains(ctx, now)
}

// Resume ends one.
func (o operator) Resume(ctx context.Context, listener string) (bool, error) {
	g, now := o.relay.gatehouse, time.Now()
	ended := g.lifecycle.Resume(listener, now)
	for _, l := range o.relay.mail {
		if state, _ := g.lifecycle.Of(l.name, now); state == admission.Serving {
			l.server.Welcome() // before the answer says that mail is taken again
		}
	}
	return ended, g.saveDrains(ctx, now)
}

// Decisions returns the last that fit.
func (o operator) Decisions(_ context.Context, q api.DecisionQuery) ([]api.Decision, error) {
	var id admission.ID
	if q.ID != "" {
		var ok bool
		if id, ok = admission.ParseID(q.ID); !ok {
			return nil, nil
		}
	}
	last := q.Last
	if last <= 0 {
		last = api.DefaultDecisions
	}
	controller := o.relay.gatehouse.controller
	found := controller.Decisions(last, func(r *admission.Record) bool {
		return (q.ID == "" || r.ID == id) && (!q.Network.IsValid() || q.Network.Contains(r.Client.Unmap().WithZone("")))
	})
	sharing := make(map[admission.ID]int, len(found))
	for i := range found {
		sharing[found[i].ID] = 0
	}
	controller.Decisions(1, func(r *admission.Record) bool { // looks at all of them
		if _, wanted := sharing[r.ID]; wanted {
			sharing[r.ID]++
		}
		return false
	})
	decisions := make([]api.Decision, len(found))
	for i := range found {
		decisions[i] = o.decisionOf(&found[i])
		decisions[i].Count = sharing[found[i].ID]
	}
	return decisions, nil
}

func (o operator) decisionOf(r *admission.Record) api.Decision {
	d := api.Decision{
		ID: r.ID.String(), Time: r.At, Client: r.Client, Net: r.Network(), Class: r.Class.String(),
		Listener: r.Listener, Session: r.Session, Point: r.Point.String(), Verdict: api.VerdictRefuse,
		Reason: string(r.Reason), Rule: r.Rule, Pressure: r.Board.Pressure, Signals: signalsOf(r.Board),
		RetrySeconds: int(r.Retry / time.Second),
	}
	if r.Observed {
		d.Verdict = api.VerdictObserve
	} else {
		d.Reply = strings.TrimRight(inbound.Said(o.relay.config.Hostname, r), "\r\n")
	}
	if r.Board.Pressure > 0 {
		d.Deciding = r.Board.Deciding.String()
	}
	if r.Name != "" {
		d.Measure = &api.Measure{Name: r.Name, Value: r.Value, Limit: r.Limit, Unit: r.Unit}
	}
	return d
}

// notReady says why the relay takes no mail on any listener, or nil.
func (g *gatehouse) notReady(now time.Time) error {
	state, drain := g.lifecycle.Of("", now)
	switch {
	case state == admission.Maintenance && !drain.Until.IsZero():
		return fmt.Errorf("the relay is in maintenance until %s", drain.Until.Format(time.RFC3339))
	case state == admission.Maintenance:
		return errMaintenance
	case state == admission.Starting:
		return errStarting
	}
	return nil
}
