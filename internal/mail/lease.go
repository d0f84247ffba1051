package mail

import "time"

// Lease is the right to work on some recipients of a message. It is given by
// the spool to one holder at a time and ends, for each recipient, when the
// holder settles or releases it. The holder may read Envelope and must not
// change it. It may split a lease: several leases of the same message that
// share no recipient stand for the one they were made from, and each is
// settled or released by itself.
type Lease struct {
	// Envelope is the message, as it was when the lease began.
	Envelope *Envelope
	// Recipients are the indexes of the recipients that the lease is for, in
	// growing order.
	Recipients []int
	// Fresh is set where the message came in just now and was never tried.
	Fresh bool
}

// Outcome is the new progress of one recipient of a lease.
type Outcome struct {
	// Recipient is the index of the recipient in the envelope.
	Recipient int
	// Progress replaces what the recipient had.
	Progress Progress
}

// NextDue returns the earliest time at which a waiting recipient of the
// envelope is due. ok is false where none waits.
func (e *Envelope) NextDue() (due time.Time, ok bool) {
	for i := range e.Recipients {
		p := &e.Recipients[i].Progress
		if p.State == Waiting && (!ok || p.Due.Before(due)) {
			due, ok = p.Due, true
		}
	}
	return due, ok
}
