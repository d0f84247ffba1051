package smtp

import "strconv"

// Part is the piece of a command that a [SyntaxError] speaks of. A server chooses
// its reply by it.
type Part uint8

// The parts of a command.
const (
	PartCommand  Part = iota // the command as a whole, such as a missing "FROM:"
	PartBrackets             // a path that is not in angle brackets
	PartPath                 // the path as a whole: route, brackets, length
	PartLocal                // the local part of a path
	PartDomain               // the domain or address literal
	PartParam                // a parameter of MAIL or RCPT: its form
	PartValue                // the value of a known parameter
	PartArgument             // the argument of another command (EHLO, BDAT)
)

var partNames = [...]string{
	PartCommand: "command", PartBrackets: "angle brackets", PartPath: "path",
	PartLocal: "local part", PartDomain: "domain", PartParam: "parameter",
	PartValue: "parameter value", PartArgument: "argument",
}

// String returns the part in lower-case words.
func (p Part) String() string {
	if int(p) < len(partNames) {
		return partNames[p]
	}
	return "unknown part"
}

// SyntaxError tells what is wrong with input from a peer or a configuration. All
// parsers of this package return it as a pointer.
type SyntaxError struct {
	Part    Part
	Offset  int    // of the first offending octet in what was given to the parser
	Problem string // a short plain phrase that a reply may quote; never peer input
}

// Error returns part, problem and offset, without any of the input.
func (e *SyntaxError) Error() string {
	return "smtp: " + e.Part.String() + ": " + e.Problem + " (at octet " + strconv.Itoa(e.Offset) + ")"
}

// syntaxError is a shorthand for the parsers.
func syntaxError(part Part, offset int, problem string) *SyntaxError {
	return &SyntaxError{Part: part, Offset: offset, Problem: problem}
}
