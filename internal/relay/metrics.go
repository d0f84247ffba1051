package relay

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/weirmail/weir/internal/event/metrics"
	"github.com/weirmail/weir/internal/inbound"
	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/internal/spool"
)

// measure adds what the parts of the relay count themselves to the metrics.
func (r *Relay) measure(in *inbound.Inbound) {
	r.metrics.Add(
		metrics.Reading{
			Name: "weir_replies_sent_total", Help: "Replies that were said to clients.",
			Labels: []string{"code", "enhanced", "reason", "stage", "class"}, Counts: true,
			Read: func() []metrics.Sample { return sentReplies(in) },
		},
		metrics.Reading{
			Name: "weir_connections", Help: "Open connections of a listener.", Labels: []string{"listener"},
			Read: r.connections,
		},
	)
	r.metrics.Add(r.gatehouse.readings()...)
	r.metrics.Add(r.storeReadings()...)
}

// sentReplies are the replies by what they say. Rows that say the same are one figure.
func sentReplies(in *inbound.Inbound) []metrics.Sample {
	type key struct{ code, enhanced, reason, stage, class string }
	sums := map[key]int64{}
	in.Sent(func(s inbound.Sent) {
		enhanced := ""
		if e, ok := s.Row.Status.In(s.Row.Code.Class()); ok {
			enhanced = e.String()
		}
		sums[key{strconv.Itoa(int(s.Row.Code)), enhanced, s.Row.Reason, s.Stage.String(), s.Class.String()}] += s.Count
	})
	samples := make([]metrics.Sample, 0, len(sums))
	for k, n := range sums {
		samples = append(samples, metrics.Sample{Labels: []string{k.code, k.enhanced, k.reason, k.stage, k.class}, Value: float64(n)})
	}
	return samples
}

func (r *Relay) connections() []metrics.Sample {
	samples := make([]metrics.Sample, 0, len(r.mail))
	for _, l := range r.mail {
		samples = append(samples, metrics.Sample{Labels: []string{l.name}, Value: float64(l.server.Connections())})
	}
	return samples
}

// one is a reading of a single figure.
func one(name, help string, counts bool, read func() float64) metrics.Reading {
	return metrics.Reading{Name: name, Help: help, Counts: counts, Read: func() []metrics.Sample {
		return []metrics.Sample{{Value: read()}}
	}}
}

// readings are those of admission.
func (g *gatehouse) readings() []metrics.Reading {
	c := g.controller
	figure := func(f func(*admission.Figures) float64) func() float64 {
		return func() float64 {
			now := c.Figures()
			return f(&now)
		}
	}
	return []metrics.Reading{
		{
			Name: "weir_pressure", Help: "Pressure by signal: 0 idle, 1 where shedding begins, 2 where all is refused.",
			Labels: []string{"signal"}, Read: func() []metrics.Sample { return pressures(c.Board()) },
		},
		{
			Name: "weir_refused_total", Help: "Refusals of admission.", Labels: []string{"point", "class", "reason"}, Counts: true,
			Read: func() []metrics.Sample { return refusals(c.Counts()) },
		},
		{
			Name: "weir_connections_total", Help: "Connections that got a slot at once, and those that had to wait for one.", Labels: []string{"class", "waited"}, Counts: true,
			Read: func() []metrics.Sample { return admitted(c.Counts()) },
		},
		one("weir_observed_refusals_total", "What would have been refused, but for the mode.", true, func() float64 { return float64(c.Counts().Observed) }),
		one("weir_slots", "Clients that are worked for at the same time, at most.", false, figure(func(f *admission.Figures) float64 { return float64(f.Slots) })),
		one("weir_slots_used", "Clients that are worked for.", false, figure(func(f *admission.Figures) float64 { return float64(f.Used) })),
		one("weir_room_waiting", "Clients that wait for a slot before their greeting.", false, figure(func(f *admission.Figures) float64 { return float64(f.Waiting) })),
		one("weir_room_places", "Clients that may wait for a slot.", false, figure(func(f *admission.Figures) float64 { return float64(f.Room) })),
		one("weir_memory_promised_bytes", "Memory that is promised to sessions and transactions.", false, figure(func(f *admission.Figures) float64 { return float64(f.Memory.Charged) })),
		one("weir_memory_budget_bytes", "Memory that may be promised.", false, figure(func(f *admission.Figures) float64 { return float64(f.Memory.Budget) })),
		one("weir_disk_promised_bytes", "Room on the disk that is promised to transactions.", false, figure(func(f *admission.Figures) float64 { return float64(f.Disk.Charged) })),
		one("weir_disk_budget_bytes", "Room on the disk that may be promised.", false, figure(func(f *admission.Figures) float64 { return float64(f.Disk.Budget) })),
		one("weir_refusals_unheard_total", "Refusals that no client has read.", true, figure(func(f *admission.Figures) float64 { return float64(f.Unheard) })),
		one("weir_refusals_unspoken_total", "Refusals that could not be said, for want of a handshake.", true, figure(func(f *admission.Figures) float64 { return float64(f.Unspoken) })),
		one("weir_accept_paused_seconds_total", "Time for which listeners stayed away from their queues.", true, figure(func(f *admission.Figures) float64 { return f.AcceptPaused.Seconds() })),
		one("weir_refusal_cpu_ratio", "Part of the processors that refusals take, lately.", false, figure(func(f *admission.Figures) float64 { return f.RefusalCPU })),
	}
}

func pressures(b *admission.Board) []metrics.Sample {
	samples := make([]metrics.Sample, 0, len(b.Signals))
	for i := range b.Signals {
		samples = append(samples, metrics.Sample{Labels: []string{admission.SignalID(i).String()}, Value: b.Signals[i].Effective})
	}
	return samples
}

func refusals(c admission.Counts) []metrics.Sample {
	samples := make([]metrics.Sample, 0, len(c.Refused))
	for _, n := range c.Refused {
		samples = append(samples, metrics.Sample{
			Labels: []string{n.Point.String(), n.Class.String(), string(n.Reason)}, Value: float64(n.Count),
		})
	}
	return samples
}

func admitted(c admission.Counts) []metrics.Sample {
	var samples []metrics.Sample
	for i := range c.Admitted {
		class := admission.Class(i).String()
		samples = append(samples,
			metrics.Sample{Labels: []string{class, "no"}, Value: float64(c.Admitted[i])},
			metrics.Sample{Labels: []string{class, "yes"}, Value: float64(c.Waited[i])})
	}
	return samples
}

// storeReadings are those of the spool.
func (r *Relay) storeReadings() []metrics.Reading {
	stats := func(f func(spool.Stats) int64) func() float64 {
		return func() float64 {
			s, err := r.store.Stats(context.Background()) // of memory: it waits for nothing
			if err != nil {
				return math.NaN()
			}
			return float64(f(s))
		}
	}
	return []metrics.Reading{
		one("weir_queue_messages", "Messages in the queue.", false, stats(func(s spool.Stats) int64 { return s.Messages })),
		one("weir_queue_bytes", "Octets of the messages in the queue.", false, stats(func(s spool.Stats) int64 { return s.Bytes })),
		one("weir_queue_leased_messages", "Messages that are being worked on.", false, stats(func(s spool.Stats) int64 { return s.Leased })),
		one("weir_queue_held_messages", "Messages that an operator holds.", false, stats(func(s spool.Stats) int64 { return s.Held })),
		one("weir_store_flushes_total", "Flushes of the store's log to the disk.", true, stats(func(s spool.Stats) int64 { return s.Flushes })),
		one("weir_commit_median_seconds", "Median time of the last commits.", false, func() float64 { return r.store.Commits().Median.Seconds() }),
		one("weir_commit_oldest_seconds", "Age of the oldest commit that is under way.", false, func() float64 { return r.store.Commits().Oldest.Seconds() }),
		one("weir_queue_ready_seconds", "Age of the oldest message that is ready and was not tried.", false, func() float64 {
			if ready := r.store.OldestReady(); !ready.IsZero() {
				return max(time.Since(ready).Seconds(), 0)
			}
			return 0
		}),
	}
}
