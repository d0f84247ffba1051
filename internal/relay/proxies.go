package relay

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/proxy"
)

// proxies are the proxies in front of a listener. It counts those of their
// connections that had no good header, and tells of them. It is safe for
// concurrent use; nil is none.
type proxies struct {
	listener string
	networks []netip.Prefix
	log      *slog.Logger
	count    atomic.Int64

	mu   sync.Mutex
	said time.Time
}

// tellAgain is the least time between two lines about bad headers: where a proxy
// is not set up for them each of its connections is bad.
const tellAgain = 10 * time.Second

// proxiesOf returns the proxies in front of a listener; nil where there are none.
func proxiesOf(l *config.Listener, log *slog.Logger) *proxies {
	if len(l.ProxyProtocol) == 0 {
		return nil
	}
	return &proxies{listener: l.Label(), networks: l.ProxyProtocol, log: log}
}

// before returns the listener from which the connections come whose proxies have
// said whom they speak for.
func (p *proxies) before(l net.Listener) (net.Listener, error) {
	if p == nil {
		return l, nil
	}
	front, err := proxy.Listen(l, proxy.Options{Trusted: p.networks, Refused: p.refuse})
	if err != nil {
		return nil, fmt.Errorf("listener %s (key proxy_protocol of [[listener]]): %w", p.listener, err)
	}
	return front, nil
}

// refuse hears of one connection that was closed.
func (p *proxies) refuse(from netip.Addr, err error) {
	n := p.count.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.said) < tellAgain {
		return
	}
	p.said = time.Now()
	p.log.Warn("a connection of a proxy was closed", "listener", p.listener, "proxy", from.String(), "error", err, "so_far", n)
}

// refused is how many there were.
func (p *proxies) refused() int64 {
	if p == nil {
		return 0
	}
	return p.count.Load()
}
