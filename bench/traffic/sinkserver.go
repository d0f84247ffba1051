package traffic

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
)

// serveSink is the mode of the sink: it prints its address, and then serves
// both mail and questions until its standard input ends.
func serveSink(_ context.Context, _ []string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("opening the sink: %w", err)
	}
	t := newTally()
	var server sync.WaitGroup
	server.Go(func() { acceptAll(l, t) })
	defer server.Wait()
	defer l.Close()
	if err := json.NewEncoder(os.Stdout).Encode(l.Addr().String()); err != nil {
		return fmt.Errorf("telling the sink's address: %w", err)
	}
	return answer(t, os.Stdin, os.Stdout)
}

// acceptAll serves connections until the listener is closed, and closes those
// that are open then.
func acceptAll(l net.Listener, t *tally) {
	buffers := sync.Pool{New: func() any { return new([sinkBuffer]byte) }}
	var sessions sync.WaitGroup
	defer sessions.Wait()
	open := openConns{conns: map[net.Conn]struct{}{}}
	defer open.closeAll()
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		open.add(nc)
		sessions.Go(func() {
			defer open.remove(nc)
			buffer := buffers.Get().(*[sinkBuffer]byte)
			defer buffers.Put(buffer)
			newSinkSession(nc, t, buffer[:]).run()
		})
	}
}

// openConns are the connections that have to be closed at the end.
type openConns struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func (o *openConns) add(nc net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.conns[nc] = struct{}{}
}

func (o *openConns) remove(nc net.Conn) {
	nc.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.conns, nc)
}

func (o *openConns) closeAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for nc := range o.conns {
		nc.Close()
	}
}
