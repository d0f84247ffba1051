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

// records are the records and keys of version 4, by what they are.
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
func TestTheLayoutOfVersion4Stays(t *testing.T) {
	want, err := os.ReadFile("testdata/version4.txt")
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

// dumped reads the records of a file of dumps.
func dumped(t *testing.T, path string) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		name, dump, _ := strings.Cut(block, "\n")
		for line := range strings.SplitSeq(dump, "\n") {
			digits, _, _ := strings.Cut(line[len("00000000"):], "|")
			b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			all[name] = append(all[name], b...)
		}
	}
	return all
}

// A spool of an older version holds what its records did not yet have: none of it.
func TestRecordsOfOlderVersionsAreRead(t *testing.T) {
	want := everything()
	want.Origin.Standing = mail.Stranger // since version 4
	t.Run("3", func(t *testing.T) { readsOld(t, "testdata/version3.txt", want) })
	want.Origin.Account = "" // since version 3
	t.Run("2", func(t *testing.T) { readsOld(t, "testdata/version2.txt", want) })
	want.Auth, want.DeliverBy, want.HoldUntil = nil, mail.Deadline{}, time.Time{}
	want.Priority, want.HasPriority, want.TLSOptional = 0, false, false
	want.Recipients[1].Progress.DeadlineNotified = false
	t.Run("1", func(t *testing.T) { readsOld(t, "testdata/version1.txt", want) })
}

// readsOld holds what is read of the records of a file to what was written.
func readsOld(t *testing.T, path string, want *mail.Envelope) {
	old := dumped(t, path)
	want.ID = mail.ID{1, 2, 3, 15: 0xff}
	for name, at := range map[string]place{
		"envelope": {}, "envelope with a large content": {large: true, crc: 0x01020304},
	} {
		got, gotAt, err := decodeEnvelope(want.ID, old[name])
		if err != nil || gotAt != at {
			t.Fatalf("%s: %v, %+v", name, err, gotAt)
		}
		if diff := compare(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if h, err := decodeHead(old[name]); err != nil || h.size != want.Size || !h.held || h.place != at {
			t.Errorf("the head of %s: %+v, %v", name, h, err)
		}
	}
	if _, _, err := decodeEnvelope(want.ID, old["empty envelope"]); err != nil {
		t.Errorf("empty envelope: %v", err)
	}
	var p mail.Progress
	if err := decodeProgress(old["progress"], &p); err != nil || compare(want.Recipients[1].Progress, p) != "" {
		t.Errorf("progress: %v, %+v", err, p)
	}
	for name, held := range map[string]bool{"held": true, "not held": false} {
		if got, err := decodeHeld(old[name]); err != nil || got != held {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, key := range old {
		if strings.HasPrefix(name, "key ") && len(key) == 0 {
			t.Errorf("%s: nothing", name)
		}
	}
	_, now := records()
	for name := range now {
		if strings.HasPrefix(name, "key ") && string(now[name]) != string(old[name]) {
			t.Errorf("%s: %x, and was %x", name, now[name], old[name])
		}
	}
}

// An older program must not take a folder for its own once there may be
// records in it that it cannot read.
func TestAnOlderFolderTakesOnTheVersion(t *testing.T) {
	fs := vfs.NewMem()
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	open := func() {
		t.Helper()
		s, err := Open(t.Context(), "spool", Options{FS: fs, Clock: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	open()
	old := "weir spool\nversion 1 since 2026-11-24T07:00:00Z"
	for _, end := range []string{"\n", ""} { // as it is written, and as an editor leaves it
		if err := writeFile(fs, "spool/FORMAT", []byte(old+end)); err != nil {
			t.Fatal(err)
		}
		open()
		open()
		text, err := readFormat(fs, "spool/FORMAT")
		if want := old + "\nversion 4 since 2027-01-01T00:00:00Z\n"; err != nil || string(text) != want {
			t.Errorf("%q, %v; want %q", text, err, want)
		}
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
			"a later version", "spool/FORMAT", "weir spool\nversion 4 since 2026-01-01T00:00:00Z\nversion 5 since 2027-01-01T00:00:00Z\n",
			"unknown spool format: spool has version 5 and this program knows up to 4; open it with the newer program that wrote it",
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
	if want := "weir spool\nversion 4 since 2026-11-24T07:00:00Z\n"; err != nil || string(text) != want {
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
