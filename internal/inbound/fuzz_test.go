package inbound

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/smtpserver"
	"github.com/weirmail/weir/smtptest"
)

// The bits of what is different about a room that is fuzzed.
const (
	roomLMTP     = 1 << iota
	roomStranger // the client may send to example.net alone, and is greylisted
	roomLimited  // its rates are small
	roomShort    // there is little memory, and little room on the disk
	roomBroken   // the spool takes nothing
	roomTrusted  // it may say on whose behalf it speaks
	roomReset    // the client resets the connection at the end
)

// FuzzRoom lets a client say anything to a whole room. Whatever it says: each reply is
// in a table; what is promised is in the spool, and nothing else; and when the client
// has gone nothing is left of what admission charged for it.
func FuzzRoom(f *testing.F) {
	const hello, message = "EHLO client.test\r\n", aMail + "\r\n" + aRcpt + "\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n"
	for _, seed := range []string{
		"", "QUIT\r\n", hello + message + message + "QUIT\r\n", "HELO client.test\r\n" + message, "LHLO client.test\r\n" + message, hello + aMail + " SIZE=90000\r\n" + aRcpt + "\r\nRSET\r\nQUIT\r\n",
		hello + aMail + "\r\nRCPT TO:<a@elsewhere.test>\r\nRCPT TO:<b@elsewhere.test>\r\n" + aRcpt + "\r\nBDAT 3\r\na\r\nBDAT 9 LAST\r\nhalf", hello + aMail + "\r\n" + aRcpt + "\r\nDATA\r\na\nb\r\n.\r\n" + message,
		hello + aMail + " HOLDFOR=60 BY=120;R MT-PRIORITY=3 RET=HDRS\r\n" + aRcpt + " NOTIFY=NEVER\r\nBDAT 0 LAST\r\n", hello + "XCLIENT ADDR=192.0.2.9 LOGIN=bob\r\n" + hello + message, hello + "XCLIENT LOGIN=bob ADDR=[UNAVAILABLE]\r\n" + hello + aMail + "\r\nXCLIENT PORT=1\r\n",
		hello + aMail + "\r\n" + aRcpt + "\r\nDATA\r\n" + strings.Repeat("Received: a\r\n", 120) + "\r\n.\r\n", hello + aMail + "\r\n" + aRcpt + "\r\nDATA\r\n" + strings.Repeat("x", 9000) + "\r\n.\r\n" + message,
	} {
		for _, mode := range []byte{0, roomLMTP, roomStranger, roomLimited, roomShort, roomBroken, roomTrusted, roomReset | roomShort, roomStranger | roomLimited | roomTrusted} {
			f.Add([]byte(seed), mode)
		}
	}
	f.Fuzz(func(t *testing.T, said []byte, mode byte) {
		synctest.Test(t, func(t *testing.T) { visit(t, said, mode) })
	})
}

// visit is one client in a room of its own.
func visit(t *testing.T, said []byte, mode byte) {
	events, store := &heard{}, &stored{}
	h := raise(t, func(p *plan) { furnish(t, p, mode, events, store) })
	if mode&roomShort != 0 {
		h.budgets = admission.Budgets{Memory: 150 << 10, Disk: 60 << 10}
	}
	h.tick(0, admission.Readings{})
	client, server := smtptest.Pipe()
	l := &oneCaller{caller: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.caller <- fromFar{server}
	h.open(l)
	<-h.knocked
	heardAll := make(chan string)
	go func() {
		all, _ := io.ReadAll(client)
		heardAll <- string(all)
	}()
	_, _ = client.Write(said) // the server may close before it has all
	if mode&roomReset != 0 {
		synctest.Wait()
		client.Reset()
	} else {
		client.CloseWrite()
	}
	all := <-heardAll
	synctest.Wait()
	time.Sleep(time.Minute) // lingering has an end
	h.checkLeft()
	checkPromises(t, all, mode, store, events)
	client.Close()
}

// furnish changes a room by the bits of a mode.
func furnish(t *testing.T, p *plan, mode byte, events *heard, store *stored) {
	has := func(bit byte) bool { return mode&bit != 0 }
	p.room.Spool, p.room.Events = store, events.listener()
	p.room.Policy = NewPolicy([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}, nil)
	p.listener.LMTP = has(roomLMTP)
	p.listener.Limits = smtpserver.Limits{MessageSize: 20_000, Recipients: 5, Errors: 8, Commands: 30}
	p.listener.Offers = smtpserver.Offers{DeliverBy: true, FutureRelease: time.Hour, Priority: true}
	if has(roomTrusted) {
		p.listener.Offers.XCLIENT = func(net.Addr) bool { return true }
	}
	if has(roomStranger) {
		p.room.Policy, p.room.Greylist = NewPolicy(nil, []string{"example.net"}), greylist(t, has(roomLimited))
	}
	if has(roomLimited) {
		p.admission.Limits.Client = admission.Limits{Connections: 2, Messages: oneAnHour, Recipients: admission.Rate{Count: 2, Per: time.Hour}, Unknown: oneAnHour, Bytes: admission.Rate{Count: 10_000, Per: time.Hour}}
	}
	if has(roomBroken) {
		store.fail = spool.ErrFull
	}
}

// checkLeft looks for what a client has left behind in admission, and for replies that
// are in no table.
func (h *house) checkLeft() {
	h.t.Helper()
	if f := h.admission.Figures(); f.Sessions != 0 || f.Used != 0 || f.Waiting != 0 || f.Memory.Charged != 0 || f.Disk.Charged != 0 {
		h.t.Errorf("left behind: %d sessions, %d slots, %d that wait, %d octets of memory and %d on the disk", f.Sessions, f.Used, f.Waiting, f.Memory.Charged, f.Disk.Charged)
	}
	if n := h.server.Connections(); n != 0 {
		h.t.Errorf("%d connections are open", n)
	}
	known := append(smtpserver.Replies(), Replies()...)
	h.mu.Lock()
	defer h.mu.Unlock()
	for row := range h.said {
		if !slices.Contains(known, row) {
			h.t.Errorf("the reply %s is in no table", row.Name)
		}
	}
}

// checkPromises holds what was said against what was stored and told.
func checkPromises(t *testing.T, all string, mode byte, store *stored, events *heard) {
	t.Helper()
	promised, recipients := strings.Count(all, "queued as"), 0
	for _, e := range store.envelopes {
		recipients += len(e.Recipients)
		if len(e.Recipients) == 0 || e.ReversePath.Domain == "" && e.ReversePath.Local != "" {
			t.Errorf("stored: %+v", e)
		}
	}
	want := len(store.envelopes)
	if mode&roomLMTP != 0 {
		want = recipients
	}
	if mode&roomReset == 0 && promised != want {
		t.Errorf("%d messages were promised, %d stored", promised, want)
	}
	if len(events.accepted) != len(store.envelopes) {
		t.Errorf("%d messages were told of, %d stored", len(events.accepted), len(store.envelopes))
	}
	for _, fault := range events.faults {
		t.Errorf("a fault: %+v", fault)
	}
}

// oneCaller is a listener with one connection.
type oneCaller struct {
	caller chan net.Conn
	closed chan struct{}
}

func (l *oneCaller) Accept() (net.Conn, error) {
	select {
	case nc := <-l.caller:
		return nc, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneCaller) Close() error {
	select {
	case <-l.closed:
		return errors.New("closed already")
	default:
		close(l.closed)
	}
	return nil
}

func (*oneCaller) Addr() net.Addr { return &net.TCPAddr{} }

// fromFar is a connection in memory whose peer has an address.
type fromFar struct{ net.Conn }

func (fromFar) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.7:4711"))
}
