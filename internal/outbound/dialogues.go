package outbound

import (
	"sync"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/verdict"
)

// Dialogue is what was said in an attempt that did not deliver a message to all of
// its recipients. Secrets are masked in it, and content is left out.
type Dialogue struct {
	At            time.Time
	Host, Address string
	Text          string
}

// dialogues keeps the last dialogues of messages in memory, within a bound: they are
// for whoever looks at a message that waits now, and are not worth a write to the disk.
type dialogues struct {
	mu    sync.Mutex
	of    map[mail.ID][]Dialogue
	order []mail.ID // an entry for each dialogue, the oldest first
	bytes int
}

const (
	// maxDialogueBytes bounds them all, dialoguesEach those of one message.
	maxDialogueBytes = 4 << 20
	dialoguesEach    = 3
	// dialogueCost is what one counts beside its text.
	dialogueCost = 200
)

// add keeps a dialogue, and drops the oldest where there are too many.
func (k *dialogues) add(id mail.ID, d Dialogue) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil {
		k.of = make(map[mail.ID][]Dialogue)
	}
	k.of[id] = append(k.of[id], d)
	k.order = append(k.order, id)
	k.bytes += len(d.Text) + dialogueCost
	for k.bytes > maxDialogueBytes || len(k.of[id]) > dialoguesEach {
		oldest := k.order[0]
		if len(k.of[id]) > dialoguesEach {
			oldest = id
		}
		k.drop(oldest)
	}
}

// drop drops the oldest dialogue of a message.
func (k *dialogues) drop(id mail.ID) {
	for i, other := range k.order {
		if other == id {
			k.order = append(k.order[:i], k.order[i+1:]...)
			break
		}
	}
	all := k.of[id]
	k.bytes -= len(all[0].Text) + dialogueCost
	if k.of[id] = all[1:]; len(all) == 1 {
		delete(k.of, id)
	}
}

// Dialogues returns what was said in the last attempts for a message, the oldest
// first, as far as it is remembered: not beyond a restart.
func (out *Outbound) Dialogues(id mail.ID) []Dialogue {
	out.dialogues.mu.Lock()
	defer out.dialogues.mu.Unlock()
	return append([]Dialogue(nil), out.dialogues.of[id]...)
}

// keepDialogue keeps what was said, where somebody still waits for the message.
func (w *worker) keepDialogue(j job, answers []attempt.Answer, target attempt.Target) {
	if w.said == "" {
		return
	}
	for i := range answers {
		if answers[i].Verdict.Action == verdict.Retry {
			w.out.dialogues.add(j.lease.Envelope.ID, Dialogue{At: w.out.now(), Host: target.Host, Address: target.Address, Text: w.said})
			return
		}
	}
}
