package relay

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/gaissmai/bart"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/inbound"
	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/internal/resources"
	"github.com/weirmail/weir/internal/spool"
)

// gatehouse is all that has to do with admission: who decides, what the sensors
// say, and what is kept of it across restarts.
type gatehouse struct {
	controller *admission.Controller
	lifecycle  *admission.Lifecycle
	journal    *admission.Journal
	listed     func(netip.Addr) bool // [clients] allow and known
	standing   *admission.Standing   // nil until the spool is open
	greylist   *inbound.Greylist     // nil where it is off
	sensors    *sensors
	notes      spool.Notes
}

// buildGatehouse builds what does not need the spool.
func (r *Relay) buildGatehouse() *gatehouse {
	cfg := r.config
	g := &gatehouse{
		lifecycle: admission.NewLifecycle(windowsOf(cfg.Lifecycle.Windows)),
		journal:   &admission.Journal{},
		sensors:   newSensors(cfg),
		listed:    networks(cfg.Clients.Allow, cfg.Clients.Known),
	}
	g.controller = admission.New(admission.Options{
		Observe:     cfg.Admission.Mode == config.AdmissionObserve,
		Lifecycle:   g.lifecycle,
		Journal:     g.journal,
		Compose:     inbound.Compose(cfg.Hostname),
		Random:      func(b []byte) { rand.Read(b) },
		Known:       g.isKnown,
		Limits:      clientLimits(&cfg.Clients),
		Exempt:      networks(cfg.Clients.Exempt),
		Slots:       cfg.Admission.Slots,
		Connections: g.sensors.connections(cfg.Admission.MaxConnections),
		Wait:        cfg.Admission.Wait,
		RetryMin:    cfg.Admission.RetryMin,
		RetryMax:    cfg.Admission.RetryMax,
		RefusalCPU:  float64(cfg.Admission.RefusalCPU) / 100,
		Processors:  resources.Processors(resources.Options{}),
	}, time.Now())
	return g
}

// isKnown tells of clients that are listed, and once the spool is open of those that
// have earned it.
func (g *gatehouse) isKnown(a netip.Addr) bool {
	return g.listed(a) || g.standing != nil && g.standing.Known(admission.NetworkOf(a), time.Now())
}

// openGatehouse reads what is kept of it in the spool, which is open. Nobody asks the
// gatehouse meanwhile.
func (r *Relay) openGatehouse(ctx context.Context) error {
	g, now := r.gatehouse, time.Now()
	g.notes, g.sensors.store = r.store, r.store
	standing, err := admission.LoadStanding(ctx, memory{r.store, spool.NoteStanding}, now)
	if err != nil {
		return fmt.Errorf("reading who is known: %w", err)
	}
	g.standing = standing
	if err := g.loadDrains(ctx, now); err != nil {
		return err
	}
	if r.config.Greylist.Enabled {
		g.greylist = r.openGreylist(g, g.listed)
	}
	return nil
}

func (r *Relay) openGreylist(g *gatehouse, known func(netip.Addr) bool) *inbound.Greylist {
	cfg := &r.config.Greylist
	exempt := networks(cfg.Exempt)
	return &inbound.Greylist{
		List: admission.NewGreylist(memory{r.store, spool.NoteGreylist}, g.standing, admission.GreylistOptions{
			Delay: cfg.Delay, Window: cfg.Window, Keep: cfg.Keep,
		}),
		Standing: g.standing,
		Exempt:   func(a netip.Addr) bool { return known(a) || exempt(a) },
		Closes:   int(cfg.Reply) == 421,
	}
}

// networks returns a function that tells whether an address is in one of them.
func networks(lists ...[]netip.Prefix) func(netip.Addr) bool {
	table := new(bart.Lite)
	n := 0
	for _, list := range lists {
		for _, p := range list {
			table.Insert(netip.PrefixFrom(p.Addr().Unmap(), unmappedBits(p)).Masked())
			n++
		}
	}
	if n == 0 {
		return func(netip.Addr) bool { return false }
	}
	return func(a netip.Addr) bool { return a.IsValid() && table.Contains(a.Unmap().WithZone("")) }
}

// unmappedBits is the length of a prefix, of one in IPv4-mapped form that of the
// IPv4 network.
func unmappedBits(p netip.Prefix) int {
	if p.Addr().Is4In6() {
		return max(p.Bits()-96, 0)
	}
	return p.Bits()
}

func clientLimits(c *config.Clients) admission.ClientLimits {
	return admission.ClientLimits{
		Client:  limitsOf(&c.Limits),
		Network: limitsOf(&c.Network),
		Account: admission.Limits{
			Messages:   rate(c.Account.MessageRate),
			Recipients: rate(c.Account.RecipientRate),
			Bytes:      byteRate(c.Account.BytesRate),
		},
	}
}

func limitsOf(l *config.Limits) admission.Limits {
	return admission.Limits{
		Connections:    l.Connections,
		ConnectionRate: rate(l.ConnectionRate),
		Messages:       rate(l.MessageRate),
		Recipients:     rate(l.RecipientRate),
		Bytes:          byteRate(l.BytesRate),
		FailedAuth:     rate(l.FailedAuthRate),
		Unknown:        rate(l.UnknownRecipientRate),
	}
}

func rate(r config.Rate) admission.Rate {
	return admission.Rate{Count: r.Count, Per: r.Per, Burst: r.Burst}
}

func byteRate(r config.ByteRate) admission.Rate {
	return admission.Rate{Count: int(r.Bytes), Per: r.Per, Burst: int(r.Burst)}
}

// windowsOf makes one window of each date, and one of all the days of the week
// that stand together.
func windowsOf(all []config.Window) []admission.Window {
	var windows []admission.Window
	for _, c := range all {
		w := admission.Window{Start: time.Duration(c.Start), Length: c.Length, Listener: c.Listener, Text: c.Text}
		for _, day := range c.Days {
			if day.Date.IsZero() {
				w.Days = append(w.Days, day.Weekday)
				continue
			}
			once := w
			once.Days, once.Once = nil, day.Date.At(c.Start, time.Local)
			windows = append(windows, once)
		}
		if len(w.Days) > 0 || len(c.Days) == 0 {
			windows = append(windows, w)
		}
	}
	return windows
}

// classOf is the class of those who come by a listener.
func classOf(l *config.Listener) admission.Class {
	if l.Class == "" {
		if l.Submits() {
			return admission.ClassSubmission
		}
		if network, _ := l.Network(); network == "unix" {
			return admission.ClassControl
		}
		return admission.ClassUnknown
	}
	class, _ := admission.ParseClass(string(l.Class))
	return class
}

// drainsKey is where the maintenances are kept that an operator has ordered.
var drainsKey = []byte("drains")

// loadDrains goes on with the maintenances of the last run.
func (g *gatehouse) loadDrains(ctx context.Context, now time.Time) error {
	value, found, err := g.notes.Note(ctx, spool.NoteLifecycle, drainsKey)
	if err != nil {
		return fmt.Errorf("reading whether the relay is in maintenance: %w", err)
	}
	var drains []admission.Drain
	if found {
		if err := json.Unmarshal(value, &drains); err != nil {
			return fmt.Errorf("reading whether the relay is in maintenance: %w", err)
		}
	}
	for _, d := range drains {
		if d.Until.IsZero() || d.Until.After(now) {
			if err := g.lifecycle.Drain(d, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// saveDrains keeps them, durably.
func (g *gatehouse) saveDrains(ctx context.Context, now time.Time) error {
	drains := []admission.Drain{}
	for _, d := range g.lifecycle.Drains(now) {
		if !d.Window {
			drains = append(drains, d)
		}
	}
	value, err := json.Marshal(drains)
	if err != nil {
		return err
	}
	note := spool.Note{Key: drainsKey, Value: value}
	if err := g.notes.SetNotes(ctx, spool.NoteLifecycle, true, note); err != nil {
		return fmt.Errorf("keeping the maintenance across a restart: %w", err)
	}
	return nil
}

// memory is a part of the spool's notes.
type memory struct {
	notes spool.Notes
	kind  spool.NoteKind
}

func (m memory) Get(ctx context.Context, key []byte) ([]byte, bool, error) {
	return m.notes.Note(ctx, m.kind, key)
}

func (m memory) Set(ctx context.Context, key, value []byte) error {
	return m.notes.SetNotes(ctx, m.kind, false, spool.Note{Key: key, Value: value})
}

func (m memory) Drop(ctx context.Context, keys ...[]byte) error {
	return m.notes.DropNotes(ctx, m.kind, false, keys...)
}

func (m memory) Each(ctx context.Context, from []byte, each func(key, value []byte) bool) error {
	return m.notes.EachNote(ctx, m.kind, from, each)
}
