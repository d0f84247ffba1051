package metrics

import "github.com/prometheus/client_golang/prometheus"

// Sample is one figure, with the values of its labels in their order.
type Sample struct {
	Labels []string
	Value  float64
}

// Reading is a figure that somebody else keeps, and that is read when it is asked for.
type Reading struct {
	// Name and Help are as for Prometheus.
	Name, Help string
	// Labels are the names of the labels; their values have to be bounded.
	Labels []string
	// Counts tells that it only ever grows while the process lives.
	Counts bool
	// Read returns the figures. It is called by several readers at once.
	Read func() []Sample
}

// Add shows readings. It panics where a name is taken already, which is a fault of the
// program.
func (m *Metrics) Add(readings ...Reading) {
	for i := range readings {
		r := &readings[i]
		m.registry.MustRegister(&reader{
			desc: prometheus.NewDesc(r.Name, r.Help, r.Labels, nil), Reading: r,
		})
	}
}

// reader makes a collector of a reading.
type reader struct {
	*Reading
	desc *prometheus.Desc
}

// Describe tells of the one figure.
func (r *reader) Describe(to chan<- *prometheus.Desc) { to <- r.desc }

// Collect reads it.
func (r *reader) Collect(to chan<- prometheus.Metric) {
	kind := prometheus.GaugeValue
	if r.Counts {
		kind = prometheus.CounterValue
	}
	for _, s := range r.Read() {
		m, err := prometheus.NewConstMetric(r.desc, kind, s.Value, s.Labels...)
		if err != nil {
			m = prometheus.NewInvalidMetric(r.desc, err)
		}
		to <- m
	}
}
