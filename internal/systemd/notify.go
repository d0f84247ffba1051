package systemd

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Notifier sends messages to the manager. The zero value has none, and does
// nothing. It is safe for concurrent use.
type Notifier struct {
	// Socket is the manager's: the value of NOTIFY_SOCKET.
	Socket string
}

// FromEnvironment returns the notifier that the environment, as [os.Environ] has
// it, names.
func FromEnvironment(environ []string) Notifier {
	for _, e := range environ {
		if socket, ok := strings.CutPrefix(e, "NOTIFY_SOCKET="); ok {
			return Notifier{socket}
		}
	}
	return Notifier{}
}

// Ready says that the relay serves.
func (n Notifier) Ready() error { return n.send("READY=1") }

// Stopping says that the relay stops.
func (n Notifier) Stopping() error { return n.send("STOPPING=1") }

// Reloading says that the relay changes itself; Ready is to follow. The time in it
// tells the manager which request is being answered.
func (n Notifier) Reloading() error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("asking for the monotonic time: %w", err)
	}
	return n.send("RELOADING=1\nMONOTONIC_USEC=" + strconv.FormatInt(now.Nano()/int64(time.Microsecond), 10))
}

// Replaced says that another process serves from now on. Only the process that was
// the main one until then is believed.
func (n Notifier) Replaced(pid int) error {
	return n.send("MAINPID=" + strconv.Itoa(pid) + "\nREADY=1")
}

// patience bounds the wait for a manager that does not read.
const patience = time.Second

func (n Notifier) send(message string) error {
	if n.Socket == "" {
		return nil
	}
	nc, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: n.Socket})
	if err != nil {
		return fmt.Errorf("reaching the service manager: %w", err)
	}
	defer nc.Close()
	nc.SetWriteDeadline(time.Now().Add(patience))
	if _, err := nc.Write([]byte(message)); err != nil {
		return fmt.Errorf("telling the service manager: %w", err)
	}
	return nil
}
