package admission

import "time"

// holdAt is the pressure at which no message is taken that is to be kept for later:
// well before mail that only passes through is sent away.
const holdAt = 0.8

// Hold decides about a message whose sender wants it to be kept until later (RFC
// 4865): it takes room for long, so it is taken only while there is plenty. The
// session goes on, and so may the message, without that wish.
func (c *Controller) Hold(v *Visit, now time.Time) Decision {
	board := c.board.Load()
	for _, id := range [...]SignalID{SignalDisk, SignalFiles, SignalQueue} {
		if s := &board.Signals[id]; s.Effective >= holdAt {
			return c.temporary(v.record(PointMAIL, Record{
				Reason: ReasonHoldBusy, Rule: "there is too little room to keep messages for later",
				Name: id.String(), Unit: s.Unit, Value: s.Value, Limit: s.Target, Board: board,
			}), now)
		}
	}
	return Decision{}
}
