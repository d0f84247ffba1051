package smtpserver

import (
	"strings"
	"sync"
	"time"

	"github.com/weirmail/weir/reply"
)

// wires keeps the replies of a server that are the same for all its clients,
// as they are on the wire: a connection that comes in and says EHLO costs no
// memory for what it hears. It is safe for concurrent use.
type wires struct {
	mu   sync.RWMutex
	rows map[*Row][]byte
	// ehlo has the answer to EHLO by what is offered.
	ehlo map[offer][]byte
}

// row returns a row that has no arguments but the name of the host.
func (w *wires) row(row *Row, hostname string) []byte {
	w.mu.RLock()
	wire := w.rows[row]
	w.mu.RUnlock()
	if wire != nil {
		return wire
	}
	r := row.Reply(hostname)
	wire = r.Append(nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rows == nil {
		w.rows = make(map[*Row][]byte)
	}
	w.rows[row] = wire
	return wire
}

// answerEHLO sends the answer to EHLO: the name, and a line for each extension
// that is offered here and now.
func (c *Conn) answerEHLO() {
	wire := c.server.wires.ehloFor(c)
	c.send(ReplyEHLO, nil, func(dst []byte) []byte { return append(dst, wire...) })
}

func (w *wires) ehloFor(c *Conn) []byte {
	offered := c.offered()
	w.mu.RLock()
	wire := w.ehlo[offered]
	w.mu.RUnlock()
	if wire != nil {
		return wire
	}
	r := reply.Reply{Code: ReplyEHLO.Code, Status: ReplyEHLO.Status, Lines: c.ehloLines()}
	wire = r.Append(nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ehlo == nil || len(w.ehlo) >= maxOffers {
		w.ehlo = make(map[offer][]byte)
	}
	w.ehlo[offered] = wire
	return wire
}

// maxOffers is how many answers are kept: more than a server has states.
const maxOffers = 64

// offer is all by which the answers to EHLO of one server differ.
type offer struct {
	bits       uint64 // one for each extension
	mechanisms string // of AUTH
	minute     int64  // of the clock, where the answer has a date
	soon       bool   // the server closes
}

// offered returns what is offered to this connection, now.
func (c *Conn) offered() (o offer) {
	for i := range extensions {
		if e := &extensions[i]; e.isOffered(c) {
			o.bits |= 1 << i
		}
	}
	if list := c.mechanisms(c.secured()); len(list) > 0 {
		o.mechanisms = strings.Join(list, " ")
	}
	o.soon = c.closesSoon()
	if c.server.Offers.FutureRelease > 0 {
		o.minute = time.Now().Unix() / 60
	}
	return o
}
