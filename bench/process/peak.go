package process

import "time"

// sampling is how often memory is looked at: seldom enough that a hundred
// processes of a server are not disturbed.
const sampling = 500 * time.Millisecond

// Peak watches the memory of a group. It is not safe for concurrent use.
type Peak struct {
	group   *Group
	quit    chan struct{}
	done    chan struct{}
	bytes   int64
	shared  bool
	stopped bool
}

// WatchMemory looks at a group's memory twice a second until Stop.
func WatchMemory(g *Group) *Peak {
	p := &Peak{group: g, quit: make(chan struct{}), done: make(chan struct{}), shared: true}
	go p.run()
	return p
}

func (p *Peak) run() {
	defer close(p.done)
	ticker := time.NewTicker(sampling)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.look()
		case <-p.quit:
			p.look()
			return
		}
	}
}

func (p *Peak) look() {
	bytes, shared, err := p.group.Memory()
	if err == nil {
		p.bytes, p.shared = max(p.bytes, bytes), p.shared && shared
	}
}

// Stop looks a last time and returns the most that was seen, as [Group.Memory]
// does. It may be called again.
func (p *Peak) Stop() (bytes int64, shared bool) {
	if !p.stopped {
		p.stopped = true
		close(p.quit)
	}
	<-p.done
	return p.bytes, p.shared
}
