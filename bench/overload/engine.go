package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

const (
	// batch is how many connections are started before what has come is looked
	// at, so that neither waits for the other.
	batch = 32
	// rest is how long a client of a load with Clients stays away after
	// anything but a 250.
	rest = 20 * time.Millisecond
	// files is how many descriptors are asked for: each connection that a slow
	// server holds takes one.
	files = 100_000
	// nap bounds a wait, so that an end from outside is seen.
	nap = 100 * time.Millisecond
)

// engine is the generator: one thread, one epoll, and a visit for each open
// connection. A goroutine for each would cost the machine more than the
// refusals that are to be measured.
type engine struct {
	load    *load
	poll    int
	to      syscall.SockaddrInet4
	records []record
	dues    []time.Duration // not started yet
	again   []time.Duration // the same, of clients that begin anew
	visits  []*visit        // open, by their descriptors
	order   []waiting       // all that were opened, oldest first
	open    int
	free    []*visit
	buffer  []byte
	message []byte
	idAt    int // where its Message-ID stands
}

// waiting is a visit whose patience may run out; the number tells whether it
// is still the same.
type waiting struct {
	visit  *visit
	number int
}

func newEngine(l *load) (*engine, error) {
	host, err := net.ResolveTCPAddr("tcp4", l.Address)
	if err != nil {
		return nil, fmt.Errorf("reading the server's address: %w", err)
	}
	e := &engine{load: l, dues: l.dues(), buffer: make([]byte, 16<<10)}
	e.to.Port = host.Port
	copy(e.to.Addr[:], host.IP.To4())
	e.records = make([]record, 0, len(e.dues)+l.Clients*1000)
	for range l.Clients {
		e.again = append(e.again, 0)
	}
	e.message, e.idAt = template(l.Run, l.Size)
	// Without the right to more there have to be fewer.
	limit := syscall.Rlimit{Cur: files, Max: files}
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	if e.poll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("making an epoll: %w", err)
	}
	return e, nil
}

// template is a message, with its end, whose Message-ID is overwritten for
// each connection.
func template(run string, size int) (message []byte, idAt int) {
	const line = "What comes down the river comes on time, whether the weir has room or not.\r\n"
	id := messageID(run, 0)
	head := "From: <sender@bench.example>\r\nTo: <recipient@bench.example>\r\nSubject: overload\r\nMessage-ID: "
	text := strings.Repeat(line, size/len(line)+1)[:max(0, size-2)] + "\r\n"
	return []byte(head + id + "\r\n\r\n" + text + ".\r\n"), len(head)
}

// content is the message of a connection. It is valid until the next one.
func (e *engine) content(number int) []byte {
	copy(e.message[e.idAt:], messageID(e.load.Run, number))
	return e.message
}

// now is the time since the epoch.
func (e *engine) now() time.Duration { return time.Since(e.load.Epoch) }

func (e *engine) close() {
	for _, v := range e.visits {
		if v != nil {
			syscall.Close(v.fd)
		}
	}
	syscall.Close(e.poll)
}

// run works until the last connection has ended.
func (e *engine) run(ctx context.Context) error {
	time.Sleep(-e.now())
	events := make([]syscall.EpollEvent, 512)
	for ctx.Err() == nil {
		e.start()
		e.giveUp()
		if len(e.dues) == 0 && len(e.again) == 0 && e.open == 0 {
			return nil
		}
		n, err := syscall.EpollWait(e.poll, events, e.wait())
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("waiting for replies: %w", err)
		}
		for _, event := range events[:max(n, 0)] {
			e.happened(event)
		}
	}
	return ctx.Err()
}

// start starts what is due, a batch at most.
func (e *engine) start() {
	now := e.now()
	for range batch {
		switch {
		case len(e.dues) > 0 && e.dues[0] <= now:
			e.visit(e.dues[0])
			e.dues = e.dues[1:]
		case len(e.again) > 0 && e.again[0] >= e.load.For:
			e.again = e.again[1:]
		case len(e.again) > 0 && e.again[0] <= now:
			e.visit(e.again[0])
			e.again = e.again[1:]
		default:
			return
		}
	}
}

// wait is until the next thing that is due, in the whole milliseconds that
// epoll counts in.
func (e *engine) wait() int {
	next := e.now() + nap
	for _, due := range [][]time.Duration{e.dues, e.again} {
		if len(due) > 0 {
			next = min(next, due[0])
		}
	}
	if len(e.order) > 0 {
		next = min(next, e.order[0].visit.due())
	}
	left := next - e.now()
	if left <= 0 {
		return 0
	}
	return int((left + time.Millisecond - 1) / time.Millisecond)
}

// giveUp ends those that have waited long enough.
func (e *engine) giveUp() {
	now := e.now()
	for len(e.order) > 0 {
		w := e.order[0]
		if here := w.visit.number == w.number && !w.visit.over; here {
			if w.visit.due() > now {
				return
			}
			w.visit.settle(timedOut, 0)
			e.leave(w.visit)
		}
		e.order = e.order[1:]
	}
}

// visit opens a connection.
func (e *engine) visit(due time.Duration) {
	number := len(e.records)
	e.records = append(e.records, record{Due: due, Started: e.now()})
	v := e.newVisit(number)
	var err error
	if v.fd, err = e.connect(number); err != nil {
		v.fd = -1
		v.settle(unconnected, 0)
		e.leave(v)
		return
	}
	for v.fd >= len(e.visits) {
		e.visits = append(e.visits, make([]*visit, max(1024, len(e.visits)))...)
	}
	e.visits[v.fd] = v
	e.open++
	e.order = append(e.order, waiting{v, number})
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLOUT, Fd: int32(v.fd)}
	if err := syscall.EpollCtl(e.poll, syscall.EPOLL_CTL_ADD, v.fd, &event); err != nil {
		v.settle(unconnected, 0)
		e.leave(v)
	}
}

func (e *engine) newVisit(number int) *visit {
	v := &visit{}
	if last := len(e.free) - 1; last >= 0 {
		v, e.free = e.free[last], e.free[:last]
	}
	*v = visit{engine: e, number: number, line: v.line[:0]}
	return v
}

// bindAddressNoPort lets the kernel choose a port that is free towards the
// server alone, so that the ports of an address do not run out.
const bindAddressNoPort = 24

// connect begins to connect, from the network that is next in turn.
func (e *engine) connect(number int) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if e.load.Nets > 1 {
		err = errors.Join(
			syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, bindAddressNoPort, 1),
			syscall.Bind(fd, e.source(number)),
		)
	}
	if err == nil {
		err = syscall.Connect(fd, &e.to)
	}
	if err != nil && !errors.Is(err, syscall.EINPROGRESS) {
		syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

// source is an address of a client: each network is a /24 of its own.
func (e *engine) source(number int) *syscall.SockaddrInet4 {
	net := number % e.load.Nets
	return &syscall.SockaddrInet4{Addr: [4]byte{127, byte(1 + net/250%250), byte(net % 250), 1}}
}

// watch asks to be told when more can be written, or not any more.
func (e *engine) watch(v *visit, writable bool) {
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(v.fd)}
	if writable {
		event.Events |= syscall.EPOLLOUT
	}
	_ = syscall.EpollCtl(e.poll, syscall.EPOLL_CTL_MOD, v.fd, &event)
}

// happened lets the visit of an event go on.
func (e *engine) happened(event syscall.EpollEvent) {
	v := e.visits[event.Fd]
	if v == nil {
		return
	}
	switch {
	case event.Events&syscall.EPOLLOUT == 0:
	case v.record().Connected == 0:
		v.record().Connected = e.now()
		e.watch(v, false)
	default:
		v.flush()
	}
	if event.Events&^syscall.EPOLLOUT != 0 && !v.over {
		v.read(e.buffer)
	}
}

// leave closes a connection.
func (e *engine) leave(v *visit) {
	if v.over {
		return
	}
	v.over = true
	if v.fd >= 0 {
		syscall.Close(v.fd)
		if v.fd < len(e.visits) && e.visits[v.fd] == v {
			e.visits[v.fd] = nil
			e.open--
		}
	}
	if e.load.Clients > 0 {
		e.beginAnew(v)
	}
	e.free = append(e.free, v)
}

// beginAnew lets the client of a visit come again: at once where its message
// was taken.
func (e *engine) beginAnew(v *visit) {
	now := e.now()
	if v.record().Outcome == accepted {
		e.again = append([]time.Duration{now}, e.again...)
		return
	}
	e.again = append(e.again, now+rest)
}
