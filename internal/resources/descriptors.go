package resources

// Descriptors counts the open descriptors of this process. It is safe for
// concurrent use.
type Descriptors struct{ o Options }

// NewDescriptors returns the sensor.
func NewDescriptors(o Options) *Descriptors { return &Descriptors{o: o.filled()} }

// Read counts and asks for the limit. Where the kernel gives the count away
// (Linux 6.2) it takes some microseconds however many there are, otherwise
// about a third of a millisecond for every thousand.
func (d *Descriptors) Read() Reading {
	r := Reading{Name: "descriptors", Unit: "descriptors", Source: "RLIMIT_NOFILE"}
	open, limit, err := countDescriptors(d.o)
	if err != nil {
		r.Unavailable = err.Error()
		return r
	}
	r.Value, r.Limit = float64(open), float64(limit)
	return r
}
