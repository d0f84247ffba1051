package disk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/vfs"
	"github.com/weirmail/weir/smtp"
)

// cutSeeds is how many different power cuts are tried.
const cutSeeds = 60

// errReader is what a content fails with whose client has gone.
var errReader = errors.New("the client has gone")

// world is what clients and deliveries know of a store: what they were told.
type world struct {
	store *Store
	ids   *mail.IDSource
	small int // contents up to this are in the store

	mu sync.Mutex
	// kept are messages that were acknowledged, and that nobody has begun to
	// settle.
	kept map[mail.ID][sha256.Size]byte
	// refused are messages whose Put failed.
	refused map[mail.ID]bool
	// noticed are messages that were settled with a notice, durably, and
	// begun are those where that was begun; the value is the notice.
	noticed, begun map[mail.ID]mail.ID
	// touched are messages, notices among them, that somebody has begun to
	// settle.
	touched map[mail.ID]bool
	steps   atomic.Int64
}

func newWorld(s *Store, seed uint64) *world {
	return &world{
		store: s, ids: mail.NewIDSource(&seeded{r: rand.New(rand.NewPCG(seed, 1))}), small: 16 << 10,
		kept: map[mail.ID][sha256.Size]byte{}, refused: map[mail.ID]bool{},
		noticed: map[mail.ID]mail.ID{}, begun: map[mail.ID]mail.ID{},
		touched: map[mail.ID]bool{},
	}
}

// seeded is randomness that repeats itself. It is used under the lock of the
// ids.
type seeded struct{ r *rand.Rand }

func (s *seeded) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s.r.Uint32())
	}
	return len(p), nil
}

func (w *world) envelope(recipients int) *mail.Envelope {
	now := time.Now()
	id, err := w.ids.Next(now)
	if err != nil {
		panic(err)
	}
	e := &mail.Envelope{ID: id, Arrived: now, ReversePath: smtp.Path{Local: "a", Domain: "example.org"}}
	for i := range recipients {
		e.Recipients = append(e.Recipients, mail.Recipient{
			Path:     smtp.Path{Local: fmt.Sprint("r", i), Domain: "example.net"},
			Progress: mail.Progress{Due: now},
		})
	}
	return e
}

// put stores one message, and notes what came of it.
func (w *world) put(random *rand.Rand) {
	e := w.envelope(1 + random.IntN(3))
	size := random.IntN(2 * w.small)
	body := bytes.Repeat([]byte{byte(random.Uint32())}, size)
	var content io.Reader = bytes.NewReader(body)
	if random.IntN(10) == 0 {
		content = io.MultiReader(content, &failingReader{})
	}
	id := e.ID // the envelope is the store's afterwards
	err := w.store.Put(context.Background(), e, content)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.refused[id] = true
		return
	}
	if !w.touched[id] { // a delivery may be faster than this
		w.kept[id] = sha256.Sum256(body)
	}
}

type failingReader struct{}

func (*failingReader) Read([]byte) (int, error) { return 0, errReader }

// settle works on one message that is due.
func (w *world) settle(random *rand.Rand, lease *mail.Lease) {
	id := lease.Envelope.ID
	state := mail.Relayed
	var notices []spool.Notice
	w.mu.Lock()
	delete(w.kept, id)
	w.touched[id] = true
	if random.IntN(3) == 0 {
		state = mail.Failed
		e := w.envelope(1)
		e.ReversePath = smtp.Path{}
		notices = append(notices, spool.Notice{Envelope: e, Content: bytes.Repeat([]byte("n"), random.IntN(2*w.small))})
		w.begun[id] = e.ID
	}
	w.mu.Unlock()
	var outcomes []mail.Outcome
	for _, r := range lease.Recipients {
		p := lease.Envelope.Recipients[r].Progress
		p.State = state
		outcomes = append(outcomes, mail.Outcome{Recipient: r, Progress: p})
	}
	var notice mail.ID
	if len(notices) > 0 {
		notice = notices[0].Envelope.ID
	}
	if err := w.store.Settle(context.Background(), lease, outcomes, notices...); err != nil || notice.IsZero() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noticed[id] = notice
}

// work puts and settles until the context ends.
func (w *world) work(ctx context.Context, random *rand.Rand, leases <-chan *mail.Lease) {
	for ctx.Err() == nil {
		w.put(random)
		select {
		case l := <-leases:
			w.settle(random, l)
		default:
		}
		w.steps.Add(1)
	}
}

// belief is what must be true after a cut at a moment.
type belief struct {
	kept           map[mail.ID][sha256.Size]byte
	refused        map[mail.ID]bool
	noticed, begun map[mail.ID]mail.ID
	touched        map[mail.ID]bool
}

// believed returns what has been said so far. What is taken off kept before
// the cut and put on nothing afterwards may be either way.
func (w *world) believed() belief {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := belief{kept: map[mail.ID][sha256.Size]byte{}, refused: map[mail.ID]bool{}, noticed: map[mail.ID]mail.ID{}}
	for k, v := range w.kept {
		b.kept[k] = v
	}
	for k := range w.refused {
		b.refused[k] = true
	}
	for k, v := range w.noticed {
		b.noticed[k] = v
	}
	return b
}

func TestAPowerCutLosesNothingAcknowledged(t *testing.T) {
	for seed := range uint64(cutSeeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			cut(t, seed)
		})
	}
}

// cut runs a store, cuts the power at some step, and looks at what is left.
func cut(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	disk := vfs.NewCrashableMem()
	options := Options{FS: disk, MemTable: 512 << 10, LargeBody: 16 << 10, Reserve: -1}
	s, err := Open(t.Context(), "spool", options)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(s, seed)
	leases := make(chan *mail.Lease, 1000)
	s.Handover(func(l *mail.Lease) bool {
		if l.Envelope.ID[15]%2 == 0 {
			return false // it stays
		}
		select {
		case leases <- l:
			return true
		default:
			return false
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var group sync.WaitGroup
	for n := range 6 {
		group.Go(func() { w.work(ctx, rand.New(rand.NewPCG(seed, uint64(n)+2)), leases) })
	}
	moment := 1 + int64(random.IntN(150))
	for w.steps.Load() < moment {
		time.Sleep(time.Millisecond) // there is nothing that tells of a step
	}
	b := w.believed()
	after := disk.CrashClone(vfs.CrashOptions{UnsyncedDataPercent: random.IntN(101), RNG: rand.New(rand.NewPCG(seed, 99))})
	stop()
	group.Wait()
	b.begun, b.touched = w.begun, w.touched // also after the cut
	for id := range b.kept {
		if _, kept := w.kept[id]; !kept {
			delete(b.kept, id) // it may have been settled before the cut
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	options.FS = after
	if s, err = Open(t.Context(), "spool", options); err != nil {
		t.Fatalf("opening after the cut: %v", err)
	}
	inspect(t, s, b)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	orphans(t, s)
}

// inspect holds a store against what was said before the cut.
func inspect(t *testing.T, s *Store, b belief) {
	t.Helper()
	found := map[mail.ID]bool{}
	if err := s.Scan(t.Context(), mail.ID{}, func(e *mail.Envelope) bool { found[e.ID] = true; return true }); err != nil {
		t.Fatal(err)
	}
	for id, sum := range b.kept {
		if !found[id] {
			t.Errorf("message %v was acknowledged and is lost", id)
			continue
		}
		c, err := s.Content(t.Context(), id)
		if err != nil {
			t.Errorf("message %v: %v", id, err)
			continue
		}
		h := sha256.New()
		if _, err := io.Copy(h, c); err != nil || [sha256.Size]byte(h.Sum(nil)) != sum {
			t.Errorf("message %v has another content: %v", id, err)
		}
		c.Close()
	}
	for id := range b.refused {
		if found[id] {
			t.Errorf("message %v was refused and is there", id)
		}
	}
	for id, notice := range b.noticed {
		if found[id] || !found[notice] && !b.touched[notice] {
			t.Errorf("message %v was settled with notice %v: message there %v, notice there %v", id, notice, found[id], found[notice])
		}
	}
	for id, notice := range b.begun {
		if found[id] && found[notice] {
			t.Errorf("message %v is there, and notice %v of its end", id, notice)
		}
	}
	claimable(t, s, len(found))
	if stats, err := s.Stats(t.Context()); err != nil || stats.Messages != int64(len(found)) {
		t.Errorf("%d messages are counted, %d are there, %v", stats.Messages, len(found), err)
	}
}

// claimable fails where not each message is due: the due index has lost one.
func claimable(t *testing.T, s *Store, want int) {
	t.Helper()
	for got := 0; got < want; {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		leases, err := s.Claim(ctx, 100)
		cancel()
		if err != nil {
			t.Fatalf("%d of %d messages can be claimed: %v", got, want, err)
		}
		got += len(leases)
		for _, l := range leases {
			if len(l.Recipients) == 0 {
				t.Errorf("message %v is due for nobody", l.Envelope.ID)
			}
		}
	}
}

// orphans fails where the files of large contents are not those of messages.
func orphans(t *testing.T, s *Store) {
	t.Helper()
	s, err := Open(t.Context(), "spool", s.options)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.bodies.all(func(id mail.ID) error {
		if _, err := s.Get(t.Context(), id); err != nil {
			t.Errorf("the file of message %v stays: %v", id, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
