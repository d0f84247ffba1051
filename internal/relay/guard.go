package relay

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/weirmail/weir/internal/config"
)

// guard says who may open a Unix socket. One that was given is the concern of who
// gave it.
func guard(path string, l *config.Listener) error {
	uid, gid, err := idsOf(l.Owner)
	if err != nil {
		return err
	}
	if uid >= 0 || gid >= 0 {
		if err := os.Chown(path, uid, gid); err != nil {
			return err
		}
	}
	if l.Mode == 0 {
		return nil
	}
	return os.Chmod(path, os.FileMode(l.Mode))
}

// idsOf returns the numbers of "user", "user:group" or ":group", of which each may
// be a number; -1 for what is not there.
func idsOf(owner string) (uid, gid int, err error) {
	name, group, _ := strings.Cut(owner, ":")
	uid, gid = -1, -1
	if name != "" {
		if uid, err = numberOf(name, "user", func() (string, error) {
			u, err := user.Lookup(name)
			if err != nil {
				return "", err
			}
			return u.Uid, nil
		}); err != nil {
			return -1, -1, err
		}
	}
	if group == "" {
		return uid, gid, nil
	}
	gid, err = numberOf(group, "group", func() (string, error) {
		g, err := user.LookupGroup(group)
		if err != nil {
			return "", err
		}
		return g.Gid, nil
	})
	return uid, gid, err
}

// numberOf returns a number that is written as such, or looked up by its name.
func numberOf(name, kind string, lookUp func() (string, error)) (int, error) {
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	id, err := lookUp()
	if err != nil {
		return -1, fmt.Errorf("there is no %s %q: %w", kind, name, err)
	}
	n, err := strconv.ParseUint(id, 10, 31)
	if err != nil {
		return -1, fmt.Errorf("%s %q has the number %q: %w", kind, name, id, err)
	}
	return int(n), nil
}
