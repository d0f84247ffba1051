package relay

import (
	"context"
	"fmt"
	"math"
	"net"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/internal/resources"
	"github.com/weirmail/weir/internal/spool/disk"
	"github.com/weirmail/weir/internal/vfs"
)

// sensors read what the machine and the spool say, and put it into the words of
// admission: which value is the target, and which the hard limit.
type sensors struct {
	store       *disk.Store
	memory      *resources.Memory
	delay       *resources.CPUDelay
	descriptors *resources.Descriptors
	disk        *resources.Disk
	listeners   []net.Listener

	// controller is asked how many came, and backlog is what the queues of the
	// listeners are set to.
	controller *admission.Controller
	came       int64
	cameAt     time.Time
	backlog    int

	messageSize float64
	reserve     float64
	queueLimit  float64
	sessions    string // where the greatest number of sessions comes from

	// runtimeLimit is what Go's collector was told of the limit of memory; 0 until
	// it was, negative where the environment has set it (GOMEMLIMIT).
	runtimeLimit int64

	mu      sync.Mutex
	slow    admission.Readings // those that are read less often
	budgets admission.Budgets
	stalled time.Time // when memory was last seen to stall
}

// How often the sensors are read.
const (
	tick      = 50 * time.Millisecond
	everyTwo  = 2 // ticks: memory
	everyFive = 5 // ticks: disk, descriptors, the queue of the system
)

// newSensors returns the sensors. That of the store is missing.
func newSensors(cfg *config.Config) *sensors {
	o := resources.Options{MemoryLimit: int64(cfg.Admission.Memory)}
	spoolDir := filepath.Join(cfg.StateDir, "spool")
	s := &sensors{
		memory:      resources.NewMemory(o),
		delay:       resources.NewCPUDelay(o),
		descriptors: resources.NewDescriptors(o),
		disk: resources.NewDisk(func() (bytes, totalBytes, files, totalFiles int64, err error) {
			room, err := vfs.RoomAt(vfs.Disk(), spoolDir)
			return room.Bytes, room.TotalBytes, room.Files, room.TotalFiles, err
		}),
		messageSize: float64(cfg.SMTP.MaxMessageSize),
		reserve:     float64(cfg.Spool.ReserveDisk),
		queueLimit:  float64(cfg.Admission.QueueLimit),
	}
	if debug.SetMemoryLimit(-1) != math.MaxInt64 {
		s.runtimeLimit = -1
	}
	return s
}

// tellRuntime tells Go's collector of the limit of memory, which may change while
// the relay runs.
func (s *sensors) tellRuntime(limit int64) {
	if s.runtimeLimit >= 0 && limit > 0 && limit != s.runtimeLimit {
		s.runtimeLimit = limit
		debug.SetMemoryLimit(resources.MemoryLimitFor(limit))
	}
}

// connections is the greatest number of them: what is set, or what descriptors and
// memory allow. It is asked for once, before the sensors run.
func (s *sensors) connections(set int) int {
	if set > 0 {
		s.sessions = "[admission] max_connections"
		return set
	}
	most := 1 << 20
	s.sessions = "what is possible"
	if d := s.descriptors.Read(); d.Unavailable == "" && d.Limit > 0 {
		most, s.sessions = int(d.Limit*0.9), "90 % of the descriptors, "+d.Source
	}
	if m := s.memory.Read(); m.Unavailable == "" && m.Limit > 0 {
		if n := int(budgetOf(m.Limit) / (16 << 10)); n < most {
			most, s.sessions = n, "one for each 16 KiB of 55 % of the memory, "+m.Source
		}
	}
	return most
}

// budgetOf is the part of a limit of memory that may be promised; the rest is the
// collector's room, and the store's.
func budgetOf(limit int64) int64 { return limit * 55 / 100 }

// run reads the sensors and lets the controller know, until the context ends.
func (s *sensors) run(ctx context.Context, c *admission.Controller) {
	s.controller = c
	var group sync.WaitGroup
	group.Go(func() { s.delay.Run(ctx) })
	group.Go(func() { s.readSlow(ctx) })
	defer group.Wait()
	s.measureMemory()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for n := 1; ; n++ {
		if n%everyTwo == 0 {
			s.measureMemory()
		}
		readings, budgets := s.now()
		c.Tick(&readings, budgets, time.Now())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// now is what is known: the quick sensors are read, the slow ones have been.
func (s *sensors) now() (admission.Readings, admission.Budgets) {
	s.mu.Lock()
	r, b := s.slow, s.budgets
	s.mu.Unlock()
	r[admission.SignalLoad] = admission.Reading{
		Value: milliseconds(s.delay.Late()), Target: 40, Hard: 200, Unit: "ms",
		Source: "fixed: how late a goroutine runs that is due",
	}
	r[admission.SignalStorage], r[admission.SignalFault] = s.storage()
	return r, b
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// storage is the age of the oldest commit, against what commits take.
func (s *sensors) storage() (age, fault admission.Reading) {
	c := s.store.Commits()
	target := max(time.Second, 8*c.Median)
	age = admission.Reading{
		Value: milliseconds(c.Oldest), Target: milliseconds(target),
		Hard: milliseconds(max(10*time.Second, 2*target)), Unit: "ms",
		Source: storageSource(c.Median),
	}
	fault = admission.Reading{Target: 1, Hard: 1, Unit: "faults", Source: "fixed: any fault of the store"}
	if s.store.Err() != nil {
		fault.Value = 2
	}
	return age, fault
}

// storageSource says where the limits of the age of a commit come from.
func storageSource(median time.Duration) string {
	switch {
	case median == 0:
		return "1 s and 10 s: nothing was committed yet"
	case 8*median <= time.Second:
		return fmt.Sprintf("1 s and 10 s, which is more than 8 times the median of %v", median.Round(10*time.Microsecond))
	}
	return fmt.Sprintf("8 times the median of %v, and twice that, at least 10 s", median.Round(time.Millisecond))
}

// memoryStall is for how long a stall of memory counts.
const memoryStall = 5 * time.Second

func (s *sensors) measureMemory() {
	m := s.memory.Read()
	s.tellRuntime(m.Limit)
	r := admission.Reading{
		Value: float64(m.Used), Target: 0.8 * float64(m.Limit), Hard: 0.92 * float64(m.Limit),
		Unit: "bytes", Source: "80 % and 92 % of " + m.Source, Unavailable: m.Unavailable,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if m.GCLimiter || m.FullStall > 0.05 {
		s.stalled = now
	}
	if !s.stalled.IsZero() && now.Sub(s.stalled) < memoryStall && r.Unavailable == "" {
		r.Value = max(r.Value, r.Hard)
		r.Source += "; work stands still for memory"
	}
	s.slow[admission.SignalMemory] = r
	s.slow[admission.SignalSessions].Source = "80 % and 95 % of " + s.sessions
	s.budgets.Memory = 0
	if m.Unavailable == "" {
		s.budgets.Memory = budgetOf(m.Limit)
	}
}

// readSlow reads what may take long, such as a disk over the network, apart from
// what must not wait.
func (s *sensors) readSlow(ctx context.Context) {
	ticker := time.NewTicker(everyFive * tick)
	defer ticker.Stop()
	for n := 0; ; n++ {
		s.measureDisk()
		s.measureDescriptors()
		s.measureAcceptQueue()
		s.adaptBacklog(time.Now())
		if n%4 == 0 {
			s.measureQueue(ctx)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// measureDisk judges what is left above the reserve, which new mail never uses.
func (s *sensors) measureDisk() {
	bytes, files := s.disk.Read()
	left := bytes.Value - s.reserve
	room := admission.Reading{
		Value: left, Target: min(bytes.Limit/20, 64*s.messageSize), Hard: min(bytes.Limit/100, 2*s.messageSize),
		Unit: "bytes", Unavailable: bytes.Unavailable,
		Source: "5 % and 1 % of the disk, at most 64 and 2 of the largest messages, above [spool] reserve_disk",
	}
	inodes := admission.Reading{
		Value: files.Value, Target: min(files.Limit/20, 4096), Hard: min(files.Limit/100, 512),
		Unit: "files", Unavailable: files.Unavailable,
		Source: "5 % and 1 % of what the disk can hold, at most 4096 and 512",
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow[admission.SignalDisk], s.slow[admission.SignalFiles] = room, inodes
	s.budgets.Disk = 0
	if room.Unavailable == "" {
		s.budgets.Disk = max(int64(left), 1)
	}
}

func (s *sensors) measureDescriptors() {
	d := s.descriptors.Read()
	s.set(admission.SignalDescriptors, admission.Reading{
		Value: d.Value, Target: 0.8 * d.Limit, Hard: 0.95 * d.Limit, Unit: "descriptors",
		Source: "80 % and 95 % of " + d.Source, Unavailable: d.Unavailable,
	})
}

func (s *sensors) set(id admission.SignalID, r admission.Reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow[id] = r
}

// measureAcceptQueue takes the fullest queue of the listeners: connections that the
// system has made, and nobody has accepted.
func (s *sensors) measureAcceptQueue() {
	r := admission.Reading{
		Unit: "part of the queue", Source: "tells only: the queue is kept short, and refuses nobody by itself",
	}
	known := false
	for _, l := range s.listeners {
		conn, ok := l.(syscall.Conn)
		if !ok {
			continue
		}
		if depth, limit, err := resources.ListenQueue(conn); err == nil && limit > 0 {
			known = true
			r.Value = max(r.Value, float64(depth)/float64(limit))
		}
	}
	if !known {
		r.Unavailable = "the system does not tell"
	}
	s.set(admission.SignalAcceptQueue, r)
}

// measureQueue counts what waits. Mail that waits for a remote server counts by
// its number alone.
func (s *sensors) measureQueue(ctx context.Context) {
	stats, err := s.store.Stats(ctx)
	r := admission.Reading{
		Value: float64(stats.Messages), Target: 0.8 * s.queueLimit, Hard: s.queueLimit, Unit: "messages",
		Source: "80 % and 100 % of [admission] queue_limit",
	}
	if s.queueLimit == 0 {
		r.Source = "no limit is set ([admission] queue_limit)"
	}
	if err != nil {
		r.Unavailable = err.Error()
	}
	s.set(admission.SignalQueue, r)
	late := admission.Reading{Target: 300, Hard: 1800, Unit: "s", Source: "fixed: 5 and 30 minutes of being ready and not tried"}
	if ready := s.store.OldestReady(); !ready.IsZero() {
		late.Value = max(time.Since(ready).Seconds(), 0)
	}
	s.set(admission.SignalBacklog, late)
}

// The bounds of the queue of a listener, in the system: how many connections it
// makes before anybody has accepted them.
const (
	leastBacklog = 128
	mostBacklog  = 4096
)

// adaptBacklog keeps the queues of the listeners to what is accepted in an eighth
// of a second, while processors are short: whoever is further behind is served so late
// that it has gone, and a connection that the system does not make yet costs nobody
// anything. With processors to spare the queues are long, for bursts.
func (s *sensors) adaptBacklog(now time.Time) {
	came := s.controller.Came()
	rate := float64(came-s.came) / max(now.Sub(s.cameAt).Seconds(), 0.01)
	s.came, s.cameAt = came, now
	want := mostBacklog
	if s.controller.Short() {
		want = max(leastBacklog, min(int(rate/8), mostBacklog))
	}
	if want*4 > s.backlog*3 && want*3 < s.backlog*4 {
		return
	}
	s.backlog = want
	for _, l := range s.listeners {
		if conn, ok := l.(syscall.Conn); ok {
			resources.SetBacklog(conn, want) // an error leaves it as it is
		}
	}
}
