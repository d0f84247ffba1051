package process

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// entered returns the command line that runs a program inside a control group:
// this program goes in first and then becomes the other. So not even the
// program's first child is outside. The group may have a folder in each of
// several hierarchies, and so several files that take new processes.
func entered(entrances []string, command []string) ([]string, error) {
	return Mode(enterMode, append([]string{strings.Join(entrances, "\n")}, command...)...)
}

// enter is that mode. It does not return where it succeeds.
func enter(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("mode %s needs the file of the group and a program", enterMode)
	}
	for entrance := range strings.SplitSeq(args[0], "\n") {
		if err := os.WriteFile(entrance, []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
			return fmt.Errorf("entering the control group: %w", err)
		}
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
