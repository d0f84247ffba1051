package admission

import "time"

// Where open sessions are judged for what they are about to cost.
const (
	// tlsBusy is the pressure from which on no handshake is begun: the mail of
	// strangers is sent away by then. A better class is judged by where its own
	// mail begins to be.
	tlsBusy = 1.5
	// authBusy is the one from which on no password is checked: whoever has shown
	// who it is belongs to submission, and of that a part is sent away by then.
	authBusy = 1.6
)

// StartTLS decides about a handshake on an open session, which is charged for what
// TLS needs. A refusal leaves the session open, in plain text.
func (c *Controller) StartTLS(v *Visit, now time.Time) Decision {
	limit := max(tlsBusy, shedAt[v.ticket.Class]+openBonus)
	if d := c.busy(v, PointSTARTTLS, ReasonTLSBusy, limit, "the pressure leaves no room for handshakes", now); d.Refused() {
		return d
	}
	more := max(tlsCharge-v.memory, 0)
	if more > 0 && !c.memory.take(v.ticket.Class, more) {
		return c.temporary(v.record(PointSTARTTLS, Record{
			Reason: ReasonTLSBusy, Rule: "the memory for sessions is promised to others", Name: "memory promised", Unit: "bytes",
			Value: float64(c.memory.charged.Load()), Limit: float64(c.memory.budget.Load()),
		}), now)
	}
	v.memory += more
	return Decision{}
}

// Auth decides about an AUTH, before anything is spent on it. Where the client has
// failed too often it is sent away; for want of processors or memory it is told to
// try again, and the session stays open.
func (c *Controller) Auth(v *Visit, now time.Time) Decision {
	keys := v.keys()
	if d := c.refuseOver(v, c.rates.over(kindFailedAuth, keys[:], now), PointAUTH, true, now); d.Refused() {
		return d
	}
	return c.busy(v, PointAUTH, ReasonAuthBusy, authBusy, "the pressure leaves no room for the checking of passwords", now)
}

// AuthCrowded decides about an AUTH whose password was not checked in time, since as
// many others are being checked as may be at once. The session stays open.
func (c *Controller) AuthCrowded(v *Visit, now time.Time) Decision {
	return c.temporary(v.record(PointAUTH, Record{
		Reason: ReasonAuthBusy, Rule: "as many passwords are being checked as may be at once, and it was not the turn of this one in time",
	}), now)
}

// busy refuses from a pressure on.
func (c *Controller) busy(v *Visit, at Point, reason Reason, limit float64, rule string, now time.Time) Decision {
	board := c.board.Load()
	if v.ticket.Class == ClassControl || board.Open < limit {
		return Decision{}
	}
	return c.temporary(v.record(at, Record{
		Reason: reason, Rule: rule, Name: "pressure", Value: board.Open, Limit: limit, Board: board,
	}), now)
}

// AuthFailed counts an AUTH that failed because the client was not who it said, to
// its address and network. A refusal is said in place of the reply to it, and ends
// the session: that was one too many.
func (c *Controller) AuthFailed(v *Visit, now time.Time) Decision {
	_, d := c.take(v, kindFailedAuth, 1, PointAUTH, true, now)
	return d
}

// Account says who the client has shown to be: from now on it belongs to the class
// of submission, or its own where that is better, and its messages, recipients and
// octets are charged to the account, as well as to its address and network. An empty
// name is nobody: the class is that of the address again. It is not called within a
// transaction.
func (c *Controller) Account(v *Visit, name string) {
	v.account, v.ticket.Class = name, v.base
	if name != "" {
		v.ticket.Class = min(v.base, ClassSubmission)
	}
}
