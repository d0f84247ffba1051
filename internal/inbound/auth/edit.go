package auth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// EditUsers changes a file of accounts: no two edits at once, and whoever reads it
// finds the old or the new accounts, whole. A file that is not there is made, for its
// owner alone, who is that of the folder.
func EditUsers(path string, change func(*Users) error) error {
	unlock, err := lockUsers(path)
	if err != nil {
		return err
	}
	defer unlock()
	state, users, err := readUsers(path)
	if errors.Is(err, fs.ErrNotExist) {
		state, users, err = newUsers(path)
	}
	if err != nil {
		return err
	}
	if err := change(users); err != nil {
		return err
	}
	return replaceUsers(path, users.Format(), state.info)
}

// ReadUsers reads a file of accounts, to look at.
func ReadUsers(path string) (*Users, error) {
	_, users, err := readUsers(path)
	return users, err
}

// newUsers begins a file that belongs to the owner of its folder.
func newUsers(path string) (fileState, *Users, error) {
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return fileState{}, nil, fmt.Errorf("making the file of accounts: %w", err)
	}
	users, err := ParseUsers([]byte(usersTitle))
	return stateOf(folder), users, err
}

// lockUsers keeps other edits away. The lock is a file of its own, since the accounts
// are replaced by another file.
func lockUsers(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the accounts: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("locking the accounts %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// replaceUsers puts a file in the place of another, durably, and gives it to the same
// owner.
func replaceUsers(path string, text []byte, like os.FileInfo) (err error) {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, filepath.Base(path)+".new*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing the accounts: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("writing the accounts: %w", err)
		}
	}()
	if _, err = f.Write(text); err != nil {
		return err
	}
	if err = keepOwner(f, like); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// keepOwner gives a new file to whom the old one belonged: root edits the accounts of
// the user that the relay runs as.
func keepOwner(f *os.File, like os.FileInfo) error {
	owner, ok := like.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}

func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
