package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// variablePredecessor tells a program that it was started to take over: the
// descriptor for its reports, and one that is open while the other needs the spool.
const variablePredecessor = "LISTEN_PREDECESSOR"

// lockPatience is how long the lock of the spool may still be held when the other
// relay has said that it is done, or has died.
const lockPatience = 5 * time.Second

// predecessor is the relay that this one takes over from. Its methods may be called
// on nil, which is a relay that was simply started.
type predecessor struct {
	reports *os.File
	theirs  *os.File
	// left is closed when the spool should have been free for a while.
	left    chan struct{}
	watched chan struct{} // closed when nobody looks at theirs any more
	over    chan struct{}
}

// predecessorIn finds the predecessor in the environment, which is told from it by
// the variable; nil where there is none.
func predecessorIn(environ []string) (*predecessor, error) {
	for _, e := range environ {
		value, ok := strings.CutPrefix(e, variablePredecessor+"=")
		if !ok {
			continue
		}
		first, second, _ := strings.Cut(value, ":")
		reports, err := descriptor(first)
		if err != nil {
			return nil, err
		}
		theirs, err := descriptor(second)
		if err != nil {
			return nil, err
		}
		p := &predecessor{
			reports: reports, theirs: theirs,
			left: make(chan struct{}), watched: make(chan struct{}), over: make(chan struct{}),
		}
		go p.watch()
		return p, nil
	}
	return nil, nil
}

func descriptor(number string) (*os.File, error) {
	fd, err := strconv.Atoi(number)
	if err != nil || fd <= 2 {
		return nil, fmt.Errorf("%s: %q is not a descriptor", variablePredecessor, number)
	}
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("%s: descriptor %d: %w", variablePredecessor, fd, err)
	}
	return os.NewFile(uintptr(fd), "predecessor"), nil
}

// watch waits for the predecessor to leave the spool or to die.
func (p *predecessor) watch() {
	defer close(p.watched)
	_, _ = io.Copy(io.Discard, p.theirs) // it ends when the other side is closed
	timer := time.NewTimer(lockPatience)
	defer timer.Stop()
	select {
	case <-timer.C:
		close(p.left)
	case <-p.over:
	}
}

// waitForSpool is closed when waiting for the spool makes no sense any more; nil
// means that there is nobody to wait for.
func (p *predecessor) waitForSpool() <-chan struct{} {
	if p == nil {
		return nil
	}
	return p.left
}

// report tells the predecessor. One that has died need not know.
func (p *predecessor) report(line string) {
	if p != nil {
		fmt.Fprintln(p.reports, line)
	}
}

// end reports an error, and ends the watch.
func (p *predecessor) end(err error) {
	if p == nil {
		return
	}
	if err != nil {
		p.report(reportFailed + strings.ReplaceAll(err.Error(), "\n", " "))
	}
	close(p.over)
	p.theirs.Close()
	<-p.watched
	p.reports.Close()
}
