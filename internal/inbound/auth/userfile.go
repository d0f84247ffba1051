package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// UserFile is a directory in a file, which is read anew when it has changed. It is safe
// for concurrent use.
type UserFile struct {
	options UserFileOptions

	mu      sync.Mutex
	state   fileState
	looked  time.Time
	current *accounts
}

// UserFileOptions are what a UserFile is built from.
type UserFileOptions struct {
	// Path is the file. Nobody but its owner may read it.
	Path string
	// Hasher bounds the hashing. It must be set.
	Hasher *Hasher
	// Secret is what the verifiers of accounts that do not exist are made from: it
	// has to stay the same, or they could be told from those that do.
	Secret []byte
	// Report hears why a changed file could not be taken; the accounts stay as they
	// were. It must be set.
	Report func(error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// fileState is what shows that a file has changed.
type fileState struct {
	modified time.Time
	size     int64
	info     os.FileInfo
}

// accounts are the users of one reading.
type accounts struct {
	*Users
	likely     verifier // what most accounts have, for those that do not exist
	iterations int
	salt       int // length
}

// OpenUserFile reads the file for the first time. An error says what is wrong with it,
// and where.
func OpenUserFile(o UserFileOptions) (*UserFile, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	f := &UserFile{options: o, looked: o.Now()}
	state, users, err := readUsers(o.Path)
	if err != nil {
		return nil, err
	}
	f.state, f.current = state, newAccounts(users)
	return f, nil
}

// newAccounts finds out what most accounts look like.
func newAccounts(us *Users) *accounts {
	a := &accounts{Users: us}
	passwords, scrams := map[string]int{}, map[[2]int]int{}
	for _, u := range us.All() {
		if v := u.verifier(); v != nil {
			kind := workOf(v)
			if passwords[kind]++; a.likely == nil || passwords[kind] > passwords[workOf(a.likely)] {
				a.likely = v
			}
		}
		if u.scram != nil {
			kind := [2]int{u.scram.Iterations, len(u.scram.Salt)}
			if scrams[kind]++; scrams[kind] > scrams[[2]int{a.iterations, a.salt}] {
				a.iterations, a.salt = kind[0], kind[1]
			}
		}
	}
	if a.likely == nil {
		a.likely = &argon{memory: argonMemory, time: argonTime, threads: argonThreads, salt: make([]byte, saltLength), key: make([]byte, 32)}
	}
	if a.iterations == 0 {
		a.iterations, a.salt = scramIterations, saltLength
	}
	return a
}

// workOf names the work that a verifier takes.
func workOf(v verifier) string {
	switch v := v.(type) {
	case *argon:
		return fmt.Sprintf("argon2id %d %d %d", v.memory, v.time, v.threads)
	case *SCRAMVerifier:
		return fmt.Sprintf("scram %d", v.Iterations)
	}
	return v.String()[:7] // bcrypt, with its cost
}

// readUsers reads a file that nobody else may read.
func readUsers(path string) (fileState, *Users, error) {
	f, err := os.Open(path)
	if err != nil {
		return fileState{}, nil, fmt.Errorf("reading the accounts: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fileState{}, nil, fmt.Errorf("reading the accounts: %w", err)
	}
	if err := checkUsersFile(path, info); err != nil {
		return fileState{}, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxUsersFile))
	if err != nil {
		return fileState{}, nil, fmt.Errorf("reading the accounts: %w", err)
	}
	users, err := ParseUsers(text)
	if err != nil {
		return fileState{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	return stateOf(info), users, nil
}

// checkUsersFile refuses a file that others could read: whoever reads it can guess
// passwords as fast as machines can.
func checkUsersFile(path string, info os.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file", path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s can be read or written by others (mode %04o): say chmod 600 %s", path, info.Mode().Perm(), path)
	case info.Size() > maxUsersFile:
		return fmt.Errorf("%s is too large", path)
	}
	return nil
}

func stateOf(info os.FileInfo) fileState {
	return fileState{modified: info.ModTime(), size: info.Size(), info: info}
}

func (s fileState) same(info os.FileInfo) bool {
	return s.modified.Equal(info.ModTime()) && s.size == info.Size() && os.SameFile(s.info, info)
}

// lookInterval is how often the file is looked at, at most.
const lookInterval = time.Second

// now returns the accounts, as they stand in the file. A file that cannot be taken
// changes nothing, and is reported once.
func (f *UserFile) now() *accounts {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.options.Now()
	if now.Sub(f.looked) < lookInterval {
		return f.current
	}
	f.looked = now
	info, err := os.Stat(f.options.Path)
	switch {
	case err != nil:
		if f.state.info != nil {
			f.options.Report(fmt.Errorf("looking at the accounts, which stay as they were: %w", err))
			f.state = fileState{}
		}
		return f.current
	case f.state.info != nil && f.state.same(info):
		return f.current
	}
	f.state = stateOf(info)
	_, users, err := readUsers(f.options.Path)
	if err != nil {
		f.options.Report(fmt.Errorf("the accounts stay as they were: %w", err))
		return f.current
	}
	f.current = newAccounts(users)
	return f.current
}

// Check checks a password. A name that is no account costs what one would.
func (f *UserFile) Check(ctx context.Context, c Credentials) (Identity, error) {
	a := f.now()
	u, v := a.Get(c.Name), a.likely
	if u != nil && u.verifier() != nil {
		v = u.verifier()
	}
	right, err := f.options.Hasher.verify(ctx, v, c.Password)
	switch {
	case err != nil:
		return Identity{}, err
	case u == nil:
		return Identity{}, denied("", "there is no such account")
	case !right || u.verifier() == nil:
		return Identity{}, denied(u.Name, "the password is wrong")
	case u.Disabled:
		return Identity{}, denied(u.Name, "the account is disabled")
	}
	return u.identity(), nil
}

func (u *User) identity() Identity { return Identity{Account: u.Name, Senders: u.Senders} }

// Find returns an account.
func (f *UserFile) Find(name string) (Identity, bool, error) {
	u := f.now().Get(name)
	if u == nil {
		return Identity{}, false, nil
	}
	if u.Disabled {
		return Identity{}, true, denied(u.Name, "the account is disabled")
	}
	return u.identity(), true, nil
}

// Verifier returns that of an account, or one that nobody has the password of.
func (f *UserFile) Verifier(name string) (SCRAMVerifier, Identity, bool) {
	a := f.now()
	fake := f.fake(a, name) // always, for the same work
	u := a.Get(name)
	if u == nil || u.scram == nil {
		return fake, Identity{}, false
	}
	return *u.scram, u.identity(), !u.Disabled
}

func (f *UserFile) fake(a *accounts, name string) SCRAMVerifier {
	make := func(what string) []byte {
		h := hmac.New(sha256.New, f.options.Secret)
		h.Write([]byte(what + "\x00" + name))
		return h.Sum(nil)
	}
	salt := append(make("salt"), make("more salt")...)
	return SCRAMVerifier{Iterations: a.iterations, Salt: salt[:a.salt], StoredKey: make("stored"), ServerKey: make("server")}
}
