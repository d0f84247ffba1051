package disk

import (
	"testing"
	"time"

	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/spool/spooltest"
	"github.com/weirmail/weir/internal/vfs"
)

func TestContract(t *testing.T) {
	place := func(t *testing.T, dir string, fs vfs.FS) spooltest.Place {
		return func(clock func() time.Time) (spool.Spool, error) {
			s, err := Open(t.Context(), dir, Options{FS: fs, MemTable: 2 << 20, Reserve: -1, Clock: clock})
			return checked{s, t}, err
		}
	}
	t.Run("on a real disk", func(t *testing.T) {
		t.Parallel()
		spooltest.Run(t, func(t *testing.T) spooltest.Place { return place(t, t.TempDir(), vfs.Disk()) })
	})
	t.Run("in memory", func(t *testing.T) {
		t.Parallel()
		spooltest.Run(t, func(t *testing.T) spooltest.Place { return place(t, "spool", vfs.NewMem()) })
	})
}
