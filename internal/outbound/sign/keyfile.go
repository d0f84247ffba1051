package sign

import (
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/weirmail/weir/internal/dkim"
)

// lookAgain is how long a key is used before its file is looked at once more.
const lookAgain = time.Second

// keyFile is a key that follows its file. A file that has become bad, or is gone,
// leaves the key that was there: it is the one that the DNS has.
type keyFile struct {
	path  string
	fault func(error)

	mu     sync.Mutex
	key    *dkim.Key
	info   fs.FileInfo // of the file that the key is from
	looked time.Time
	failed int    // how often it could not be used, one time after the other
	told   string // the last fault that was told of
	turns  uint64 // how often the key was changed
}

// openKey reads a key for the first time.
func openKey(path string, fault func(error), now time.Time) (*keyFile, error) {
	f := &keyFile{path: path, fault: fault, looked: now}
	key, info, err := f.read()
	if err != nil {
		return nil, err
	}
	f.key, f.info = key, info
	return f, nil
}

// current returns the key that its file has now, and a number that changes with it.
func (f *keyFile) current(now time.Time) (*dkim.Key, uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if since := now.Sub(f.looked); since >= lookAgain || since < 0 {
		f.looked = now
		f.look()
	}
	return f.key, f.turns
}

// look reads the file where it has changed. mu is held.
func (f *keyFile) look() {
	if info, err := os.Stat(f.path); err == nil && f.failed == 0 && isSame(info, f.info) {
		return
	}
	key, info, err := f.read()
	if err != nil {
		// Somebody may be writing it: that is told of when it lasts.
		if f.failed++; f.failed > 1 && err.Error() != f.told {
			f.told = err.Error()
			f.fault(fmt.Errorf("%w; mail is signed by the key that was there before", err))
		}
		return
	}
	f.key, f.info, f.failed, f.told = key, info, 0, ""
	f.turns++
}

func (f *keyFile) read() (*dkim.Key, fs.FileInfo, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return nil, nil, fmt.Errorf("looking for the key of DKIM signatures: %w", err)
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the key of DKIM signatures: %w", err)
	}
	key, err := dkim.ParseKey(text)
	if err != nil {
		return nil, nil, fmt.Errorf("the key of DKIM signatures in %s cannot be used: %w", f.path, err)
	}
	return key, info, nil
}

// isSame tells whether two looks at a file have found the same.
func isSame(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
