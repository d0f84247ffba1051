package process

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// entered returns the command line that runs a program inside a control group:
// this program goes in first and then becomes the other. So not even the
// program's first child is outside.
func entered(procs string, command []string) ([]string, error) {
	return Mode(enterMode, append([]string{procs}, command...)...)
}

// enter is that mode. It does not return where it succeeds.
func enter(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("mode %s needs the file of the group and a program", enterMode)
	}
	if err := os.WriteFile(args[0], []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return fmt.Errorf("entering the control group: %w", err)
	}
	path, err := exec.LookPath(args[1])
	if err != nil {
		return err
	}
	if err := syscall.Exec(path, args[1:], os.Environ()); err != nil {
		return fmt.Errorf("starting %s: %w", path, err)
	}
	return nil
}
