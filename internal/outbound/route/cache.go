package route

import (
	"sync"
	"time"
)

// cache keeps the routes that the DNS gave, by their domains. It holds no
// more than maxCached of them.
type cache struct {
	mu     sync.RWMutex
	routes map[cacheKey]cached
}

type cached struct {
	route *Route
	until time.Time
}

// maxCached bounds the memory: a route whose records fill what they can takes
// 8 KiB, a usual one a few hundred bytes.
const maxCached = 8192

func newCache() *cache { return &cache{routes: make(map[cacheKey]cached)} }

// get returns the route of a domain, or nil.
func (c *cache) get(key cacheKey, now time.Time) *Route {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if e := c.routes[key]; now.Before(e.until) {
		return e.route
	}
	return nil
}

// put keeps a route. Where there are too many it drops what has run out, and
// else whatever comes first: it will be asked for again.
func (c *cache) put(key cacheKey, r *Route, now, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.routes) >= maxCached {
		c.drop(now)
	}
	c.routes[key] = cached{r, until}
}

func (c *cache) drop(now time.Time) {
	for domain, e := range c.routes {
		if !now.Before(e.until) {
			delete(c.routes, domain)
		}
	}
	for domain := range c.routes {
		if len(c.routes) < maxCached*3/4 {
			return
		}
		delete(c.routes, domain)
	}
}
