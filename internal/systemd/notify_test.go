package systemd

import (
	"net"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

func TestTheManagerHears(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	manager.SetReadDeadline(time.Now().Add(20 * time.Second))
	n := FromEnvironment([]string{"HOME=/", "NOTIFY_SOCKET=" + path})
	for _, test := range []struct {
		send func() error
		want string
	}{
		{n.Ready, "^READY=1$"},
		{n.Stopping, "^STOPPING=1$"},
		{n.Reloading, "^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]+$"},
		{func() error { return n.Replaced(42) }, "^MAINPID=42\nREADY=1$"},
	} {
		if err := test.send(); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 256)
		read, err := manager.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(test.want).Match(b[:read]) {
			t.Errorf("heard %q, want %s", b[:read], test.want)
		}
	}
}

func TestWithoutAManagerNothingIsSaid(t *testing.T) {
	if err := FromEnvironment([]string{"HOME=/"}).Ready(); err != nil {
		t.Error(err)
	}
}

func TestAManagerThatIsGoneIsAnError(t *testing.T) {
	n := Notifier{filepath.Join(t.TempDir(), "nobody")}
	if err := n.Ready(); err == nil {
		t.Error("nil")
	}
}
