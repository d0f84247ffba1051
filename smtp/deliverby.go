package smtp

import (
	"strconv"
	"time"
)

// DeliverByMode says what happens to a message that was not delivered in time
// (RFC 2852 section 4).
type DeliverByMode byte

// The modes of DELIVERBY, by their letters on the wire.
const (
	DeliverByNotify DeliverByMode = 'N' // its sender is told, and it is tried on
	DeliverByReturn DeliverByMode = 'R' // it is returned to its sender
)

// DeliverBy is the value of the BY parameter of MAIL (RFC 2852 section 4). The
// zero value means that it was not given.
type DeliverBy struct {
	// Seconds is what is left from the moment of the command, at most nine
	// digits. Zero or less means that the time is over, which is allowed with
	// DeliverByNotify only.
	Seconds int64
	// Mode says what happens when the time is over.
	Mode DeliverByMode
	// Trace asks each relay to report that it handed the message on.
	Trace bool
}

// maxDeliverBy is the largest number of seconds, in either direction.
const maxDeliverBy = 999_999_999

// IsZero reports that BY was not given.
func (d DeliverBy) IsZero() bool { return d.Mode == 0 }

// String returns the value as on the wire, such as "120;RT"; "" for zero. Seconds
// beyond nine digits become the nearest value that can be written, so that what
// is written can be read.
func (d DeliverBy) String() string {
	if d.IsZero() {
		return ""
	}
	s := strconv.FormatInt(min(max(d.Seconds, -maxDeliverBy), maxDeliverBy), 10)
	s += ";" + string(rune(d.Mode))
	if d.Trace {
		s += "T"
	}
	return s
}

// ParseDeliverBy reads the value of BY, without regard to the case of its
// letters. A time of zero or less with DeliverByReturn is an error (RFC 2852
// section 4). Errors are of type *[SyntaxError].
func ParseDeliverBy(s string) (DeliverBy, error) {
	sc := scanner{b: []byte(s)}
	d, err := sc.deliverBy()
	if err != nil {
		return DeliverBy{}, err
	}
	return d, nil
}

func (s *scanner) deliverBy() (DeliverBy, *SyntaxError) {
	var d DeliverBy
	var err *SyntaxError
	if d.Seconds, err = s.byTime(); err != nil {
		return d, err
	}
	if !s.accept(';') {
		return d, syntaxError(PartValue, s.pos, "a semicolon and N or R must follow the seconds of BY")
	}
	d.Mode = DeliverByMode(upper(s.peek()))
	if d.Mode != DeliverByNotify && d.Mode != DeliverByReturn {
		return d, syntaxError(PartValue, s.pos, "the mode of BY is N or R")
	}
	s.pos++
	d.Trace = s.acceptFold("T")
	switch {
	case !s.end():
		return d, syntaxError(PartValue, s.pos, "only T may follow the mode of BY")
	case d.Mode == DeliverByReturn && d.Seconds <= 0:
		return d, syntaxError(PartValue, 0, "the time of BY must be above zero in mode R")
	}
	return d, nil
}

// byTime reads by-time: a sign if there is one, and up to nine digits.
func (s *scanner) byTime() (int64, *SyntaxError) {
	start := s.pos
	negative := s.accept('-')
	if !negative {
		s.accept('+')
	}
	n, length, _ := decimal(s.b[s.pos:])
	s.pos += length
	switch {
	case length == 0:
		return 0, syntaxError(PartValue, s.pos, "BY begins with a number of seconds")
	case length > 9:
		return 0, syntaxError(PartValue, start, "the time of BY has more than nine digits")
	case negative:
		n = -n
	}
	return n, nil
}

// DeliverBy tells whether DELIVERBY was offered, and the shortest time that the
// server takes in mode R; zero where it named none (RFC 2852 section 3), or one
// that is not a number.
func (c Capabilities) DeliverBy() (least time.Duration, offered bool) {
	args, offered := c.Args("DELIVERBY")
	if len(args) == 0 {
		return 0, offered
	}
	// The argument may be followed by a comma and things that are not yet defined.
	n, length, _ := decimal([]byte(args[0]))
	if length == 0 || length > 9 || length < len(args[0]) && args[0][length] != ',' {
		return 0, true
	}
	return time.Duration(n) * time.Second, true
}
