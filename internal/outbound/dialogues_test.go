package outbound

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/mail"
)

func TestWhatWasSaidIsKeptForAMessageThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.peer("example.net", hello+answers("alice@example.org", "bob@example.net", "450 4.7.1 Greylisted, try again in 300 seconds")+`
C: RSET
C: MAIL FROM:<alice@example.org>
C: RCPT TO:<carol@example.net>
C: DATA
S: 250 ok
S: 250 ok
S: 250 ok
S: 354 go
C: <data>
S: 250 taken
`+bye)
		w.start()
		id := w.put("bob@example.net")
		synctest.Wait()
		good := w.put("carol@example.net")
		time.Sleep(time.Minute)
		all := w.out.Dialogues(id)
		if len(all) != 1 || all[0].Host != "example.net" {
			t.Fatalf("%+v", all)
		}
		for _, line := range []string{"S: 220 mx.example.net ESMTP", "C: RCPT TO:<bob@example.net>", "S: 450 4.7.1 Greylisted"} {
			if !strings.Contains(all[0].Text, line) {
				t.Errorf("no %q in\n%s", line, all[0].Text)
			}
		}
		if all := w.out.Dialogues(good); len(all) != 0 {
			t.Errorf("of a message that went well: %+v", all)
		}
	})
}

func TestDialoguesAreBounded(t *testing.T) {
	var k dialogues
	text := strings.Repeat("S: 250 ok\n", 100)
	for n := range 20_000 {
		k.add(mail.ID{byte(n), byte(n >> 8)}, Dialogue{Text: text})
		k.add(mail.ID{255, 255, 255}, Dialogue{Text: text})
	}
	if k.bytes > maxDialogueBytes || len(k.of[mail.ID{255, 255, 255}]) != dialoguesEach {
		t.Errorf("%d bytes, and %d of one message", k.bytes, len(k.of[mail.ID{255, 255, 255}]))
	}
	count := 0
	for _, all := range k.of {
		count += len(all)
	}
	if count != len(k.order) || count*(len(text)+dialogueCost) != k.bytes {
		t.Errorf("%d dialogues, %d in order, %d bytes", count, len(k.order), k.bytes)
	}
}
