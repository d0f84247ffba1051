package inbox

import (
	"sync"
	"time"
)

// Options are how an inbox is set up. The zero value is fit for use.
type Options struct {
	// Messages is how many messages are kept; 0 means 1000. The oldest are
	// dropped for new ones.
	Messages int
	// Bytes is how much content is kept, and the greatest message that is
	// taken; 0 means 256 MiB.
	Bytes int64
	// Hostname is the name that the inbox gives itself as an SMTP server;
	// empty means "inbox.localhost".
	Hostname string
	// Try is a command line that sends a first message. The page shows it
	// while it has nothing else to show.
	Try string
	// Now is the clock; nil means time.Now. Times are shown in its location.
	Now func() time.Time
}

// Inbox keeps the messages that were delivered to it. It is safe for
// concurrent use.
type Inbox struct {
	options Options

	mu       sync.Mutex
	messages []*message // oldest first
	bytes    int64
	dropped  int64 // how many had to make room
	arrived  int64 // how many ever came
	version  int64 // grows with each change
	watchers map[chan struct{}]struct{}
	closed   chan struct{}
}

// New returns an empty inbox.
func New(o Options) *Inbox {
	if o.Messages <= 0 {
		o.Messages = 1000
	}
	if o.Bytes <= 0 {
		o.Bytes = 256 << 20
	}
	if o.Hostname == "" {
		o.Hostname = "inbox.localhost"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Inbox{options: o, watchers: map[chan struct{}]struct{}{}, closed: make(chan struct{})}
}

// Close ends the live updates of the pages that are open, which an HTTP server
// that shuts down would wait for without end. It may be called more than once.
func (in *Inbox) Close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	select {
	case <-in.closed:
	default:
		close(in.closed)
	}
}
