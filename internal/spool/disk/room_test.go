package disk

import (
	"testing"
	"time"

	"github.com/weirmail/weir/internal/vfs"
)

func TestWhatIsWrittenBeforeTheFirstAnswerOfTheDiskIsNoLack(t *testing.T) {
	start := time.Now()
	r := newRoom(vfs.NewMem(), "", 1000)
	r.used(500)
	r.asked.Store(sinceStart(start)) // somebody is asking
	if err := r.check(start); err != nil {
		t.Error(err)
	}
}
