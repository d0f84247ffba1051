package reply

import "strconv"

// Status is the subject and the detail of an enhanced status code, the two
// numbers after its class (RFC 3463 section 2). The zero value means that
// there is no enhanced status code; X.0.0 is written [Undefined].
type Status struct {
	// set makes the zero value differ from X.0.0.
	set             bool
	subject, detail uint16
}

// NewStatus returns the Status X.subject.detail. Each number has at most
// three digits (RFC 3463 section 2); a larger one is cut to 999.
func NewStatus(subject, detail uint16) Status {
	return Status{set: true, subject: min(subject, 999), detail: min(detail, 999)}
}

// Undefined returns X.0.0: other, undefined status.
func Undefined() Status { return NewStatus(0, 0) }

// IsZero reports that there is no enhanced status code.
func (s Status) IsZero() bool { return !s.set }

// Subject returns the second number of the enhanced status code.
func (s Status) Subject() uint16 { return s.subject }

// Detail returns the third number of the enhanced status code.
func (s Status) Detail() uint16 { return s.detail }

// In returns the enhanced status code that the Status makes in a class. A
// 3yz reply has none (RFC 2034 section 4), nor has the zero Status: ok is
// false then.
func (s Status) In(c Class) (e Enhanced, ok bool) {
	if !s.set || c != ClassCompleted && c != ClassTransient && c != ClassPermanent {
		return Enhanced{}, false
	}
	return Enhanced{class: c, status: s}, true
}

// String returns "X.subject.detail", or "" for the zero value.
func (s Status) String() string {
	if !s.set {
		return ""
	}
	return "X." + strconv.Itoa(int(s.subject)) + "." + strconv.Itoa(int(s.detail))
}

// Enhanced is a complete enhanced status code (RFC 3463). It is made by
// [Status.In], [Reply.Enhanced] or [ParseEnhanced]; the zero value is none.
type Enhanced struct {
	class  Class
	status Status
}

// IsZero reports that there is no enhanced status code.
func (e Enhanced) IsZero() bool { return e.class == ClassInvalid }

// Class returns 2, 4 or 5, or 0 for the zero value.
func (e Enhanced) Class() Class { return e.class }

// Status returns the code without its class.
func (e Enhanced) Status() Status { return e.status }

// String returns for example "4.3.2", or "" for the zero value.
func (e Enhanced) String() string {
	if e.IsZero() {
		return ""
	}
	return string(e.append(nil))
}

func (e Enhanced) append(dst []byte) []byte {
	dst = append(dst, '0'+byte(e.class), '.')
	dst = strconv.AppendUint(dst, uint64(e.status.subject), 10)
	dst = append(dst, '.')
	return strconv.AppendUint(dst, uint64(e.status.detail), 10)
}

// ParseEnhanced reads an enhanced status code from the start of s
// (RFC 3463 section 2: class 2, 4 or 5, then two numbers of one to three
// digits without leading zeros) and returns the rest of s behind it and one
// space. The code must be followed by a space or the end of s. ok is false
// where s does not begin with one; rest is s then.
func ParseEnhanced(s string) (e Enhanced, rest string, ok bool) {
	if len(s) < 5 || s[1] != '.' {
		return Enhanced{}, s, false
	}
	class := Class(s[0] - '0')
	subject, tail, ok := leadingNumber(s[2:])
	if !ok || tail == "" || tail[0] != '.' {
		return Enhanced{}, s, false
	}
	detail, tail, ok := leadingNumber(tail[1:])
	if !ok || tail != "" && tail[0] != ' ' {
		return Enhanced{}, s, false
	}
	e, ok = NewStatus(subject, detail).In(class)
	if !ok {
		return Enhanced{}, s, false
	}
	if tail != "" {
		tail = tail[1:]
	}
	return e, tail, true
}

// leadingNumber reads one to three digits without a leading zero.
func leadingNumber(s string) (n uint16, rest string, ok bool) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		if i == 3 {
			return 0, s, false
		}
		n = n*10 + uint16(s[i]-'0')
		i++
	}
	if i == 0 || i > 1 && s[0] == '0' {
		return 0, s, false
	}
	return n, s[i:], true
}
