package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Spec says what to start.
type Spec struct {
	// Command is the program with its arguments.
	Command []string
	// Env is added to the environment.
	Env []string
	// Stdin, Stdout and Stderr are those of the program; nil is nothing.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Process is a program that was started. Somebody has to call Wait or Stop.
type Process struct {
	cmd   *exec.Cmd
	group *Group
	done  chan struct{}
	err   error // valid once done is closed
}

// Start starts a program in a group. It is the head of a process group too,
// so that a signal from the terminal reaches the benchmark alone, which then
// stops its programs in order.
func Start(g *Group, s Spec) (*Process, error) {
	command := s.Command
	if g.cg != nil {
		var err error
		if command, err = entered(g.cg.entrances(), command); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), s.Env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.Stdin, s.Stdout, s.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Command[0], err)
	}
	p := &Process{cmd: cmd, group: g, done: make(chan struct{})}
	g.began(cmd.Process.Pid)
	go p.reap(s.Command[0])
	return p, nil
}

// reap waits for the end of the program.
func (p *Process) reap(name string) {
	defer close(p.done)
	if err := p.cmd.Wait(); err != nil {
		p.err = fmt.Errorf("%s: %w", name, err)
	}
	state := p.cmd.ProcessState
	p.group.ended(p.cmd.Process.Pid, state.UserTime()+state.SystemTime())
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end of the program and returns how it ended.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Stop tells the program to stop, and kills it and its children when it has
// not after the grace time. How it ended is returned only where it was not
// by our signal.
func (p *Process) Stop(grace time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(grace):
	}
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL) // children that were left behind
	<-p.done
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return nil
		}
	}
	return p.err
}
