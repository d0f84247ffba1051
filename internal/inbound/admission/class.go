package admission

// Class is what a client is to the relay: who is served first, and refused
// last. The lower, the better.
type Class uint8

// The classes, the best first.
const (
	// ClassControl is the relay's own: local sockets, administration, health
	// checks, listeners that are set so.
	ClassControl Class = iota
	// ClassSubmission is whoever has authenticated, or comes by a listener that
	// is set so.
	ClassSubmission
	// ClassKnown is listed, or has earned it by good mail on different days.
	ClassKnown
	// ClassReturning was sent away and came back no earlier than it was told.
	ClassReturning
	// ClassUnknown is everyone else.
	ClassUnknown
	// ClassSuspect talks before the greeting, is over its rates or has a bad
	// history.
	ClassSuspect

	classes = 6
)

// String returns the name of the class in the configuration, the log and the
// metrics.
func (c Class) String() string {
	return [...]string{"control", "submission", "known", "returning", "unknown", "suspect"}[c]
}

// Classes returns all classes, the best first.
func Classes() []Class {
	return []Class{ClassControl, ClassSubmission, ClassKnown, ClassReturning, ClassUnknown, ClassSuspect}
}

// shedAt is the pressure at which the first clients of a class are refused; a
// quarter above it all are. Who is in control is stopped by a lack of room alone.
var shedAt = [classes]float64{
	ClassControl:    never,
	ClassSubmission: 1.6,
	ClassKnown:      1.3,
	ClassReturning:  1.2,
	ClassUnknown:    1.0,
	ClassSuspect:    0.9,
}

// never is a pressure that does not occur.
const never = 1e9
