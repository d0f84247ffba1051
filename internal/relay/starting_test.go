package relay

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/internal/sockets"
	"github.com/weirmail/weir/internal/vfs"
)

const patience = time.Minute

// slowStart is a relay that is being built on a disk that does not answer.
type slowStart struct {
	t       *testing.T
	address string
	answer  chan struct{} // closed to let the disk answer
	relay   chan *Relay
	fail    error // of the disk, when it answers
}

// startSlowly builds a relay whose clients wait for so long.
func startSlowly(t *testing.T, wait time.Duration, change func(*Options)) *slowStart {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := socket.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	s := &slowStart{t: t, address: socket.Addr().String(), answer: make(chan struct{}), relay: make(chan *Relay, 1)}
	socket.Close() // the descriptor is in file, too
	dir := t.TempDir()
	cfg := config.Default()
	cfg.Hostname, cfg.StateDir, cfg.Admission.Wait = "relay.test", dir, wait
	cfg.Listeners[0].Name, cfg.Listeners[0].Address = "public", s.address
	cfg.Admin.Socket, cfg.Admin.HTTP = filepath.Join(dir, "admin"), ""
	o := Options{
		Logger:  slog.New(slog.DiscardHandler),
		Sockets: sockets.New([]sockets.Given{{Name: "public", File: file}}),
		FS: vfs.Inject(vfs.Disk(), func(c vfs.Call) vfs.Fault {
			if c.Op == vfs.OpLock {
				<-s.answer
				return vfs.Fault{Err: s.fail}
			}
			return vfs.Fault{}
		}),
	}
	if change != nil {
		change(&o)
	}
	go func() {
		r, err := New(context.Background(), cfg, o)
		if !errors.Is(err, s.fail) {
			t.Error(err)
		}
		s.relay <- r
	}()
	return s
}

// dial connects to the relay.
func (s *slowStart) dial() *bufio.Reader {
	s.t.Helper()
	nc, err := net.Dial("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return bufio.NewReader(nc)
}

// hear reads a line.
func (s *slowStart) hear(r *bufio.Reader) string {
	s.t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		s.t.Fatal(err)
	}
	return line
}

// serve lets the disk answer, and runs the relay until the test ends.
func (s *slowStart) serve() *Relay {
	s.t.Helper()
	close(s.answer)
	r := <-s.relay
	if r == nil {
		s.t.FailNow()
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	})
	return r
}

func TestWhoComesWhileTheSpoolIsOpenedIsToldToComeBack(t *testing.T) {
	s := startSlowly(t, 10*time.Millisecond, nil)
	client := s.dial()
	line := s.hear(client)
	said := regexp.MustCompile(`^421 4\.3\.2 relay\.test Service starting, closing channel; reason=starting retry=\d+s id=([0-9a-z]{8})\r\n$`).FindStringSubmatch(line)
	if said == nil {
		t.Fatalf("heard %q", line)
	}
	if rest, err := io.ReadAll(client); err != nil || len(rest) > 0 {
		t.Errorf("after 421: %q, %v", rest, err)
	}
	r := s.serve()
	if line := s.hear(s.dial()); line[:4] != "220 " {
		t.Errorf("heard %q from a relay that has started", line)
	}
	id, _ := admission.ParseID(said[1])
	records := r.gatehouse.controller.Decisions(1, func(r *admission.Record) bool { return r.ID == id })
	if len(records) != 1 || records[0].Reason != admission.ReasonStarting || records[0].Listener != "public" || records[0].Rule != "the relay is starting" {
		t.Errorf("the record is %+v", records)
	}
}

func TestWhoComesShortlyBeforeTheSpoolIsOpenWaits(t *testing.T) {
	s := startSlowly(t, time.Hour, nil)
	client := s.dial()
	s.serve()
	if line := s.hear(client); line[:4] != "220 " {
		t.Errorf("heard %q", line)
	}
}

func TestWhoComesWhileAnotherRelayLeavesWaits(t *testing.T) {
	gone := make(chan struct{})
	s := startSlowly(t, time.Nanosecond, func(o *Options) { o.WaitForSpool = gone })
	client := s.dial()
	s.serve()
	if line := s.hear(client); line[:4] != "220 " {
		t.Errorf("heard %q", line)
	}
}

func TestWhoComesWhenTheOtherRelayShouldHaveLeftIsToldToComeBack(t *testing.T) {
	gone := make(chan struct{})
	s := startSlowly(t, time.Nanosecond, func(o *Options) { o.WaitForSpool = gone })
	close(gone)
	if line := s.hear(s.dial()); line[:10] != "421 4.3.2 " {
		t.Errorf("heard %q", line)
	}
	s.serve()
}

func TestAStartThatFailsLeavesNobodyWaiting(t *testing.T) {
	s := startSlowly(t, time.Nanosecond, nil)
	s.fail = errors.New("no such disk")
	client := s.dial()
	s.hear(client)
	close(s.answer)
	if r := <-s.relay; r != nil {
		t.Fatal("it has started")
	}
	if nc, err := net.Dial("tcp", s.address); err == nil {
		nc.Close()
		t.Error("the socket is open still")
	}
}
