package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/weirmail/weir/internal/sockets"
)

// What a successor reports to the program that started it, each a line.
const (
	reportPrepared = "prepared"
	reportServing  = "serving"
	reportFailed   = "failed "
)

// preparing is how long a successor may take to read its configuration and to open
// its sockets.
const preparing = 30 * time.Second

// successor is a program that was started to take over from this one.
type successor struct {
	process *os.Process
	// copies are the sockets that it was given. They stay open here until it
	// serves, so that this program could go on.
	copies []sockets.Given
	// reports are the lines that it wrote. It is closed when it has ended.
	reports chan string
	// ours is open as long as this program needs the spool.
	ours  *os.File
	state *os.ProcessState // set when reports is closed
}

// startSuccessor starts the program that this one was started as, which may be a
// newer one by now, with the same arguments and with the sockets.
//
// It is the only place where Weir starts a program: nothing that a peer sends gets
// here, the path and the arguments are this program's own, and no shell is asked.
func startSuccessor(set *sockets.Set, environ []string) (*successor, error) {
	path, err := programPath()
	if err != nil {
		return nil, err
	}
	copies, err := set.Copies()
	if err != nil {
		return nil, err
	}
	s := &successor{copies: copies, reports: make(chan string, 4)}
	if err := s.start(path, environ); err != nil {
		sockets.Close(copies)
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return s, nil
}

// programPath is the path that this program was started by. Where that is a link
// it is the link, which may lead to another version now.
func programPath() (string, error) {
	if filepath.IsAbs(os.Args[0]) {
		return os.Args[0], nil
	}
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding the program: %w", err)
	}
	return path, nil
}

func (s *successor) start(path string, environ []string) error {
	report, reports, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reports.Close()
	theirs, ours, err := os.Pipe()
	if err != nil {
		report.Close()
		return err
	}
	defer theirs.Close()
	files := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	for _, c := range s.copies {
		files = append(files, c.File)
	}
	n := len(files)
	s.process, err = os.StartProcess(path, os.Args, &os.ProcAttr{
		Env:   append(sockets.Environment(environ, s.copies), fmt.Sprintf("%s=%d:%d", variablePredecessor, n, n+1)),
		Files: append(files, reports, theirs),
	})
	if err != nil {
		report.Close()
		ours.Close()
		return err
	}
	s.ours = ours
	go s.read(report) // ends with the successor; awaited by whoever reads reports
	return nil
}

// read passes on what the successor reports, until it ends.
func (s *successor) read(report *os.File) {
	defer close(s.reports)
	defer report.Close()
	lines := bufio.NewScanner(report)
	for lines.Scan() {
		s.reports <- lines.Text()
	}
	s.state, _ = s.process.Wait()
}

// awaitPrepared waits until the successor needs nothing but the spool. It ends the
// successor where it returns an error.
func (s *successor) awaitPrepared(over <-chan struct{}) error {
	timer := time.NewTimer(preparing)
	defer timer.Stop()
	err := error(nil)
	select {
	case line, alive := <-s.reports:
		if alive && line == reportPrepared {
			return nil
		}
		err = s.why(line)
	case <-timer.C:
		err = fmt.Errorf("it was not prepared within %v", preparing)
	case <-over:
		err = errors.New("this relay stops")
	}
	s.kill()
	return err
}

// why says why the successor has ended, which said so last.
func (s *successor) why(line string) error {
	for next := range s.reports {
		line = next
	}
	if text, ok := strings.CutPrefix(line, reportFailed); ok {
		return errors.New(text)
	}
	return fmt.Errorf("it ended: %v", s.state)
}

// awaitServing gives the spool up, waits until the successor serves, and says why
// it does not.
func (s *successor) awaitServing(stop <-chan struct{}) error {
	s.ours.Close()
	select {
	case line, alive := <-s.reports:
		if alive && line == reportServing {
			return nil
		}
		return s.why(line)
	case <-stop:
		s.stop()
		return nil
	}
}

// stop asks the successor to end, and waits.
func (s *successor) stop() {
	_ = s.process.Signal(syscall.SIGTERM) // it may have ended
	s.await()
}

// kill ends the successor, and what it was given.
func (s *successor) kill() {
	_ = s.process.Kill() // it may have ended
	s.await()
	s.ours.Close()
	sockets.Close(s.copies)
}

func (s *successor) await() {
	for range s.reports { // until it has ended
	}
}
