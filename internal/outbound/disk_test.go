package outbound

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool/disk"
)

// The room with the real spool and real connections: many messages at a time,
// each of which one recipient gets and one does not, so that a notice goes
// back. In the end everybody has what is his once, and the spool is empty.
func TestWithTheSpoolOnDisk(t *testing.T) {
	store, err := disk.Open(t.Context(), t.TempDir(), disk.Options{MemTable: 4 << 20, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	settled := make(chan mail.Progress, 10_000)
	w := newWorld(t, func(o *Options) { o.Spool = store })
	w.heard = func(p mail.Progress) { settled <- p }
	sink := newSink(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sink.group.Go(func() { sink.server.Serve(l) })
	refusing := listen(t, answering("550 5.7.1 not here\r\n"))
	for host, address := range map[string]string{"example.net": l.Addr().String(), "example.org": l.Addr().String(), "example.com": refusing} {
		w.host(host, func() (net.Conn, error) { return net.Dial("tcp", address) })
	}
	w.start()

	const clients, messages = 8, 25
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for range messages {
				e := w.envelope("alice@example.org", "bob@example.net", "carol@example.com")
				if err := store.Put(t.Context(), e, strings.NewReader(text)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for n := range 3 * clients * messages { // bob, carol, and the notice
		select {
		case p := <-settled:
			if p.State == mail.Waiting {
				t.Fatalf("waits: %+v", p)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%d outcomes in all", n)
		}
	}
	w.stopped()
	for address, want := range map[string]int{"bob@example.net": clients * messages, "alice@example.org": clients * messages, "carol@example.com": 0} {
		if got := sink.got(address); got != want {
			t.Errorf("%s got %d, want %d", address, got, want)
		}
	}
	stats, err := store.Stats(t.Context())
	if err != nil || stats.Messages != 0 || stats.Leased != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
}
