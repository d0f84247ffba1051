package certificate

import (
	"context"
	"sync"
	"time"
)

// The times of a keeper.
const (
	// settle is how long the folders have to be quiet before the files are read:
	// a certificate and its key are written one after the other.
	settle = 500 * time.Millisecond
	// lookAgain is how soon files are read once more that cannot be used. What
	// they hold then is told of.
	lookAgain = 2 * time.Second
	// lookAnyway is how often the files are read where nothing has told of a
	// change: not every file system does.
	lookAnyway = 5 * time.Minute
	// Ending is how long before its end a certificate is warned of.
	Ending = 21 * 24 * time.Hour
	// warnAgain is the time between two such warnings.
	warnAgain = 24 * time.Hour
)

// Options say who hears of what happens. Each function may be nil.
type Options struct {
	// Changed hears of a certificate that is shown from now on.
	Changed func(Info)
	// Ends hears of one that ends within [Ending], or has ended: once a day.
	Ends func(Info)
	// Fault hears of files that cannot be used, once for what they hold, and of
	// folders that cannot be watched.
	Fault func(error)
	// Settle, LookAgain and LookAnyway are times for tests; 0 means the usual.
	Settle, LookAgain, LookAnyway time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

func (o *Options) setDefaults() {
	if o.Changed == nil {
		o.Changed = func(Info) {}
	}
	if o.Ends == nil {
		o.Ends = func(Info) {}
	}
	if o.Fault == nil {
		o.Fault = func(error) {}
	}
	for _, d := range []struct {
		field *time.Duration
		usual time.Duration
	}{{&o.Settle, settle}, {&o.LookAgain, lookAgain}, {&o.LookAnyway, lookAnyway}} {
		if *d.field <= 0 {
			*d.field = d.usual
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Keeper keeps entries at what their files hold. It is safe for concurrent use.
type Keeper struct {
	options Options

	mu      sync.Mutex
	entries []*Entry
}

// NewKeeper returns a keeper without entries.
func NewKeeper(o Options) *Keeper {
	o.setDefaults()
	return &Keeper{options: o}
}

// Add reads a certificate, with those between it and the authority, and its key,
// both in PEM. It fails where they cannot be used. The entry of files that were
// added before is the same.
func (k *Keeper) Add(file, key string) (*Entry, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.entries {
		if e.file == file && e.key == key {
			return e, nil
		}
	}
	e := &Entry{file: file, key: key}
	files, err := e.readFiles()
	if err != nil {
		return nil, err
	}
	if err := e.load(files); err != nil {
		return nil, err
	}
	k.entries = append(k.entries, e)
	return e, nil
}

// AddMade adds an entry that is in no file.
func (k *Keeper) AddMade(e *Entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries = append(k.entries, e)
}

// List tells of all entries, in the order in which they were added.
func (k *Keeper) List() []Info {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := make([]Info, 0, len(k.entries))
	for _, e := range k.entries {
		i := InfoOf(e.file, e.Certificate())
		i.Problem = e.problem
		list = append(list, i)
	}
	return list
}

// Run follows the files until the context ends.
func (k *Keeper) Run(ctx context.Context) {
	w := k.watch()
	defer w.close()
	timer := time.NewTimer(0) // the first look warns of what ends
	defer timer.Stop()
	changed := false // and looked at soon
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.changes():
		case <-w.overflows():
		case <-timer.C:
			changed = false
			next := k.options.LookAnyway
			if !k.look() {
				next = min(next, k.options.LookAgain)
			}
			w.follow(k.paths())
			timer.Reset(next)
			continue
		}
		if !changed {
			changed = true
			timer.Reset(k.options.Settle)
		}
	}
}

// look brings the entries to what their files hold. It reports false where some
// should be looked at once more, soon.
func (k *Keeper) look() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	calm := true
	for _, e := range k.entries {
		calm = k.refresh(e) && calm
		k.warn(e)
	}
	return calm
}

// refresh looks at one entry. Files that cannot be used are told of when they have
// not changed since the last look: until then somebody may be writing. mu is held.
func (k *Keeper) refresh(e *Entry) bool {
	if e.file == "" {
		return true
	}
	files, err := e.readFiles()
	if err == nil && e.isShown(files) {
		e.problem, e.seen = "", files
		return true
	}
	if err == nil {
		if err = e.load(files); err == nil {
			e.problem, e.seen, e.warned = "", files, time.Time{}
			k.options.Changed(InfoOf(e.file, e.Certificate()))
			return true
		}
	}
	again := isSame(e.seen, files)
	e.seen = files
	if !again {
		return false
	}
	if text := err.Error(); text != e.problem {
		e.problem = text
		k.options.Fault(&keptError{err})
	}
	return true
}

// keptError tells that files are not shown, and that what was is still.
type keptError struct{ err error }

func (e *keptError) Error() string {
	return e.err.Error() + "; the certificate that was there before is shown still"
}

func (e *keptError) Unwrap() error { return e.err }

// warn tells of a certificate that ends soon. mu is held.
func (k *Keeper) warn(e *Entry) {
	now, info := k.options.Now(), InfoOf(e.file, e.Certificate())
	if info.Expires.Sub(now) > Ending || now.Sub(e.warned) < warnAgain {
		return
	}
	e.warned = now
	k.options.Ends(info)
}

// paths are those of all files.
func (k *Keeper) paths() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var paths []string
	for _, e := range k.entries {
		if e.file != "" {
			paths = append(paths, e.file, e.key)
		}
	}
	return paths
}
