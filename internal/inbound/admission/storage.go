package admission

import (
	"net/netip"
	"time"
)

// NotStored records that the store could not do what it was asked for: it is no
// decision of the controller's, and no mode lets it pass, but whoever is refused for it
// is told a time to come back and a number that leads to the cause. At PointContent the
// session goes on, at other points it ends. v may be nil, for a client that came past the
// door; its address and the names are those of the session. It is safe for concurrent
// use.
func (c *Controller) NotStored(v *Visit, at Point, reason Reason, rule string, s Stranger, now time.Time) Decision {
	r := Record{Client: s.Client, Class: ClassUnknown, Listener: s.Listener, Session: s.Session, Point: at}
	if v != nil {
		r = v.record(at, Record{})
		v.putOff = true
	}
	r.Reason, r.Rule, r.Hard, r.Closes = reason, rule, true, at != PointContent
	return c.decide(r, now)
}

// Stranger is what is known of a client that came past the door.
type Stranger struct {
	Client            netip.Addr
	Listener, Session string
}
