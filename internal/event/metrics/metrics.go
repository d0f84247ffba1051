package metrics

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/mail"
)

// Metrics are the figures of one relay. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	messages   *prometheus.CounterVec
	bytes      prometheus.Counter
	recipients prometheus.Counter
	accept     prometheus.Histogram
	take       prometheus.Histogram
	attempts   *prometheus.CounterVec
	received   *prometheus.CounterVec
	delivery   prometheus.Histogram
	notices    *prometheus.CounterVec
	signIns    *prometheus.CounterVec
	faults     *prometheus.CounterVec
}

// The buckets of the histograms, in seconds: those of a fast relay, and those of mail
// that has to wait.
var (
	quick = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}
	slow  = []float64{.01, .05, .1, .5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 5 * 24 * 3600}
)

// New returns figures that are all zero. version is that of the program.
func New(version string) *Metrics {
	m := &Metrics{
		registry:   prometheus.NewPedanticRegistry(),
		messages:   counters("weir_messages_accepted_total", "Messages that were answered 250.", "listener"),
		bytes:      counter("weir_accepted_bytes_total", "Octets of the messages that were answered 250."),
		recipients: counter("weir_accepted_recipients_total", "Recipients of the messages that were answered 250."),
		accept:     histogram("weir_accept_seconds", "Time from the connection to the 250 of the first message of a session.", quick),
		take:       histogram("weir_take_seconds", "Time from MAIL to 250.", quick),
		attempts:   counters("weir_attempts_total", "Attempts to deliver to a recipient, by what became of them.", "outcome"),
		received:   counters("weir_replies_received_total", "Replies of next hops that decided about a recipient.", "code", "enhanced", "reason", "stage"),
		delivery:   histogram("weir_delivery_seconds", "Time from 250 to the delivery to a recipient.", slow),
		notices:    counters("weir_notices_total", "Notices to senders (DSN).", "kind"),
		signIns:    counters("weir_authentications_total", "Attempts of clients to sign in.", "mechanism", "outcome"),
		faults:     counters("weir_faults_total", "Things that should not have happened, by the part of the relay.", "where"),
	}
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "weir_build_info", Help: "The program; the value is 1."}, []string{"version"})
	info.WithLabelValues(version).Set(1)
	m.registry.MustRegister(
		m.messages, m.bytes, m.recipients, m.accept, m.take, m.attempts, m.received, m.delivery, m.notices,
		m.signIns, m.faults, info,
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsScheduler, collectors.MetricsGC)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
	})
}

// Handler answers with all figures, in the format of Prometheus or OpenMetrics as the
// reader asks.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 4})
}

// Listener returns what hears of events.
func (m *Metrics) Listener() *event.Listener {
	return &event.Listener{
		Accepted:      m.accepted,
		Attempted:     m.attempted,
		Noticed:       func(e event.Noticed) { m.notices.WithLabelValues(e.Kind).Inc() },
		Authenticated: m.authenticated,
		Fault:         func(e event.Fault) { m.faults.WithLabelValues(e.Where).Inc() },
	}
}

func (m *Metrics) accepted(e event.Accepted) {
	m.messages.WithLabelValues(e.Listener).Inc()
	m.bytes.Add(float64(e.Envelope.Size))
	m.recipients.Add(float64(len(e.Envelope.Recipients)))
	m.take.Observe(e.Took.Seconds())
	if e.SinceConnect > 0 {
		m.accept.Observe(e.SinceConnect.Seconds())
	}
}

func (m *Metrics) attempted(e event.Attempted) {
	m.attempts.WithLabelValues(outcomeOf(e.Progress.State)).Inc()
	if s := e.Progress.State; s == mail.Relayed || s == mail.Delivered {
		m.delivery.Observe(e.Delay.Seconds())
	}
	last := &e.Progress.Last
	if last.Reply.IsZero() {
		m.received.WithLabelValues("none", "", last.Reason, last.Stage.String()).Inc()
		return
	}
	m.received.WithLabelValues(strconv.Itoa(int(last.Reply.Code)), enhancedOf(last), last.Reason, last.Stage.String()).Inc()
}

// mostOfSubject and mostOfDetail are what the registry of enhanced codes has room for
// today, with some to spare. Peers write others, and must not fill the memory with them.
const (
	mostOfSubject = 7
	mostOfDetail  = 40
)

// enhancedOf returns the enhanced code of the last reply; "other" where it is none of
// those that are registered, and nothing where there is none.
func enhancedOf(last *mail.Attempt) string {
	s := last.Reply.Status
	switch {
	case s.IsZero():
		return ""
	case s.Subject() > mostOfSubject || s.Detail() > mostOfDetail:
		return "other"
	}
	return last.Reply.Enhanced().String()
}

func outcomeOf(s mail.State) string {
	switch s {
	case mail.Waiting:
		return "deferred"
	case mail.Relayed, mail.Delivered:
		return "delivered"
	case mail.Expired:
		return "expired"
	case mail.Failed:
		return "bounced"
	}
	return "other"
}

func (m *Metrics) authenticated(e event.Authenticated) {
	outcome := "succeeded"
	switch {
	case e.Err != nil:
		outcome = "fault"
	case e.Failed:
		outcome = "failed"
	}
	m.signIns.WithLabelValues(e.Mechanism, outcome).Inc()
}
