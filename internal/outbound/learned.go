package outbound

import (
	"sync"
	"time"

	"github.com/weirmail/weir/internal/outbound/lane"
)

// learned keeps what lanes have learned beyond the time in which they have work:
// who sends a newsletter each day is not to find out each day.
type learned struct {
	mu    sync.Mutex
	lanes map[string]lane.Learned
}

const (
	// learnedLife is how long it is believed.
	learnedLife = 24 * time.Hour
	// maxLearned bounds the memory, to about 2 MiB.
	maxLearned = 4096
)

// of returns what was learned of a lane, and forgets it.
func (k *learned) of(name string, now time.Time) lane.Learned {
	k.mu.Lock()
	defer k.mu.Unlock()
	l, ok := k.lanes[name]
	delete(k.lanes, name)
	if !ok || now.Sub(l.At) > learnedLife {
		return lane.Learned{}
	}
	return l
}

// keep remembers what a lane has learned. Where there is too much, what is too old
// goes, and then whatever comes first.
func (k *learned) keep(name string, l lane.Learned, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lanes == nil {
		k.lanes = make(map[string]lane.Learned)
	}
	if len(k.lanes) >= maxLearned {
		k.drop(now)
	}
	k.lanes[name] = l
}

func (k *learned) drop(now time.Time) {
	for name, l := range k.lanes {
		if now.Sub(l.At) > learnedLife {
			delete(k.lanes, name)
		}
	}
	for name := range k.lanes {
		if len(k.lanes) < maxLearned*3/4 {
			return
		}
		delete(k.lanes, name)
	}
}
