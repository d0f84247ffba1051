package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/vfs"
)

// reports counts what the store's log says of faults.
type reports struct{ count atomic.Int64 }

func (r *reports) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (r *reports) Handle(context.Context, slog.Record) error    { r.count.Add(1); return nil }
func (r *reports) WithAttrs([]slog.Attr) slog.Handler           { return r }
func (r *reports) WithGroup(string) slog.Handler                { return r }

// threeMessages returns a store in which the second of three messages is to be
// damaged, and the body of each.
func threeMessages(t *testing.T, size int) (*Store, *vfs.Mem, []mail.ID, *reports) {
	t.Helper()
	disk, log := vfs.NewMem(), new(reports)
	options := smallStore()
	options.FS, options.Logger = disk, slog.New(log)
	s, err := Open(t.Context(), "spool", options)
	if err != nil {
		t.Fatal(err)
	}
	c := newCrowd(t, s, newLedger(), 1, 0, nil)
	s.Handover(func(*mail.Lease) bool { return false })
	var ids []mail.ID
	for n := range 3 {
		e := c.envelope(2)
		ids = append(ids, e.ID)
		if err := s.Put(t.Context(), e, bytes.NewReader(bytes.Repeat([]byte{byte(n)}, size))); err != nil {
			t.Fatal(err)
		}
	}
	return s, disk, ids, log
}

// alter changes keys behind the back of a store.
func alter(t *testing.T, s *Store, change func(b *pebble.Batch) error) {
	t.Helper()
	b := s.db.NewBatch()
	if err := errors.Join(change(b), b.Commit(pebble.Sync)); err != nil {
		t.Fatal(err)
	}
}

// read returns the content of a message.
func read(t *testing.T, s *Store, id mail.ID) ([]byte, error) {
	t.Helper()
	c, err := s.Content(t.Context(), id)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(c)
	return b, errors.Join(err, c.Close())
}

func TestADamagedRecordIsPassedOver(t *testing.T) {
	record := appendEnvelope(nil, &mail.Envelope{Recipients: make([]mail.Recipient, 2)}, place{})
	for name, damage := range map[string]func(id mail.ID) (key, value []byte){
		"an empty envelope": func(id mail.ID) (key, value []byte) { return appendID(nil, kindEnvelope, id), nil },
		"half an envelope": func(id mail.ID) (key, value []byte) {
			return appendID(nil, kindEnvelope, id), record[:len(record)/2]
		},
		"an envelope and more": func(id mail.ID) (key, value []byte) {
			return appendID(nil, kindEnvelope, id), append(slices.Clone(record), 0)
		},
		"an envelope of a later version": func(id mail.ID) (key, value []byte) {
			return appendID(nil, kindEnvelope, id), append([]byte{recordVersion + 1}, record[1:]...)
		},
		"a state that is no record": func(id mail.ID) (key, value []byte) {
			return appendStateKey(nil, id, 0), []byte{recordVersion, 0}
		},
		"a state of a later version": func(id mail.ID) (key, value []byte) {
			return appendStateKey(nil, id, 1), []byte{recordVersion + 1, 0, 0}
		},
		"a state of nobody": func(id mail.ID) (key, value []byte) {
			return appendStateKey(nil, id, 2), appendProgress([]byte{recordVersion}, &mail.Progress{})
		},
		"a state of the message that is no record": func(id mail.ID) (key, value []byte) {
			return appendStateKey(nil, id, wholeMessage), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, disk, ids, log := threeMessages(t, 100)
			alter(t, s, func(b *pebble.Batch) error {
				key, value := damage(ids[1])
				return b.Set(key, value, nil)
			})
			for range 2 {
				log.count.Store(0)
				restIsServed(t, s, ids)
				if log.count.Load() == 0 {
					t.Error("the log says nothing")
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				options := s.options
				options.FS = disk
				var err error
				if s, err = Open(t.Context(), "spool", options); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Remove(t.Context(), ids[1]); err != nil {
				t.Errorf("removing the damaged one: %v", err)
			}
			if _, err := s.Get(t.Context(), ids[1]); !errors.Is(err, spool.ErrNotFound) {
				t.Errorf("Get of what was removed: %v", err)
			}
			consistent(t, s)
			if err := s.Remove(t.Context(), ids[1]); !errors.Is(err, spool.ErrNotFound) {
				t.Errorf("removing it again: %v", err)
			}
			if stats, err := s.Stats(t.Context()); err != nil || stats.Messages != 2 || stats.Bytes != 200 || stats.Held != 0 {
				t.Errorf("%+v, %v", stats, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// restIsServed checks that the first and the third message are as they were,
// and that the second is said to be damaged.
func restIsServed(t *testing.T, s *Store, ids []mail.ID) {
	t.Helper()
	if _, err := s.Get(t.Context(), ids[1]); !errors.Is(err, spool.ErrDamaged) || errors.Is(err, spool.ErrNotFound) {
		t.Errorf("Get of the damaged message: %v", err)
	}
	for what, err := range map[string]error{
		"Hold":   s.Hold(t.Context(), ids[1], true),
		"Retime": s.Retime(t.Context(), ids[1], time.Now()),
	} {
		if !errors.Is(err, spool.ErrDamaged) {
			t.Errorf("%s of the damaged message: %v", what, err)
		}
	}
	var seen []mail.ID
	if err := s.Scan(t.Context(), mail.ID{}, func(e *mail.Envelope) bool { seen = append(seen, e.ID); return true }); err != nil {
		t.Errorf("Scan: %v", err)
	}
	if !slices.Equal(seen, []mail.ID{ids[0], ids[2]}) {
		t.Errorf("Scan shows %v", seen)
	}
	for n := 0; n < 2; {
		leases, err := s.Claim(t.Context(), 5)
		if err != nil {
			t.Fatalf("Claim: %v", err)
		}
		for _, l := range leases {
			if l.Envelope.ID == ids[1] {
				t.Error("the damaged message is leased")
			}
			if _, err := read(t, s, l.Envelope.ID); err != nil {
				t.Errorf("Content: %v", err)
			}
			n++
		}
	}
}

// Entries of the due index that lead nowhere are passed over as well.
func TestTheDueIndexMayLeadNowhere(t *testing.T) {
	s, _, ids, _ := threeMessages(t, 100)
	defer s.Close()
	alter(t, s, func(b *pebble.Batch) error {
		return errors.Join(
			b.Set([]byte{kindDue}, nil, nil),
			b.Set(append(appendEntry(nil, entry{5, mail.ID{1}}), 7), nil, nil),
			b.Set(appendEntry(nil, entry{6, mail.ID{2}}), nil, nil),
			b.Set(appendEntry(nil, entry{7, ids[2]}), nil, nil), // earlier than it is
		)
	})
	var got []mail.ID
	for len(got) < 3 {
		leases, err := s.Claim(t.Context(), 5)
		if err != nil {
			t.Fatalf("Claim: %v", err)
		}
		for _, l := range leases {
			got = append(got, l.Envelope.ID)
		}
	}
	slices.SortFunc(got, func(a, b mail.ID) int { return bytes.Compare(a[:], b[:]) })
	if !slices.Equal(got, ids) {
		t.Errorf("leased %v, want %v", got, ids)
	}
}

func TestADamagedContentIsReported(t *testing.T) {
	const size = 2 * smallStoreLarge
	rewrite := func(t *testing.T, fs vfs.FS, path string, data []byte) {
		t.Helper()
		if err := writeFile(fs, path, data); err != nil {
			t.Fatal(err)
		}
	}
	for name, damage := range map[string]func(t *testing.T, s *Store, id mail.ID, data []byte){
		"missing": func(t *testing.T, s *Store, id mail.ID, _ []byte) {
			if err := s.fs.Remove(s.bodies.path(id)); err != nil {
				t.Fatal(err)
			}
		},
		"empty": func(t *testing.T, s *Store, id mail.ID, _ []byte) { rewrite(t, s.fs, s.bodies.path(id), nil) },
		"an octet short": func(t *testing.T, s *Store, id mail.ID, data []byte) {
			rewrite(t, s.fs, s.bodies.path(id), data[1:])
		},
		"an octet longer": func(t *testing.T, s *Store, id mail.ID, data []byte) {
			rewrite(t, s.fs, s.bodies.path(id), append(data, 0))
		},
		"another first bit": func(t *testing.T, s *Store, id mail.ID, data []byte) {
			data[0] ^= 1
			rewrite(t, s.fs, s.bodies.path(id), data)
		},
		"another last bit": func(t *testing.T, s *Store, id mail.ID, data []byte) {
			data[size-1] ^= 1
			rewrite(t, s.fs, s.bodies.path(id), data)
		},
		"zeroes": func(t *testing.T, s *Store, id mail.ID, _ []byte) {
			rewrite(t, s.fs, s.bodies.path(id), make([]byte, size))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, ids, _ := threeMessages(t, size)
			defer s.Close()
			damage(t, s, ids[1], bytes.Repeat([]byte{1}, size))
			if _, err := read(t, s, ids[1]); !errors.Is(err, spool.ErrDamaged) {
				t.Errorf("reading it: %v", err)
			}
			for _, n := range []int{0, 2} {
				if b, err := read(t, s, ids[n]); err != nil || !bytes.Equal(b, bytes.Repeat([]byte{byte(n)}, size)) {
					t.Errorf("reading another: %d octets, %v", len(b), err)
				}
			}
			if err := s.Remove(t.Context(), ids[1]); err != nil {
				t.Errorf("removing it: %v", err)
			}
		})
	}
}

// Whatever happens to the files of a spool, Open does not panic, nothing is
// shown that was not put, and what is lost is reported; except that the store
// takes the end of a log or of a MANIFEST that is missing for one that a power
// cut has torn off.
func TestDamagedFilesAreReported(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			damageFiles(t, rand.New(rand.NewPCG(seed, 3)))
		})
	}
}

func damageFiles(t *testing.T, random *rand.Rand) {
	disk, log := vfs.NewMem(), new(reports)
	options := smallStore()
	options.FS, options.Logger = disk, slog.New(log)
	s, err := Open(t.Context(), "spool", options)
	if err != nil {
		t.Fatal(err)
	}
	c := newCrowd(t, s, newLedger(), 1, 0, heavySizes)
	put := map[mail.ID][]byte{}
	for range 40 {
		e, b := c.envelope(1), c.text(random)
		id := e.ID
		if err := s.Put(t.Context(), e, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		put[id] = b
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	what := damageOne(t, disk, random)
	s, err = Open(t.Context(), "spool", options)
	if err != nil {
		t.Log(what, "reported at the start:", err)
		return
	}
	defer s.Close()
	shown := 0
	if err := s.Scan(t.Context(), mail.ID{}, func(e *mail.Envelope) bool {
		b, err := read(t, s, e.ID)
		switch {
		case errors.Is(err, spool.ErrDamaged):
			log.count.Add(1)
		case err != nil:
			t.Errorf("%s: reading message %v: %v", what, e.ID, err)
		case !bytes.Equal(b, put[e.ID]):
			t.Errorf("%s: message %v has another content", what, e.ID)
		}
		shown++
		return true
	}); err != nil {
		t.Logf("%s: reported by Scan: %v", what, err)
		log.count.Add(1)
	}
	torn := strings.Contains(what, ".log") || strings.Contains(what, "MANIFEST-") && !strings.Contains(what, "marker")
	if shown < len(put) && log.count.Load() == 0 && !torn {
		t.Errorf("%s: %d of %d messages are there, and nobody says why", what, shown, len(put))
	}
}

// damageOne damages one file of a spool and says how.
func damageOne(t *testing.T, disk *vfs.Mem, random *rand.Rand) string {
	t.Helper()
	var paths []string
	for _, dir := range []string{"spool/db", "spool/bodies"} {
		names, err := disk.List(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			path := dir + "/" + name
			if inside, err := disk.List(path); err == nil && dir == "spool/bodies" {
				path += "/" + inside[0]
			}
			if name != "LOCK" {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	path := paths[random.IntN(len(paths))]
	f, err := disk.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	what := strings.TrimPrefix(path, "spool/")
	switch n := random.IntN(4); {
	case n == 0 || len(data) == 0:
		if err := disk.Remove(path); err != nil {
			t.Fatal(err)
		}
		return what + " is missing"
	case n == 1:
		data = data[:random.IntN(len(data))]
		what += fmt.Sprintf(" ends at %d", len(data))
	case n == 2:
		at := random.IntN(len(data))
		data[at] ^= 1 << random.IntN(8)
		what += fmt.Sprintf(" has another bit at %d", at)
	case n == 3:
		at := random.IntN(len(data))
		clear(data[at:min(len(data), at+4096)])
		what += fmt.Sprintf(" has zeroes from %d of %d", at, len(data))
	}
	if err := writeFile(disk, path, data); err != nil {
		t.Fatal(err)
	}
	return what
}
