package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// receiver takes so many connections and so many messages a second, counted as a
// bucket that holds those of one second, and answers 421 beyond.
type receiver struct {
	listener net.Listener
	group    sync.WaitGroup
	vague    bool

	mu      sync.Mutex
	limits  phase
	tokens  float64
	at      time.Time
	open    map[net.Conn]bool
	began   time.Time
	taken   []time.Duration
	refused []time.Duration
	most    int
}

func newReceiver(first phase, vague bool) (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening the receiver: %w", err)
	}
	now := time.Now()
	r := &receiver{listener: l, vague: vague, limits: first, tokens: first.rate, at: now, began: now, open: map[net.Conn]bool{}}
	r.group.Go(r.accept)
	return r, nil
}

func (r *receiver) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.group.Go(func() { r.serve(c) })
	}
}

// set changes what is taken.
func (r *receiver) set(p phase) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limits = p
}

func (r *receiver) close() {
	r.listener.Close()
	r.mu.Lock()
	for c := range r.open {
		c.Close()
	}
	r.mu.Unlock()
	r.group.Wait()
}

func (r *receiver) enter(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.open) >= r.limits.connections {
		r.refused = append(r.refused, time.Since(r.began))
		return false
	}
	r.open[c] = true
	r.most = max(r.most, len(r.open))
	return true
}

func (r *receiver) leave(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
}

func (r *receiver) token() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.limits.rate == 0 {
		return true
	}
	now := time.Now()
	r.tokens = min(r.limits.rate, r.tokens+now.Sub(r.at).Seconds()*r.limits.rate)
	r.at = now
	if r.tokens < 1 {
		r.refused = append(r.refused, time.Since(r.began))
		return false
	}
	r.tokens--
	return true
}

// text is what a refusal says.
func (r *receiver) text(why string) string {
	if r.vague {
		why = "Service not available, try again later"
	}
	return "421 4.7.0 receiver.bench.example " + why + "\r\n"
}

// patience is how long a client may be silent.
const patience = time.Minute

func (r *receiver) serve(c net.Conn) {
	defer c.Close()
	if !r.enter(c) {
		fmt.Fprint(c, r.text("too many concurrent connections from your address"))
		return
	}
	defer r.leave(c)
	in := bufio.NewReaderSize(c, 16<<10)
	fmt.Fprint(c, "220 receiver.bench.example\r\n")
	for {
		if c.SetReadDeadline(time.Now().Add(patience)) != nil {
			return
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		answer := "250 2.0.0 ok\r\n"
		switch verb := strings.ToUpper(line[:min(4, len(line))]); verb {
		case "MAIL":
			if !r.token() {
				fmt.Fprint(c, r.text("rate limit exceeded, you are sending too fast"))
				return
			}
		case "DATA":
			fmt.Fprint(c, "354 go on\r\n")
			if !readContent(in) {
				return
			}
			r.mu.Lock()
			r.taken = append(r.taken, time.Since(r.began))
			r.mu.Unlock()
		case "QUIT":
			fmt.Fprint(c, "221 2.0.0 bye\r\n")
			return
		}
		fmt.Fprint(c, answer)
	}
}

// readContent reads up to the lone dot.
func readContent(in *bufio.Reader) bool {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return false
		}
		if bytes.Equal(line, []byte(".\r\n")) {
			return true
		}
	}
}

// log returns what was taken and refused so far, by the time since the beginning.
func (r *receiver) log() (taken, refused []time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Duration(nil), r.taken...), append([]time.Duration(nil), r.refused...)
}
