package sockets

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// firstDescriptor is the first that is given (SD_LISTEN_FDS_START).
const firstDescriptor = 3

// The variables by which descriptors are given.
const (
	variableProcess = "LISTEN_PID"
	variableNumber  = "LISTEN_FDS"
	variableNames   = "LISTEN_FDNAMES"
	// variableKept is our own: a relay tells its successor which of the sockets
	// are the service manager's, by their numbers from 0 on, between colons.
	variableKept = "LISTEN_KEPT"
)

// mostDescriptors bounds what is believed.
const mostDescriptors = 1024

// Given is a descriptor that came with the process.
type Given struct {
	// Name says what it is for: FileDescriptorName= of a systemd unit, or the
	// configured address where it is from another relay.
	Name string
	File *os.File
	// Kept says that the service manager has the socket too: it stays when the
	// relay is gone, and clients may wait there for the next one.
	Kept bool
}

// FromEnvironment returns the descriptors that the environment, as [os.Environ]
// has it, gives to the process with this id. A parent that started this process
// could not know its id: where trusted is set LISTEN_PID may be missing. It is to
// be called once, early: it keeps children from inheriting them.
func FromEnvironment(environ []string, pid int, trusted bool) ([]Given, error) {
	given, err := described(environ, pid, trusted)
	for i := range given {
		fd := firstDescriptor + i
		syscall.CloseOnExec(fd)
		given[i].File = os.NewFile(uintptr(fd), given[i].Name)
	}
	return given, err
}

// described is FromEnvironment without the files. A descriptor without a name is
// called "".
func described(environ []string, pid int, trusted bool) ([]Given, error) {
	values := make(map[string]string)
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		values[name] = value
	}
	process, named := values[variableProcess]
	if named && process != strconv.Itoa(pid) || !named && !trusted || values[variableNumber] == "" {
		return nil, nil // they are for somebody else, or there are none
	}
	n, err := strconv.Atoi(values[variableNumber])
	if err != nil || n < 0 || n > mostDescriptors {
		return nil, fmt.Errorf("%s=%s is not a number of descriptors", variableNumber, values[variableNumber])
	}
	given := make([]Given, n)
	for i, name := range strings.Split(values[variableNames], ":") {
		if i < n {
			given[i].Name = unescaper.Replace(name)
		}
	}
	kept := strings.Split(values[variableKept], ":")
	for i := range given {
		given[i].Kept = named || slices.Contains(kept, strconv.Itoa(i))
	}
	return given, nil
}

// Environment returns the environment by which a child that gets the files from
// descriptor 3 on is told of them: the given one without what it says of
// descriptors, and with that.
func Environment(environ []string, given []Given) []string {
	env := make([]string, 0, len(environ)+2)
	for _, e := range environ {
		switch name, _, _ := strings.Cut(e, "="); name {
		case variableProcess, variableNumber, variableNames, variableKept:
		default:
			env = append(env, e)
		}
	}
	names, kept := make([]string, len(given)), []string(nil)
	for i, g := range given {
		names[i] = escaper.Replace(g.Name)
		if g.Kept {
			kept = append(kept, strconv.Itoa(i))
		}
	}
	return append(env, variableNumber+"="+strconv.Itoa(len(given)),
		variableNames+"="+strings.Join(names, ":"), variableKept+"="+strings.Join(kept, ":"))
}

// The names stand between colons, which addresses have too.
var (
	escaper   = strings.NewReplacer("%", "%25", ":", "%3A")
	unescaper = strings.NewReplacer("%25", "%", "%3A", ":")
)
