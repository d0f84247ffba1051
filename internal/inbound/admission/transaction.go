package admission

import (
	"fmt"
	"time"
)

// Mail decides about a transaction on an open session. size is what the client
// declared, 0 where it did not.
func (c *Controller) Mail(v *Visit, size int64, now time.Time) Decision {
	board := c.board.Load()
	part := share(v.ticket.Class, board.Open-openBonus)
	if v.ticket.Class != ClassControl && board.Open >= 2 {
		part = 1
	}
	if c.lot.below(part, v.ticket.Net, now) {
		d := c.refuse(v.record(PointMAIL, Record{
			Reason: board.OpenDeciding.Reason(), Rule: "the pressure sends away a part of this class",
			Name: "share of the class", Unit: "share", Value: part, Board: board,
		}), now)
		if d.Refused() {
			return d
		}
	}
	d := c.chargeMail(v, size, now)
	if d.Refused() {
		return d
	}
	d = c.reserve(v, size, now)
	v.putOff = d.Refused()
	return d
}

// chargeMail charges a message of a size to the rates.
func (c *Controller) chargeMail(v *Visit, size int64, now time.Time) (d Decision) {
	if v.messages, d = c.take(v, kindMessage, 1, PointMAIL, false, now); d.Refused() {
		return d
	}
	if v.bytes, d = c.take(v, kindBytes, bytesOf(size), PointMAIL, false, now); d.Refused() {
		c.giveBack(v, kindMessage, v.messages)
		v.messages = 0
	}
	return d
}

// take charges n of a kind to the rates of a visit, and returns how many were
// charged: none where a limit is used up.
func (c *Controller) take(v *Visit, k kind, n int, at Point, closes bool, now time.Time) (charged int, d Decision) {
	keys := v.keys()
	over := c.rates.take(k, keys[:], n, now)
	if over != nil {
		return 0, c.refuseOver(v, over, at, closes, now)
	}
	return n, Decision{}
}

// refuseOver refuses by the first of the limits that are used up. Where refusals
// only count, each of them counts.
func (c *Controller) refuseOver(v *Visit, over []*overrun, at Point, closes bool, now time.Time) Decision {
	for _, o := range over {
		r := o.record(v, at)
		r.Closes = closes
		if d := c.decide(r, now); d.Refused() {
			return d
		}
	}
	return Decision{}
}

// reserve charges the ledgers for a transaction.
func (c *Controller) reserve(v *Visit, size int64, now time.Time) Decision {
	work := transactionCharge + min(size, contentCharge)
	if c.memory.take(v.ticket.Class, work) {
		v.work += work
	} else {
		d := c.temporary(v.record(PointMAIL, Record{
			Reason: ReasonMemory, Rule: "the memory for transactions is promised to others",
			Name: "memory promised", Unit: "bytes", Value: float64(c.memory.charged.Load()), Limit: float64(c.memory.budget.Load()),
		}), now)
		if d.Refused() {
			return d
		}
	}
	return c.reserveRoom(v, diskCharge(size), PointMAIL, now)
}

// diskCharge is what a message of a size takes on the disk, with what the store
// writes around it.
func diskCharge(size int64) int64 { return size + size/20 + 16<<10 }

// reserveRoom charges the ledger of the disk.
func (c *Controller) reserveRoom(v *Visit, n int64, at Point, now time.Time) Decision {
	v.asked += n
	if !c.disk.take(v.ticket.Class, n) {
		return c.temporary(v.record(at, Record{
			Reason: ReasonDisk, Rule: "the room on the disk is promised to others",
			Name: "room promised on the disk", Unit: "bytes", Value: float64(c.disk.charged.Load() + n), Limit: float64(c.disk.budget.Load()),
		}), now)
	}
	v.room += n
	return Decision{}
}

// contentStep is by how much the reservation grows while a message arrives.
const contentStep = 1 << 20

// Grow makes the reservation of a message large enough for what has arrived of
// it.
func (c *Controller) Grow(v *Visit, arrived int64, now time.Time) Decision {
	if need := diskCharge(arrived); need > v.asked {
		return c.reserveRoom(v, contentStep, PointContent, now)
	}
	return Decision{}
}

// Recipient decides about one more recipient.
func (c *Controller) Recipient(v *Visit, now time.Time) Decision {
	_, d := c.take(v, kindRecipient, 1, PointRCPT, false, now)
	return d
}

// Unknown counts a recipient that was refused as unknown or not relayed, and
// decides whether the client has tried too many.
func (c *Controller) Unknown(v *Visit, now time.Time) Decision {
	_, d := c.take(v, kindUnknown, 1, PointRCPT, true, now)
	return d
}

// Data is the last look before the bytes of a message. After it only a hard
// fault may turn into a refusal.
func (c *Controller) Data(v *Visit, now time.Time) Decision {
	board := c.board.Load()
	if v.ticket.Class == ClassControl || board.Open < 2 {
		return Decision{}
	}
	return c.refuse(v.record(PointDATA, Record{
		Reason: board.OpenDeciding.Reason(), Rule: "the pressure is at its hard limit", Board: board,
	}), now)
}

// Greylisted words that a recipient has to be tried again, as the greylist says.
func (c *Controller) Greylisted(v *Visit, closes bool, retry time.Duration, rule string, now time.Time) Decision {
	d := c.decide(v.record(PointRCPT, Record{Reason: ReasonGreylist, Rule: rule, Retry: retry, Closes: closes}), now)
	if d.Refused() {
		c.giveBack(v, kindRecipient, 1)
		v.putOff = true
	}
	return d
}

// Taken notes a message that was taken; took is the time that the relay itself
// spent on its transaction. EndTransaction follows.
func (c *Controller) Taken(v *Visit, took time.Duration, now time.Time) {
	v.putOff = false
	c.gate.completed(now, took)
}

// EndTransaction gives back what the transaction was charged: its part of the
// ledgers, and where it was put off by Weir itself and took no message, what counted
// against the rates, since it comes again.
func (c *Controller) EndTransaction(v *Visit) {
	if v.putOff {
		c.giveBack(v, kindMessage, v.messages)
		c.giveBack(v, kindBytes, v.bytes)
	}
	v.putOff, v.messages, v.bytes, v.asked = false, 0, 0, 0
	c.memory.give(v.work)
	c.disk.give(v.room)
	v.work, v.room = 0, 0
}

// temporary is a refusal after which the session goes on.
func (c *Controller) temporary(r Record, now time.Time) Decision {
	r.Closes = false
	return c.decide(r, now)
}

// Yield gives up the slot of a session that waits for its client.
func (c *Controller) Yield(v *Visit, now time.Time) {
	if !v.yielded {
		v.yielded = true
		c.gate.pause(&v.ticket, now)
	}
}

// Between gives up the slot of a session at the end of a transaction where somebody
// waits for one, so that those who send much over one connection take turns with
// those who wait. Resume takes it again.
func (c *Controller) Between(v *Visit, now time.Time) {
	if c.gate.anyoneWaits() {
		c.Yield(v, now)
	}
}

// Yielded tells that the visit has no slot, and Resume is due before more work.
func (v *Visit) Yielded() bool { return v.yielded }

// Resume takes a slot again. ready is as for Knock; the verdict Wait means that
// it will be called.
func (c *Controller) Resume(v *Visit, ready func(ok bool), now time.Time) Decision {
	if !v.yielded {
		return Decision{}
	}
	v.yielded = false
	v.ticket.Ready = ready
	if c.gate.resume(&v.ticket, now) == waits {
		return Decision{Verdict: Wait}
	}
	return Decision{}
}

// NoSlot words the refusal of an open session that got no slot in time.
func (c *Controller) NoSlot(v *Visit, now time.Time) Decision {
	return c.waitedInVain(v, PointBetween, now)
}

// giveBack gives back what was charged for something that Weir put off itself.
func (c *Controller) giveBack(v *Visit, k kind, n int) {
	if n == 0 {
		return
	}
	for s, id := range v.keys() {
		if id != (key{}) {
			c.rates.give(k, scope(s), id, n)
		}
	}
}

// record completes a record with what is known of the visit.
func (v *Visit) record(at Point, r Record) Record {
	r.Client, r.Class, r.Listener, r.Session, r.Point = v.addr, v.ticket.Class, v.ticket.Listener, v.name(), at
	return r
}

// name is that of the session, where there is one.
func (v *Visit) name() string {
	if v.Session == nil {
		return ""
	}
	return v.Session.ID()
}

// overrun is a limit of one client that is used up.
type overrun struct {
	reason       Reason
	name         string
	value, limit float64
	retry        time.Duration
}

func (o *overrun) record(v *Visit, at Point) Record {
	return v.record(at, Record{
		Reason: o.reason, Rule: fmt.Sprintf("the limit of %s is used up", o.name),
		Name: o.name, Value: o.value, Limit: o.limit, Retry: o.retry,
	})
}
