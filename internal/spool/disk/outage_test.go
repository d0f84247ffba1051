package disk

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pebblevfs "github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/vfs"
)

// cutRuns is how many runs there are. Before a release there are many more.
var cutRuns = flag.Uint64("cuts", 60, "number of runs in the test of power cuts")

// How often the power is cut in each run, at some change of the disk, and
// about how many of those a run makes.
const (
	cutsOfARun = 2
	cutRange   = 550
)

// outage is the disk after a power cut, and what had been said until then.
type outage struct {
	when   string
	disk   *vfs.Mem
	ledger *ledger
}

// plug cuts the power of a disk before some changes of it, counted from 1.
type plug struct {
	disk   *vfs.Mem
	ledger *ledger
	random *rand.Rand
	at     []int

	mu      sync.Mutex
	changes int
	outages []outage
}

// inject is an injector that lets everything pass.
func (p *plug) inject(c vfs.Call) vfs.Fault {
	if !c.Op.Changes() {
		return vfs.Fault{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changes++; !slices.Contains(p.at, p.changes) {
		return vfs.Fault{}
	}
	share := [...]int{0, 100, p.random.IntN(101)}[p.random.IntN(3)]
	p.cutLocked(fmt.Sprintf("before change %d, %v of %s", p.changes, c.Op, c.Path), share)
	return vfs.Fault{}
}

// cut cuts the power now, with a share in percent of what was not synced.
func (p *plug) cut(when string, share int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutLocked(when, share)
}

func (p *plug) cutLocked(when string, share int) {
	// While the ledger is locked no call begins, and what has ended without
	// being written down is at worst believed to be less durable than it is.
	p.ledger.mu.Lock()
	defer p.ledger.mu.Unlock()
	after := p.disk.CrashClone(vfs.CrashOptions{UnsyncedDataPercent: share, RNG: p.random})
	if p.random.IntN(2) == 0 {
		p.removeAsWell(after)
	}
	p.outages = append(p.outages, outage{
		when:   fmt.Sprintf("%s, with %d%% of what was not synced", when, share),
		disk:   after,
		ledger: p.ledger.clone(),
	})
}

// removeAsWell makes removals of contents durable: a clone never has one that
// was not synced, and a disk may.
func (p *plug) removeAsWell(after *vfs.Mem) {
	b := bodies{fs: after, dir: "spool/" + bodiesFolder}
	_ = b.all(func(id mail.ID) error { // before the first opening there is no folder
		if _, err := p.disk.Stat(b.path(id)); errors.Is(err, os.ErrNotExist) {
			return after.Remove(b.path(id))
		}
		return nil
	})
}

// pull ends the outages.
func (p *plug) pull() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = nil
}

func TestOutagesLoseNothing(t *testing.T) {
	for seed := range *cutRuns {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			outages := cutPower(t, seed, honest)
			closed := outages[len(outages)-1]
			outages = outages[:len(outages)-1]
			again := int(seed) % len(outages)
			for i, o := range outages {
				survive(t, o, seed, i == again)
			}
			afterClose(t, closed)
		})
	}
}

// cutPower runs a crowd on a store and cuts the power meanwhile.
func cutPower(t testing.TB, seed uint64, under func(vfs.FS) vfs.FS) []outage {
	p := &plug{disk: vfs.NewCrashableMem(), ledger: newLedger(), random: rand.New(rand.NewPCG(seed, 77))}
	for range cutsOfARun {
		p.at = append(p.at, 1+p.random.IntN(cutRange))
	}
	options := smallStore()
	if seed%4 < 2 {
		options.MinSyncInterval = defaultMinSyncInterval
	}
	options.FS = under(vfs.Inject(p.disk, p.inject))
	s, err := Open(t.Context(), "spool", options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	newCrowd(t, s, p.ledger, seed, 15, [][]int{lightSizes, heavySizes}[seed%2]).run(ctx, seed)
	// Everything has ended, and the store is still open: what came after the
	// last synced change may be lost, and nothing else.
	p.cut("at rest", 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatal("the store hangs")
	}
	// The last outage is the end: after Close nothing at all may be missing.
	p.ledger.closed()
	return append(p.outages, outage{"at the end", p.disk.CrashClone(vfs.CrashOptions{}), p.ledger})
}

// survive opens a store after an outage and, if asked to, again after one in
// the middle of that.
func survive(t testing.TB, o outage, seed uint64, again bool) {
	t.Helper()
	t.Log(o.when)
	p := &plug{disk: o.disk, ledger: o.ledger, random: rand.New(rand.NewPCG(seed, 78))}
	if again {
		p.at = append(p.at, 1+p.random.IntN(25))
	}
	s := openAfter(t, vfs.Inject(o.disk, p.inject))
	p.pull()
	reckon(t, s, o.ledger, false)
	for _, again := range p.outages {
		t.Log("and then ", again.when)
		reckon(t, openAfter(t, again.disk), again.ledger, false)
	}
}

// afterClose looks at a store that was closed before the outage. What it had
// at rest was emptied already.
func afterClose(t testing.TB, o outage) {
	t.Helper()
	t.Log(o.when)
	s := openAfter(t, o.disk)
	look(t, s, o.ledger, false)
	if err := s.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
}

func openAfter(t testing.TB, disk vfs.FS) *Store {
	t.Helper()
	options := smallStore()
	options.FS = disk
	s, err := Open(t.Context(), "spool", options)
	if err != nil {
		t.Fatalf("opening afterwards: %v", err)
	}
	return s
}

// reckon holds a store that was opened against the ledger, empties it, and
// closes it.
func reckon(t testing.TB, s *Store, l *ledger, lax bool) {
	t.Helper()
	defer s.Close()
	found := look(t, s, l, lax)
	deliverAll(t, s, found)
	if stats, err := s.Stats(t.Context()); err != nil || stats.Messages != 0 || stats.Bytes != 0 || stats.Held != 0 || stats.Leased != 0 {
		t.Errorf("when all is delivered: %+v, %v", stats, err)
	}
	consistent(t, s)
	if err := s.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	files(t, s, nil)
}

// look holds a store that was opened against the ledger, and returns what is
// there.
func look(t testing.TB, s *Store, l *ledger, lax bool) map[mail.ID]*mail.Envelope {
	t.Helper()
	found := l.check(t, s, lax)
	consistent(t, s)
	files(t, s, found)
	stats, err := s.Stats(t.Context())
	if err != nil || stats.Messages != int64(len(found)) || stats.Leased != 0 {
		t.Errorf("%+v, %v; %d messages are there", stats, err, len(found))
	}
	return found
}

// files checks that each file of a large content is that of a message.
func files(t testing.TB, s *Store, found map[mail.ID]*mail.Envelope) {
	t.Helper()
	if err := s.bodies.all(func(id mail.ID) error {
		if e := found[id]; e == nil || e.Size <= s.bodies.large {
			t.Errorf("the file of message %v is left", id)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if names, err := s.fs.List(s.revoked.dir); err != nil || len(names) > 0 {
		t.Errorf("revoked: %v, %v", names, err)
	}
}

// deliverAll claims all that has to be due, and delivers it. What is held is
// let go first, after a while.
func deliverAll(t testing.TB, s *Store, found map[mail.ID]*mail.Envelope) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	claim := func(held bool) {
		want := 0
		for id, e := range found {
			if e.Held != held {
				continue
			}
			want++
			if !held {
				continue
			}
			if err := s.Hold(ctx, id, false); err != nil {
				t.Errorf("letting message %v go: %v", id, err)
			}
		}
		for want > 0 {
			leases, err := s.Claim(ctx, 50)
			if err != nil {
				t.Fatalf("%d messages (held before: %v) are never due: %v", want, held, err)
			}
			for _, l := range leases {
				deliverFound(t, s, l, found[l.Envelope.ID], held)
			}
			want -= len(leases)
		}
	}
	claim(false)
	claim(true)
}

// deliverFound settles the lease of a message that was found.
func deliverFound(t testing.TB, s *Store, l *mail.Lease, e *mail.Envelope, held bool) {
	t.Helper()
	if e == nil || e.Held != held {
		t.Errorf("message %v is due, and was not to be seen, or is held", l.Envelope.ID)
		return
	}
	var waiting []int
	var outcomes []mail.Outcome
	for i, r := range e.Recipients {
		if r.Progress.State == mail.Waiting {
			waiting = append(waiting, i)
			outcomes = append(outcomes, mail.Outcome{Recipient: i, Progress: mail.Progress{State: mail.Relayed}})
		}
	}
	if !slices.Equal(waiting, l.Recipients) {
		t.Errorf("message %v is due for %v, want %v", e.ID, l.Recipients, waiting)
		return
	}
	if err := s.Settle(t.Context(), l, outcomes); err != nil {
		t.Errorf("settling message %v: %v", e.ID, err)
	}
}

func honest(fs vfs.FS) vfs.FS { return fs }

// A checker that finds nothing proves nothing: these disks lie about what is
// durable, and that must be found.
func TestOutagesOfADiskThatLiesAreFound(t *testing.T) {
	for name, lies := range map[string]func(path string) bool{
		"about the log":           func(path string) bool { return strings.HasSuffix(path, ".log") },
		"about large contents":    func(path string) bool { return strings.Contains(path, "bodies/") && len(path) > 26 },
		"about names of contents": func(path string) bool { return strings.Contains(path, "bodies/") && len(path) < 26 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outages := cutPower(t, 1, func(fs vfs.FS) vfs.FS { return liar{fs, lies} })
			last := outages[len(outages)-1] // the end, with nothing but what was synced
			options := smallStore()
			options.FS = last.disk
			s, err := Open(t.Context(), "spool", options)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			quiet := &counter{TB: t}
			last.ledger.check(quiet, s, false)
			if quiet.faults == 0 {
				t.Error("the ledger found nothing")
			}
		})
	}
}

// counter counts the faults of a test that is to have some.
type counter struct {
	testing.TB
	faults int
}

func (c *counter) Errorf(string, ...any) { c.faults++ }

// liar is a disk that says of some files that they are synced, and does
// nothing.
type liar struct {
	vfs.FS
	lies func(path string) bool
}

func (l liar) file(path string, f vfs.File, err error) (vfs.File, error) {
	if err == nil && l.lies(path) {
		return lyingFile{f}, nil
	}
	return f, err
}

func (l liar) Create(name string, c pebblevfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.Create(name, c)
	return l.file(name, f, err)
}

func (l liar) ReuseForWrite(old, name string, c pebblevfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.ReuseForWrite(old, name, c)
	return l.file(name, f, err)
}

func (l liar) OpenDir(name string) (vfs.File, error) {
	f, err := l.FS.OpenDir(name)
	return l.file(name, f, err)
}

type lyingFile struct{ vfs.File }

func (lyingFile) Sync() error     { return nil }
func (lyingFile) SyncData() error { return nil }

// The file of a content goes only when its message is durably gone: else a
// power cut would bring back a message without content.
func TestAContentIsRemovedAfterItsMessage(t *testing.T) {
	mem := vfs.NewCrashableMem()
	removed := make(chan *vfs.Mem, 1)
	options := smallStore()
	options.FS = vfs.Inject(mem, func(c vfs.Call) vfs.Fault {
		if c.Op == vfs.OpRemove && strings.Contains(c.Path, bodiesFolder) {
			after := mem.CrashClone(vfs.CrashOptions{})
			if err := after.Remove(c.Path); err != nil {
				t.Errorf("%v", err)
			}
			removed <- after
		}
		return vfs.Fault{}
	})
	s := openOn(t, options)
	c := newCrowd(t, s, newLedger(), 1, 0, nil)
	s.Handover(func(l *mail.Lease) bool {
		if err := s.Settle(t.Context(), l, []mail.Outcome{{Progress: mail.Progress{State: mail.Relayed}}}); err != nil {
			t.Errorf("Settle: %v", err)
		}
		return true
	})
	if err := s.Put(t.Context(), c.envelope(1), bytes.NewReader(make([]byte, smallStoreLarge+1))); err != nil {
		t.Fatal(err)
	}
	again := openAfter(t, <-removed)
	if err := again.Scan(t.Context(), mail.ID{}, func(e *mail.Envelope) bool {
		t.Errorf("message %v is there after a power cut, and its content is not", e.ID)
		return true
	}); err != nil {
		t.Error(err)
	}
	for _, s := range []*Store{s, again} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
