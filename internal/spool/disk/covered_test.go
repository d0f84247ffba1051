package disk

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/vfs"
)

// duo is a store with a message whose last change is not synced, and another
// to be worked on. The power is cut with nothing kept of what was not synced.
type duo struct {
	*crowd
	disk         *vfs.Mem
	logs         atomic.Int64 // how many logs were begun
	first, other *mail.Lease
}

func newDuo(t *testing.T) *duo {
	d := &duo{disk: vfs.NewCrashableMem()}
	options := smallStore()
	options.FS = vfs.Inject(d.disk, func(c vfs.Call) vfs.Fault {
		if (c.Op == vfs.OpCreate || c.Op == vfs.OpReuse) && strings.HasSuffix(c.Path, ".log") {
			d.logs.Add(1)
		}
		return vfs.Fault{}
	})
	d.crowd = newCrowd(t, openOn(t, options), newLedger(), 1, 0, nil)
	d.store.Handover(func(*mail.Lease) bool { return false })
	d.first, d.other = d.put(20), d.put(20)
	return d
}

// must fails where a step of the test does.
func (d *duo) must(what string, err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatalf("%s: %v", what, err)
	}
}

// put stores a message for two recipients and leases it, if nothing else is
// due.
func (d *duo) put(size int) *mail.Lease {
	d.t.Helper()
	d.must("Put", d.store.Put(d.t.Context(), d.envelope(2), bytes.NewReader(make([]byte, size))))
	leases, err := d.store.Claim(d.t.Context(), 1)
	d.must("Claim", err)
	return leases[0]
}

// settle gives the first recipients of a lease a state.
func (d *duo) settle(l *mail.Lease, recipients int, state mail.State, notices ...spool.Notice) {
	d.t.Helper()
	var outcomes []mail.Outcome
	for _, r := range l.Recipients[:recipients] {
		p := l.Envelope.Recipients[r].Progress
		p.State = state
		p.Attempts++
		outcomes = append(outcomes, mail.Outcome{Recipient: r, Progress: p})
	}
	d.must("Settle", d.store.Settle(d.t.Context(), l, outcomes, notices...))
}

// progress returns what is stored of the first message after a power cut; it
// is empty where the message is gone.
func (d *duo) progress() []mail.Progress {
	d.t.Helper()
	after := openAfter(d.t, d.disk.CrashClone(vfs.CrashOptions{}))
	var found []mail.Progress
	d.must("Scan", after.Scan(d.t.Context(), mail.ID{}, func(e *mail.Envelope) bool {
		for _, r := range e.Recipients {
			if e.ID == d.first.Envelope.ID {
				found = append(found, r.Progress)
			}
		}
		return true
	}))
	d.must("Close", after.Close())
	return found
}

// The moment that the changes below move a message to.
var covered = time.Date(2040, 1, 2, 3, 4, 5, 0, time.UTC)

// unsyncedChanges are the changes that a power cut may take back, and what
// tells that it has not.
var unsyncedChanges = map[string]struct {
	change func(*duo)
	holds  func([]mail.Progress) bool
}{
	"an attempt": {
		func(d *duo) { d.settle(d.first, 2, mail.Waiting) },
		func(p []mail.Progress) bool { return len(p) == 2 && p[0].Attempts == 1 && p[1].Attempts == 1 },
	},
	"one recipient": {
		func(d *duo) { d.settle(d.first, 1, mail.Relayed) },
		func(p []mail.Progress) bool { return len(p) == 2 && p[0].State == mail.Relayed },
	},
	"the last recipients": {
		func(d *duo) { d.settle(d.first, 2, mail.Relayed) },
		func(p []mail.Progress) bool { return len(p) == 0 },
	},
	"a release": {
		func(d *duo) { d.must("Release", d.store.Release(d.t.Context(), d.first, covered)) },
		func(p []mail.Progress) bool { return len(p) == 2 && p[0].Due.Equal(covered) && p[1].Due.Equal(covered) },
	},
}

// syncedSteps are those after which all that ended before is durable.
var syncedSteps = map[string]func(*duo){
	"a message":               func(d *duo) { d.put(20) },
	"a message with a file":   func(d *duo) { d.put(smallStoreLarge + 1) },
	"a settlement and notice": func(d *duo) { d.settle(d.other, 2, mail.Failed, spool.Notice{Envelope: d.envelope(1)}) },
	"a hold":                  func(d *duo) { d.must("Hold", d.store.Hold(d.t.Context(), d.other.Envelope.ID, true)) },
	"a hold of nothing":       func(d *duo) { d.must("Hold", d.store.Hold(d.t.Context(), d.other.Envelope.ID, false)) },
	"a new time":              func(d *duo) { d.must("Retime", d.store.Retime(d.t.Context(), d.other.Envelope.ID, covered)) },
	"a removal":               func(d *duo) { d.must("Remove", d.store.Remove(d.t.Context(), d.other.Envelope.ID)) },
}

// What ended before a synced step began is durable once that has ended, down
// to the last octet: a clone keeps nothing that was not synced.
func TestASyncedStepCoversWhatEndedBefore(t *testing.T) {
	for what, c := range unsyncedChanges {
		for step, sync := range syncedSteps {
			t.Run(what+" before "+step, func(t *testing.T) {
				t.Parallel()
				d := newDuo(t)
				c.change(d)
				// Or the step below would show nothing.
				if p := d.progress(); c.holds(p) {
					t.Fatalf("durable without it: %+v", p)
				}
				sync(d)
				if p := d.progress(); !c.holds(p) {
					t.Errorf("lost: %+v", p)
				}
				d.must("Close", d.store.Close())
			})
		}
	}
}

// The same where the synced step begins a log, and so what it covers is the
// end of the log before. The second of the logs is a new file; later ones are
// old files used again.
func TestASyncedStepCoversTheLogBefore(t *testing.T) {
	d := newDuo(t)
	met := 0
	for range 200 {
		d.first = d.put(20) // so it is the other that finds the log full
		d.settle(d.first, 2, mail.Relayed)
		logs := d.logs.Load()
		d.must("Put", d.store.Put(t.Context(), d.envelope(1), bytes.NewReader(make([]byte, smallStoreLarge-1))))
		if d.logs.Load() == logs {
			d.removeDue()
			continue
		}
		if p := d.progress(); len(p) > 0 {
			t.Errorf("lost, with log %d: %+v", d.logs.Load(), p)
		}
		d.removeDue()
		if met++; met == 4 {
			break
		}
	}
	if met < 4 {
		t.Errorf("%d times a log began: this test shows nothing", met)
	}
	d.must("Close", d.store.Close())
}

// removeDue delivers the one message that is due.
func (d *duo) removeDue() {
	d.t.Helper()
	leases, err := d.store.Claim(d.t.Context(), 1)
	d.must("Claim", err)
	d.settle(leases[0], len(leases[0].Recipients), mail.Relayed)
}

// An operator who asks for a time that a message has already hears yes. That
// must be true after a power cut, though the time came with a release.
func TestATimeThatIsSetAlreadyIsDurable(t *testing.T) {
	d := newDuo(t)
	release := unsyncedChanges["a release"]
	release.change(d)
	d.must("Retime", d.store.Retime(t.Context(), d.first.Envelope.ID, covered))
	if p := d.progress(); !release.holds(p) {
		t.Errorf("lost: %+v", p)
	}
	d.must("Close", d.store.Close())
}
