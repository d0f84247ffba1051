package sockets

import (
	"fmt"
	"os"
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
)

// mostDescriptors bounds what is believed.
const mostDescriptors = 1024

// Given is a descriptor that came with the process.
type Given struct {
	// Name says what it is for: FileDescriptorName= of a systemd unit, or the
	// configured address where it is from another relay.
	Name string
	File *os.File
}

// FromEnvironment returns the descriptors that the environment, as [os.Environ]
// has it, gives to the process with this id. A parent that started this process
// could not know its id: where trusted is set LISTEN_PID may be missing. It is to
// be called once, early: it keeps children from inheriting them.
func FromEnvironment(environ []string, pid int, trusted bool) ([]Given, error) {
	names, err := namesIn(environ, pid, trusted)
	if err != nil {
		return nil, err
	}
	given := make([]Given, len(names))
	for i, name := range names {
		fd := firstDescriptor + i
		syscall.CloseOnExec(fd)
		given[i] = Given{name, os.NewFile(uintptr(fd), name)}
	}
	return given, nil
}

// namesIn returns the names of the descriptors that are given; one that has no name
// is called "".
func namesIn(environ []string, pid int, trusted bool) ([]string, error) {
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
	names := make([]string, n)
	for i, name := range strings.Split(values[variableNames], ":") {
		if i < n {
			names[i] = unescaper.Replace(name)
		}
	}
	return names, nil
}

// Environment returns the environment by which a child that gets the files from
// descriptor 3 on is told of them: the given one without what it says of
// descriptors, and with that.
func Environment(environ []string, given []Given) []string {
	env := make([]string, 0, len(environ)+2)
	for _, e := range environ {
		switch name, _, _ := strings.Cut(e, "="); name {
		case variableProcess, variableNumber, variableNames:
		default:
			env = append(env, e)
		}
	}
	names := make([]string, len(given))
	for i, g := range given {
		names[i] = escaper.Replace(g.Name)
	}
	return append(env, variableNumber+"="+strconv.Itoa(len(given)), variableNames+"="+strings.Join(names, ":"))
}

// The names stand between colons, which addresses have too.
var (
	escaper   = strings.NewReplacer("%", "%25", ":", "%3A")
	unescaper = strings.NewReplacer("%25", "%", "%3A", ":")
)
