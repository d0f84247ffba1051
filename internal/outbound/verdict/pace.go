package verdict

// Pace is how a recipient is tried again where the reply names no wait.
type Pace uint8

// The paces.
const (
	// PaceUsual is the timetable's.
	PaceUsual Pace = iota
	// PaceGreylisting comes back early: nothing but a little time is asked for.
	PaceGreylisting
	// PaceLimit is for those who came too often or too many at a time.
	PaceLimit
	// PaceStorage is for disks and mailboxes that are full: somebody has to clear up.
	PaceStorage
	// PaceReputation is for receivers who think ill of the sender, where each further
	// attempt makes it worse, and for what only an operator can mend.
	PaceReputation
)

// String returns the pace in lower case.
func (p Pace) String() string {
	return [...]string{"usual", "greylisting", "limit", "storage", "reputation"}[p]
}

// PaceOf returns the pace that fits a reason of a refusal that may pass.
func PaceOf(reason string) Pace {
	switch reason {
	case "greylisting":
		return PaceGreylisting
	case "connection-limit", "session-limit", "too-many-recipients", "rate-limit", "mailbox-busy":
		return PaceLimit
	case "storage", "mailbox-full":
		return PaceStorage
	case "reputation", "blocklist", "reverse-dns", "helo-rejected", "content-spam", "too-many-errors":
		return PaceReputation
	}
	return PaceUsual
}
