package main

// The exit codes, as sysexits.h has them.
const (
	exitOK          = 0
	exitUsage       = 64 // the command line
	exitData        = 65 // what was given cannot be read
	exitNoInput     = 66 // what was named does not exist
	exitUnavailable = 69 // no relay is running, an address is taken
	exitSoftware    = 70 // a fault of the program
	exitSpool       = 73 // the spool, or an output, cannot be opened
	exitTryAgain    = 75 // something that passes
	exitDenied      = 77 // not permitted
	exitConfig      = 78 // the configuration
)

// The exit codes of status and ready, as the plug-ins of monitoring systems
// have them.
const (
	exitWarning  = 1 // mail is sent away, and that passes
	exitCritical = 2 // no mail is taken
)

// exitError is an error with the code that the program ends with. Where err is
// nil everything was said already.
type exitError struct {
	code int
	err  error
}

// Error returns the text of the error.
func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// Unwrap returns the error.
func (e *exitError) Unwrap() error { return e.err }
