package disk

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// errRecord is what is wrong with a record that cannot be read.
var (
	errRecord        = errors.New("the record is damaged")
	errRecordVersion = errors.New("the record is of a later version than this program knows")
)

// head is the start of an envelope record.
type head struct {
	size  int64
	held  bool
	place place
}

// decodeHead reads the start of an envelope record.
func decodeHead(record []byte) (head, error) {
	// The rest of the record is of no interest: no need to copy it.
	d := decoder{rest: string(record[:min(len(record), 2+binary.MaxVarintLen64+4)])}
	h, _ := d.head()
	return h, d.err
}

// decodeEnvelope reads what appendEnvelope wrote. The strings of the envelope
// share one copy of the record.
func decodeEnvelope(id mail.ID, record []byte) (*mail.Envelope, place, error) {
	d := decoder{rest: string(record)}
	h, flags := d.head()
	e := &mail.Envelope{
		ID:          id,
		Size:        h.size,
		SMTPUTF8:    flags&flagSMTPUTF8 != 0,
		RequireTLS:  flags&flagRequireTLS != 0,
		EightBit:    flags&flagEightBit != 0,
		Held:        h.held,
		Arrived:     d.time(),
		ReversePath: d.path(),
		Ret:         smtp.Ret(d.byte()),
		Body:        smtp.Body(d.byte()),
		EnvID:       d.string(),
	}
	d.origin(&e.Origin)
	const least = 7 // the bytes of an empty recipient
	e.Recipients = make([]mail.Recipient, d.count(least))
	for i := range e.Recipients {
		d.recipient(&e.Recipients[i])
	}
	if d.layout > 1 {
		d.wishes(e)
	}
	return e, h.place, d.end()
}

// decodeProgress reads a state record of a recipient.
func decodeProgress(record []byte, p *mail.Progress) error {
	d := decoder{rest: string(record)}
	d.version()
	d.progress(p)
	return d.end()
}

// decodeHeld reads the state record of a whole message.
func decodeHeld(record []byte) (held bool, err error) {
	d := decoder{rest: string(record)}
	d.version()
	flags := d.byte()
	return flags&flagHeld != 0, d.end()
}

// decoder reads a record from its start. After the first fault it returns
// zero values only. Nothing it makes is larger than the record by more than a
// constant factor, whatever the record says of lengths.
type decoder struct {
	rest   string
	err    error
	layout byte // the version of the record
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.rest = ""
}

// end checks that all was read and returns the first fault.
func (d *decoder) end() error {
	if d.rest != "" {
		d.fail(errRecord)
	}
	return d.err
}

func (d *decoder) version() {
	d.layout = d.byte()
	switch {
	case d.err != nil:
	case d.layout > recordVersion:
		d.fail(errRecordVersion)
	case d.layout == 0:
		d.fail(errRecord) // no version began with it
	}
}

func (d *decoder) head() (h head, flags byte) {
	d.version()
	flags = d.byte()
	size := d.uvarint()
	if size > math.MaxInt64 {
		d.fail(errRecord)
		return h, 0
	}
	h.size = int64(size)
	h.held = flags&flagHeld != 0
	if h.place.large = flags&flagLarge != 0; h.place.large {
		h.place.crc = d.uint32()
	}
	return h, flags
}

func (d *decoder) origin(o *mail.Origin) {
	o.Client = d.address()
	o.HELO = d.string()
	o.Protocol = d.string()
	o.Session = d.string()
}

func (d *decoder) address() (a netip.Addr) {
	b := d.take(uint64(d.byte()))
	if err := a.UnmarshalBinary([]byte(b)); err != nil {
		d.fail(errRecord)
		return netip.Addr{}
	}
	return a
}

func (d *decoder) recipient(r *mail.Recipient) {
	r.Path = d.path()
	r.Notify = smtp.Notify(d.byte())
	r.Original.Type = d.string()
	r.Original.Address = d.string()
	d.progress(&r.Progress)
}

// wishes reads what appendWishes wrote.
func (d *decoder) wishes(e *mail.Envelope) {
	flags := d.byte()
	if flags&flagAuth != 0 {
		path := d.path()
		e.Auth = &path
	}
	if flags&flagDeliverBy != 0 {
		e.DeliverBy.Mode = smtp.DeliverByMode(d.byte())
		if e.DeliverBy.IsZero() {
			d.fail(errRecord)
		}
		e.DeliverBy.At = d.time()
		e.DeliverBy.Trace = flags&flagTrace != 0
	}
	if flags&flagHoldUntil != 0 {
		e.HoldUntil = d.time()
	}
	if e.HasPriority = flags&flagPriority != 0; e.HasPriority {
		e.Priority = smtp.Priority(d.byte())
	}
	e.TLSOptional = flags&flagTLSOptional != 0
	if flags&flagAccount != 0 {
		e.Origin.Account = d.string()
	}
	if flags&flagStanding != 0 {
		e.Origin.Standing = mail.Standing(d.byte())
	}
}

func (d *decoder) progress(p *mail.Progress) {
	*p = mail.Progress{State: mail.State(d.byte())}
	flags := d.byte()
	p.DelayNotified = flags&flagDelayNotified != 0
	p.DeadlineNotified = flags&flagDeadlineNotified != 0
	if flags&flagDue != 0 {
		p.Due = d.time()
	}
	if flags&flagAttempts != 0 {
		p.Attempts = int(d.varint())
	}
	if flags&flagLast != 0 {
		d.attempt(&p.Last)
	}
}

func (d *decoder) attempt(a *mail.Attempt) {
	a.At = d.time()
	a.Host = d.string()
	a.Address = d.string()
	a.Stage = smtp.Stage(d.byte())
	d.reply(&a.Reply)
	a.Problem = d.string()
	a.Reason = d.string()
}

func (d *decoder) reply(r *reply.Reply) {
	r.Code = reply.Code(d.uint16())
	if d.byte() != 0 {
		subject := d.uint16()
		r.Status = reply.NewStatus(subject, d.uint16())
	}
	if n := d.count(1); n > 0 {
		r.Lines = make([]string, n)
	}
	for i := range r.Lines {
		r.Lines[i] = d.string()
	}
}

func (d *decoder) time() time.Time {
	sec := d.varint()
	nsec := d.uvarint()
	if nsec >= uint64(time.Second) {
		d.fail(errRecord)
	}
	if d.err != nil {
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

func (d *decoder) path() smtp.Path {
	local := d.string()
	return smtp.Path{Local: local, Domain: d.string()}
}

func (d *decoder) string() string { return d.take(d.uvarint()) }

// count reads how many things follow, each of which has at least so many
// bytes.
func (d *decoder) count(least int) int {
	n := d.uvarint()
	if n > uint64(len(d.rest)/least) {
		d.fail(errRecord)
		return 0
	}
	return int(n)
}

func (d *decoder) take(n uint64) string {
	if n > uint64(len(d.rest)) {
		d.fail(errRecord)
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *decoder) byte() byte {
	s := d.take(1)
	if s == "" {
		return 0
	}
	return s[0]
}

func (d *decoder) uint16() uint16 {
	v := d.uvarint()
	if v > math.MaxUint16 {
		d.fail(errRecord)
		return 0
	}
	return uint16(v)
}

func (d *decoder) uint32() (v uint32) {
	s := d.take(4)
	for i := range len(s) {
		v = v<<8 | uint32(s[i])
	}
	return v
}

func (d *decoder) varint() int64 {
	v := d.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// uvarint reads a number in groups of seven bits. It is binary.Uvarint for a
// string.
func (d *decoder) uvarint() (v uint64) {
	for shift := uint(0); ; shift += 7 {
		b := d.byte()
		if d.err != nil {
			return 0
		}
		if shift > 63 || shift == 63 && b > 1 {
			d.fail(errRecord)
			return 0
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
}
