package test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/weirmail/weir/internal/inbound"
	"github.com/weirmail/weir/smtpserver"
)

const mib = 1 << 20

// smallDisk is a folder on a disk of its own, of so many octets.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := folder(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size)); err != nil {
		t.Skipf("LEFT OUT: a full disk, since no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillDisk leaves so many octets free on the disk of a folder, and returns the
// file that takes the rest.
func fillDisk(t *testing.T, dir string, left int64) string {
	t.Helper()
	var room syscall.Statfs_t
	if err := syscall.Statfs(dir, &room); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "filler-"+strconv.FormatInt(left, 10))
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, int64(room.Bavail)*room.Bsize-left); err != nil {
		t.Fatalf("filling the disk: %v", err)
	}
	return name
}

func TestAFullDiskTurnsEveryoneAwayUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 256*mib)
	hop := startNextHop(t, nil)
	d := startStrict(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n[smtp]\nmax_message_size = \"40MiB\"\n[spool]\nreserve_disk = \"16MiB\"\n", hop.address))
	c := dial(t, d.address())
	c.greet()
	c.deliver("before")

	// Room for small messages, and not for a large one.
	first := fillDisk(t, dir, (16+32)*mib)
	var r refusal
	until(t, "the sensor to see what is left", func() bool {
		c.say("MAIL FROM:<ada@example.com> SIZE=36000000\r\n")
		line, _ := c.r.ReadString('\n')
		if strings.HasPrefix(line, "250 ") {
			c.ask("RSET", "250 ")
			return false
		}
		r = parseRefusal(t, line)
		return true
	})
	if r.code != "452 4.3.1" || r.reason != "disk" {
		t.Errorf("heard %q, want 452 4.3.1 with reason=disk", r.line)
	}
	if m := d.explained(r, "MAIL").Measure; m == nil || m.Value < 36000000 || m.Limit <= 0 || m.Limit > 32*mib {
		t.Errorf("the measure is %+v", m)
	}
	c.deliver("small")

	second := fillDisk(t, dir, 16*mib)
	decision := d.explained(d.awaitRefusal("127.0.0.1", "421 4.3.2", "disk"), "accept")
	if s := signalOf(decision, "disk"); decision.Deciding != "disk" || s.Pressure < 1 || s.Limit <= 0 {
		t.Errorf("the decision is %+v", decision)
	}
	c.say("MAIL FROM:<ada@example.com>\r\n")
	d.explained(c.refused("421 4.3.2", "disk"), "MAIL")
	c.ended()

	for _, name := range []string{first, second} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	d.awaitGreeting("127.0.0.1")
	c = dial(t, d.address())
	c.greet()
	c.deliver("after")
	for i, a := range hop.await(t, 3) {
		if want := []string{"before", "small", "after"}[i]; subject(a.content) != want {
			t.Errorf("message %d is %q, want %q", i, subject(a.content), want)
		}
	}
	if code := d.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestADiskThatAnswersLateTurnsStrangersAway(t *testing.T) {
	t.Parallel()
	hop := startNextHop(t, nil)
	d := startStrict(t, folder(t), strangers(hop.address))
	c := dial(t, d.address())
	c.greet()
	c.deliver("before")

	quick := tamper(t, d, "fdatasync,fsync:delay_exit=60000000")
	c.begin()
	c.say("Subject: late\r\n\r\nx\r\n.\r\n")
	decision := d.explained(d.awaitRefusal("127.0.0.1", "421 4.3.2", "storage"), "accept")
	if s := signalOf(decision, "storage"); decision.Deciding != "storage" || s.Value < s.Limit {
		t.Errorf("the decision is %+v", decision)
	}
	quick()
	c.hear("250 2.0.0 ") // what was promised takes its time, and is kept
	d.awaitGreeting("127.0.0.1")
	hop.await(t, 2)
}

func TestADiskThatFailsLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	hop := startNextHop(t, nil)
	configuration := strangers(hop.address)
	d := startStrict(t, folder(t), configuration)
	c := dial(t, d.address())
	c.greet()
	c.deliver("before")
	tamper(t, d, "fdatasync,fsync:error=EIO")
	c.begin()
	c.say("Subject: fails\r\n\r\nx\r\n.\r\n")
	if line := c.hear("451 4.3.0 "); !strings.Contains(line, "reason=store-failed") {
		t.Errorf("heard %q", line)
	}
	// Nobody knows any more what is on that disk, so nothing is promised until
	// somebody has looked.
	if code := d.wait(); code == 0 {
		t.Error("exit code 0, and the disk has failed")
	}
	d = startStrict(t, d.dir, configuration)
	c = dial(t, d.address())
	c.greet()
	c.deliver("after")
	until(t, "what was acknowledged at the next hop", func() bool {
		return len((&load{acknowledged: map[string]bool{"before": true, "after": true}}).missing(hop)) == 0
	})
}

// tamper lets strace change what the system says to a relay, until the function
// that it returns is called.
func tamper(t *testing.T, d *daemon, how string) (end func()) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil || os.Getuid() != 0 {
		t.Skipf("LEFT OUT: a slow disk, or one that fails, which takes strace and the right to use it: uid %d, %v", os.Getuid(), err)
	}
	pid := strconv.Itoa(d.cmd.Process.Pid)
	cmd := exec.Command(strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", "inject="+how, "-p", pid)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Skipf("LEFT OUT: a slow disk, or one that fails: %v", err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); cmd.Wait() }()
	end = func() { cmd.Process.Signal(syscall.SIGTERM); <-gone }
	t.Cleanup(end)
	until(t, "strace to hold every thread", func() bool {
		select {
		case <-gone:
			t.Skipf("LEFT OUT: a slow disk, or one that fails: strace says %s", said.String())
		default:
		}
		return d.eachThread(func(status string) bool { return !strings.Contains(status, "\nTracerPid:\t0\n") })
	})
	return end
}

// refusing is a next hop that refuses every recipient for good, once it is open.
type refusing struct {
	smtpserver.Session
	open chan struct{}
}

func (r *refusing) Rcpt(context.Context, *smtpserver.Rcpt) error {
	<-r.open
	return smtpserver.Refuse(inbound.ReplyRelayDenied, "example.org", "127.0.0.1")
}

func TestDeliveriesAreWrittenDownOnADiskThatOthersHaveFilled(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 256*mib)
	open := make(chan struct{})
	hop := startNextHop(t, func(s *smtpserver.Server) {
		begin := s.NewSession
		s.Limits.Commands = 1_000_000 // each transaction here is one without mail
		s.NewSession = func(ctx context.Context, c *smtpserver.Conn) (smtpserver.Session, error) {
			session, err := begin(ctx, c)
			return &refusing{session, open}, err
		}
	})
	// Each message becomes a notice of its failure, so that much is written; with
	// little memory for its table the store begins new logs for it.
	configuration := fmt.Sprintf("next_hop = \"smtp://%s\"\n[spool]\nreserve_disk = \"16MiB\"\nmemtable = \"1MiB\"\n", hop.address)
	d := startStrict(t, dir, configuration)
	c := dial(t, d.address())
	c.greet()
	for range 1500 {
		c.deliver("waits")
	}
	filler := fillDisk(t, dir, 0)
	close(open)
	until(t, "the queue to be empty", func() bool { return d.status().Spool.Messages == 0 })
	if !strings.Contains(d.output(), "the ballast was given up") {
		t.Error("there was room on the disk: this test shows nothing")
	}
	d.explained(d.awaitRefusal("127.0.0.1", "421 4.3.2", "disk"), "accept")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	d.awaitGreeting("127.0.0.1")
	if code := d.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	d = startStrict(t, dir, configuration)
	if n := d.status().Spool.Messages; n != 0 {
		t.Errorf("%d deliveries were forgotten", n)
	}
}
