package admission

import "sync/atomic"

// ledger holds what has been promised of something that there is a budget of:
// memory, or room on the disk. It is charged before anything is spent, so that
// the time between two readings of a sensor cannot be used to overdraw. It is
// safe for concurrent use.
type ledger struct {
	budget  atomic.Int64 // 0: there is no bound
	charged atomic.Int64
}

// ceilings are the parts of the budget that the classes may fill, in percent:
// what is above is for those before them.
var ceilings = [classes]int64{
	ClassControl: 100, ClassSubmission: 95, ClassKnown: 88,
	ClassReturning: 80, ClassUnknown: 80, ClassSuspect: 80,
}

// take charges n, and reports false where the class has no room for it.
func (l *ledger) take(c Class, n int64) bool {
	budget := l.budget.Load()
	if charged := l.charged.Add(n); budget > 0 && charged > budget/100*ceilings[c] {
		l.charged.Add(-n)
		return false
	}
	return true
}

// give gives back what was charged.
func (l *ledger) give(n int64) { l.charged.Add(-n) }

// left returns what may still be charged for a class.
func (l *ledger) left(c Class) int64 {
	budget := l.budget.Load()
	if budget == 0 {
		return 1 << 62
	}
	return max(budget/100*ceilings[c]-l.charged.Load(), 0)
}

// Ledger is what a ledger says.
type Ledger struct{ Charged, Budget int64 }

func (l *ledger) figures() Ledger { return Ledger{Charged: l.charged.Load(), Budget: l.budget.Load()} }
