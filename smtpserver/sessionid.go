package smtpserver

import (
	"sync"
	"sync/atomic"
	"time"
)

// sessionIDs numbers the sessions of a server. The first number comes from
// the clock, so that a restart does not repeat what a log has.
type sessionIDs struct {
	once sync.Once
	last atomic.Uint64
}

func (s *sessionIDs) next() uint64 {
	s.once.Do(func() { s.last.Store(uint64(time.Now().UnixMicro())) })
	return s.last.Add(1)
}

// format writes a number with the letters of Crockford's base 32, so that it
// can be read out over a telephone.
func (s *sessionIDs) format(id uint64) string {
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	var text [13]byte
	i := len(text)
	for {
		i--
		text[i] = letters[id%32]
		id /= 32
		if id == 0 {
			return string(text[i:])
		}
	}
}
