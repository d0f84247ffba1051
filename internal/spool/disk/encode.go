package disk

import (
	"encoding/binary"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// recordVersion is the first byte of each record. A change of a layout takes
// a new number, and the decoder goes on reading the old ones.
//
//	1  the first
//	2  wishes at the end of an envelope's record; the flag of a progress that
//	   says that the sender heard of a deadline
//	3  the account of the origin behind the wishes
//	4  the standing of the origin behind that
const recordVersion = 4

// Flags of an envelope record.
const (
	flagSMTPUTF8 = 1 << iota
	flagRequireTLS
	flagEightBit
	flagHeld
	flagLarge // the content is in a file of its own, and its CRC follows
)

// Flags of a recipient's progress.
const (
	flagDue = 1 << iota
	flagAttempts
	flagDelayNotified
	flagLast
	flagDeadlineNotified
)

// Flags of the wishes in an envelope record. Those that say more than yes have
// it behind them, in this order.
const (
	flagAuth = 1 << iota
	flagDeliverBy
	flagTrace
	flagHoldUntil
	flagPriority
	flagTLSOptional
	flagAccount
	flagStanding
)

// place says where the content of a message is.
type place struct {
	// large tells that it is in a file; crc is the CRC-32C of that.
	large bool
	crc   uint32
}

// appendEnvelope appends the record of an envelope: all but the ID, which is
// the key. Its start, up to the size, is what Open reads of each message.
func appendEnvelope(dst []byte, e *mail.Envelope, p place) []byte {
	dst = append(dst, recordVersion, envelopeFlags(e, p))
	dst = binary.AppendUvarint(dst, uint64(e.Size))
	if p.large {
		dst = binary.BigEndian.AppendUint32(dst, p.crc)
	}
	dst = appendTime(dst, e.Arrived)
	dst = appendPath(dst, e.ReversePath)
	dst = append(dst, byte(e.Ret), byte(e.Body))
	dst = appendString(dst, e.EnvID)
	dst = appendOrigin(dst, &e.Origin)
	dst = binary.AppendUvarint(dst, uint64(len(e.Recipients)))
	for i := range e.Recipients {
		dst = appendRecipient(dst, &e.Recipients[i])
	}
	return appendWishes(dst, e)
}

// appendWishes appends what few messages have: what their senders asked for
// beyond delivery, the account that they came from and its standing. One without takes a byte.
func appendWishes(dst []byte, e *mail.Envelope) []byte {
	var flags byte
	for _, f := range [...]struct {
		set  bool
		flag byte
	}{
		{e.Auth != nil, flagAuth},
		{!e.DeliverBy.IsZero(), flagDeliverBy},
		{e.DeliverBy.Trace, flagTrace},
		{!e.HoldUntil.IsZero(), flagHoldUntil},
		{e.HasPriority, flagPriority},
		{e.TLSOptional, flagTLSOptional},
		{e.Origin.Account != "", flagAccount},
		{e.Origin.Standing != mail.Stranger, flagStanding},
	} {
		if f.set {
			flags |= f.flag
		}
	}
	dst = append(dst, flags)
	if e.Auth != nil {
		dst = appendPath(dst, *e.Auth)
	}
	if !e.DeliverBy.IsZero() {
		dst = appendTime(append(dst, byte(e.DeliverBy.Mode)), e.DeliverBy.At)
	}
	if !e.HoldUntil.IsZero() {
		dst = appendTime(dst, e.HoldUntil)
	}
	if e.HasPriority {
		dst = append(dst, byte(e.Priority))
	}
	if e.Origin.Account != "" {
		dst = appendString(dst, e.Origin.Account)
	}
	if e.Origin.Standing != mail.Stranger {
		dst = append(dst, byte(e.Origin.Standing))
	}
	return dst
}

func envelopeFlags(e *mail.Envelope, p place) (flags byte) {
	for _, f := range [...]struct {
		set  bool
		flag byte
	}{
		{e.SMTPUTF8, flagSMTPUTF8},
		{e.RequireTLS, flagRequireTLS},
		{e.EightBit, flagEightBit},
		{e.Held, flagHeld},
		{p.large, flagLarge},
	} {
		if f.set {
			flags |= f.flag
		}
	}
	return flags
}

func appendOrigin(dst []byte, o *mail.Origin) []byte {
	at := len(dst)
	dst, _ = o.Client.AppendBinary(append(dst, 0)) // the error is always nil
	if n := len(dst) - at - 1; n < 256 {
		dst[at] = byte(n)
	} else {
		dst = append(dst[:at], 0) // a zone that no interface has
	}
	dst = appendString(dst, o.HELO)
	dst = appendString(dst, o.Protocol)
	return appendString(dst, o.Session)
}

func appendRecipient(dst []byte, r *mail.Recipient) []byte {
	dst = appendPath(dst, r.Path)
	dst = append(dst, byte(r.Notify))
	dst = appendString(dst, r.Original.Type)
	dst = appendString(dst, r.Original.Address)
	return appendProgress(dst, &r.Progress)
}

// appendProgress appends the progress of a recipient. It stands in the
// envelope's record as it was at first, and from the first change on in a
// state record of its own.
func appendProgress(dst []byte, p *mail.Progress) []byte {
	var flags byte
	if !p.Due.IsZero() {
		flags |= flagDue
	}
	if p.Attempts != 0 {
		flags |= flagAttempts
	}
	if p.DelayNotified {
		flags |= flagDelayNotified
	}
	if !p.Last.IsZero() {
		flags |= flagLast
	}
	if p.DeadlineNotified {
		flags |= flagDeadlineNotified
	}
	dst = append(dst, byte(p.State), flags)
	if flags&flagDue != 0 {
		dst = appendTime(dst, p.Due)
	}
	if flags&flagAttempts != 0 {
		dst = binary.AppendVarint(dst, int64(p.Attempts))
	}
	if flags&flagLast != 0 {
		dst = appendAttempt(dst, &p.Last)
	}
	return dst
}

func appendAttempt(dst []byte, a *mail.Attempt) []byte {
	dst = appendTime(dst, a.At)
	dst = appendString(dst, a.Host)
	dst = appendString(dst, a.Address)
	dst = append(dst, byte(a.Stage))
	dst = appendReply(dst, &a.Reply)
	dst = appendString(dst, a.Problem)
	return appendString(dst, a.Reason)
}

func appendReply(dst []byte, r *reply.Reply) []byte {
	dst = binary.AppendUvarint(dst, uint64(r.Code))
	if r.Status.IsZero() {
		dst = append(dst, 0)
	} else {
		dst = append(dst, 1)
		dst = binary.AppendUvarint(dst, uint64(r.Status.Subject()))
		dst = binary.AppendUvarint(dst, uint64(r.Status.Detail()))
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Lines)))
	for _, line := range r.Lines {
		dst = appendString(dst, line)
	}
	return dst
}

// appendHeld appends the state record of a whole message.
func appendHeld(dst []byte, held bool) []byte {
	if held {
		return append(dst, recordVersion, flagHeld)
	}
	return append(dst, recordVersion, 0)
}

// appendTime appends a time to the nanosecond, without its zone.
func appendTime(dst []byte, t time.Time) []byte {
	dst = binary.AppendVarint(dst, t.Unix())
	return binary.AppendUvarint(dst, uint64(t.Nanosecond()))
}

func appendPath(dst []byte, p smtp.Path) []byte {
	return appendString(appendString(dst, p.Local), p.Domain)
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}
