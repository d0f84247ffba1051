package resources

import "time"

// Options say where the sensors look. The zero value is the machine itself.
type Options struct {
	// Proc and Cgroup are the roots of the kernel's file systems. Empty is
	// /proc and /sys/fs/cgroup.
	Proc, Cgroup string
	// Now is the clock; nil is [time.Now]. Intervals are taken from its
	// monotonic reading, so a clock that is set anew does no harm.
	Now func() time.Time
	// MemoryLimit is the limit that the configuration sets, in bytes; 0 leaves
	// it to what the machine says.
	MemoryLimit int64
}

// The roots as the kernel's documentation has them.
const (
	procRoot   = "/proc"
	cgroupRoot = "/sys/fs/cgroup"
)

// filled returns the options with their defaults in place.
func (o Options) filled() Options {
	if o.Proc == "" {
		o.Proc = procRoot
	}
	if o.Cgroup == "" {
		o.Cgroup = cgroupRoot
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
