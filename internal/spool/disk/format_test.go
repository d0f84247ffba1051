package disk

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/vfs"
)

// records are the records and keys of version 1, with what they were made of.
func records() (names []string, bytes map[string][]byte) {
	id := mail.ID{1, 2, 3, 15: 0xff}
	e := everything()
	e.ID = id
	bytes = map[string][]byte{}
	add := func(name string, b []byte) {
		names = append(names, name)
		bytes[name] = b
	}
	add("envelope", appendEnvelope(nil, e, place{}))
	add("envelope with a large content", appendEnvelope(nil, e, place{large: true, crc: 0x01020304}))
	add("empty envelope", appendEnvelope(nil, &mail.Envelope{}, place{}))
	add("progress", appendProgress([]byte{recordVersion}, &e.Recipients[1].Progress))
	add("empty progress", appendProgress([]byte{recordVersion}, &mail.Progress{}))
	add("held", appendHeld(nil, true))
	add("not held", appendHeld(nil, false))
	add("key of an envelope", appendID(nil, kindEnvelope, id))
	add("key of a content", appendID(nil, kindBody, id))
	add("key of a recipient's state", appendStateKey(nil, id, 258))
	add("key of a message's state", appendStateKey(nil, id, wholeMessage))
	add("key in the due index", appendEntry(nil, entry{momentOf(e.Arrived), id}))
	return names, bytes
}

// The file is never changed: it is what stands in the spools of others. A new
// layout takes a new version, and a file of its own.
func TestTheLayoutOfVersion1Stays(t *testing.T) {
	want, err := os.ReadFile("testdata/version1.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	names, bytes := records()
	for _, name := range names {
		fmt.Fprintf(&got, "%s\n%s\n", name, hex.Dump(bytes[name]))
	}
	if got.String() != string(want) {
		t.Errorf("the layout has changed, and is now:\n%s", got.String())
	}
}

func TestMessagesAboutFoldersThatAreNoSpool(t *testing.T) {
	write := func(t *testing.T, fs vfs.FS, path, text string) {
		t.Helper()
		if err := vfs.MkdirAll(fs, fs.PathDir(path)); err != nil {
			t.Fatal(err)
		}
		if err := writeFile(fs, path, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ name, path, text, want string }{
		{
			"a later version", "spool/FORMAT", "weir spool\nversion 1 since 2026-01-01T00:00:00Z\nversion 2 since 2027-01-01T00:00:00Z\n",
			"unknown spool format: spool has version 2 and this program knows up to 1; open it with the newer program that wrote it",
		},
		{"another file", "spool/FORMAT", "ext4\n", "unknown spool format: the file FORMAT in spool does not say which"},
		{"an empty file", "spool/FORMAT", "", "unknown spool format: the file FORMAT in spool does not say which"},
		{"no version", "spool/FORMAT", "weir spool\n", "unknown spool format: the file FORMAT in spool does not say which"},
		{"version 0", "spool/FORMAT", "weir spool\nversion 0 since\n", "unknown spool format: the file FORMAT in spool does not say which"},
		{"a store of nobody", "spool/db/MANIFEST-000001", "x", "unknown spool format: there is a store in spool/db and no file FORMAT that tells its version"},
		{"a log of nobody", "spool/db/000002.log", "x", "unknown spool format: there is a store in spool/db and no file FORMAT that tells its version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fs := vfs.NewMem()
			write(t, fs, test.path, test.text)
			before := fs.String()
			_, err := Open(t.Context(), "spool", Options{FS: fs})
			if !errors.Is(err, ErrFormat) || err.Error() != test.want {
				t.Errorf("%v\nwant %s", err, test.want)
			}
			if fs.String() != before {
				t.Errorf("it was touched:\n%s\nbefore:\n%s", fs.String(), before)
			}
		})
	}
}

func TestTheFormatIsWrittenOnce(t *testing.T) {
	fs := vfs.NewMem()
	since := time.Date(2026, 11, 24, 8, 0, 0, 0, time.FixedZone("", 3600))
	for range 2 {
		s, err := Open(t.Context(), "spool", Options{FS: fs, Clock: func() time.Time { return since }})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		since = since.Add(time.Hour)
	}
	text, err := readFormat(fs, "spool/FORMAT")
	if want := "weir spool\nversion 1 since 2026-11-24T07:00:00Z\n"; err != nil || string(text) != want {
		t.Errorf("%q, %v; want %q", text, err, want)
	}
}

func TestASpoolIsForOneProcess(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), dir, Options{})
	want := "opening the spool " + dir + ": the spool is in use by another process: stop that one first, or give this one a folder of its own"
	if !errors.Is(err, ErrInUse) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v\nwant %s", err, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), dir, Options{}); err != nil {
		t.Fatalf("after it was closed: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMomentsKeepTheOrderOfTimes(t *testing.T) {
	for _, test := range []struct {
		time time.Time
		want moment
	}{
		{time.Time{}, 0},
		{time.Unix(-1, 999), 0},
		{time.Unix(0, 0), 0},
		{time.Unix(1, 2), 1_000_000_002},
		{time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC), 9_214_646_400_000_000_000},
		{time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC), never},
		{time.Unix(1<<62, 0), never},
	} {
		if got := momentOf(test.time); got != test.want {
			t.Errorf("%v: %d, want %d", test.time, got, test.want)
		}
	}
	now := time.Unix(100, 0)
	for m, want := range map[moment]time.Duration{
		0: 0, momentOf(now): 0, momentOf(now) + 5: 5, never: 1<<63 - 1,
	} {
		if got := m.until(now); got != want {
			t.Errorf("%d: %v, want %v", m, got, want)
		}
	}
}

// FuzzKeys: a key is read back as it was written, and nothing else is a key.
func FuzzKeys(f *testing.F) {
	_, bytes := records()
	for _, b := range bytes {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, key []byte) {
		if e, ok := parseEntry(key); ok && string(appendEntry(nil, e)) != string(key) {
			t.Errorf("an entry of %x", key)
		}
		if id, recipient, ok := parseStateKey(key); ok && string(appendStateKey(nil, id, recipient)) != string(key) {
			t.Errorf("a state of %x", key)
		}
		for _, kind := range []byte{kindBody, kindEnvelope} {
			if id, ok := parseIDKey(key, kind); ok && string(appendID(nil, kind, id)) != string(key) {
				t.Errorf("an id of %x", key)
			}
		}
	})
}
