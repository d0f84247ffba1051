package smtp

import (
	"strconv"
	"time"
)

// FutureRelease is what a server says of FUTURERELEASE (RFC 4865 section 4): how
// far ahead a message may be held.
type FutureRelease struct {
	// MaxInterval is the longest HOLDFOR, in whole seconds of up to nine digits.
	MaxInterval time.Duration
	// MaxUntil is the latest HOLDUNTIL.
	MaxUntil time.Time
}

// maxHold is the largest number of seconds of HOLDFOR.
const maxHold = 999_999_999

// String returns the arguments of the line of the answer to EHLO, such as
// "86400 2030-01-31T12:00:00Z".
func (f FutureRelease) String() string {
	seconds := min(max(int64(f.MaxInterval/time.Second), 0), maxHold)
	return strconv.FormatInt(seconds, 10) + " " + FormatHoldUntil(f.MaxUntil)
}

// FutureRelease returns what the server said of FUTURERELEASE, and whether it was
// offered. It is not taken for offered where one of the two limits is missing or
// malformed: nobody knows then what the server would do.
func (c Capabilities) FutureRelease() (f FutureRelease, offered bool) {
	args, ok := c.Args("FUTURERELEASE")
	if !ok || len(args) < 2 {
		return f, false
	}
	var err error
	if f.MaxInterval, err = ParseHoldFor(args[0]); err != nil {
		return FutureRelease{}, false
	}
	if f.MaxUntil, err = ParseHoldUntil(args[1]); err != nil {
		return FutureRelease{}, false
	}
	return f, true
}

// ParseHoldFor reads the value of HOLDFOR: seconds above zero, of up to nine
// digits (RFC 4865 section 5). Errors are of type *[SyntaxError].
func ParseHoldFor(s string) (time.Duration, error) {
	n, length, _ := decimal([]byte(s))
	switch {
	case length == 0 || length < len(s):
		return 0, syntaxError(PartValue, length, "HOLDFOR is a number of seconds")
	case length > 9:
		return 0, syntaxError(PartValue, 0, "HOLDFOR has more than nine digits")
	case n == 0:
		return 0, syntaxError(PartValue, 0, "HOLDFOR must be above zero")
	}
	return time.Duration(n) * time.Second, nil
}

// maxDateTime is the longest date and time that is read: nine digits of a second
// are what a clock has.
const maxDateTime = len("2006-01-02T15:04:05.999999999+00:00")

// ParseHoldUntil reads the value of HOLDUNTIL: a date and time of RFC 3339 with
// "T" and "Z" in upper case (RFC 4865 section 5). The RFC wants UTC; an offset is
// read as well, since it leaves no doubt about the moment. A leap second is not
// taken. The result is in UTC. Errors are of type *[SyntaxError].
func ParseHoldUntil(s string) (time.Time, error) {
	sc := scanner{b: []byte(s)}
	if err := sc.dateTime(); err != nil {
		return time.Time{}, err
	}
	// The shape was held to the grammar, which is narrower than what Parse bears;
	// the calendar is left to it.
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, syntaxError(PartValue, 0, "HOLDUNTIL is a date or time that does not exist")
	}
	return t.UTC(), nil
}

// FormatHoldUntil returns the moment as HOLDUNTIL wants it, in UTC and cut to the
// second.
func FormatHoldUntil(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// dateTime goes past date-time of RFC 3339 section 5.6.
func (s *scanner) dateTime() *SyntaxError {
	const shape = "dddd-dd-ddTdd:dd:dd"
	for i := range len(shape) {
		if shape[i] == 'd' && isDigit(s.peek()) || shape[i] != 'd' && s.peek() == shape[i] {
			s.pos++
			continue
		}
		return syntaxError(PartValue, s.pos, "HOLDUNTIL is written as 2030-01-31T12:00:00Z")
	}
	if err := s.fraction(); err != nil {
		return err
	}
	return s.offset()
}

func (s *scanner) fraction() *SyntaxError {
	if !s.accept('.') {
		return nil
	}
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	if n := s.pos - start; n == 0 || n > 9 {
		return syntaxError(PartValue, start, "a fraction of a second has one to nine digits")
	}
	return nil
}

func (s *scanner) offset() *SyntaxError {
	if s.accept('Z') && s.end() {
		return nil
	}
	rest := s.b[s.pos:]
	if len(rest) == len("+00:00") && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':' &&
		isDigit(rest[1]) && isDigit(rest[2]) && isDigit(rest[4]) && isDigit(rest[5]) {
		s.pos += len(rest)
		return nil
	}
	return syntaxError(PartValue, s.pos, "Z or an offset from UTC ends HOLDUNTIL")
}
