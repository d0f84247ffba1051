package smtp

import "bytes"

// Verb is the command word of a command line.
type Verb uint8

// The verbs that Weir knows by name. A server does not serve all of them: knowing
// them lets it tell "not implemented" (502) from "not recognized" (500).
const (
	VerbUnknown  Verb = iota
	VerbHELO          // RFC 5321 section 4.1.1.1
	VerbEHLO          // RFC 5321 section 4.1.1.1
	VerbLHLO          // RFC 2033 section 4.1
	VerbMAIL          // RFC 5321 section 4.1.1.2
	VerbRCPT          // RFC 5321 section 4.1.1.3
	VerbDATA          // RFC 5321 section 4.1.1.4
	VerbBDAT          // RFC 3030 section 2
	VerbRSET          // RFC 5321 section 4.1.1.5
	VerbNOOP          // RFC 5321 section 4.1.1.9
	VerbQUIT          // RFC 5321 section 4.1.1.10
	VerbVRFY          // RFC 5321 section 4.1.1.6
	VerbEXPN          // RFC 5321 section 4.1.1.7
	VerbHELP          // RFC 5321 section 4.1.1.8
	VerbSTARTTLS      // RFC 3207 section 4
	VerbAUTH          // RFC 4954 section 4
	VerbETRN          // RFC 1985 section 5
	VerbATRN          // RFC 2645 section 5.2.1
	VerbTURN          // RFC 821 section 3.8, taken back by RFC 5321 appendix F.1
	VerbSEND          // RFC 821 section 3.4, taken back by RFC 5321 appendix F.6
	VerbSOML          // the same
	VerbSAML          // the same
	VerbBURL          // RFC 4468 section 3
	VerbXCLIENT       // Postfix: what a trusted proxy says about the client
	VerbXFORWARD      // Postfix: the same, for logging
	numVerbs
)

var verbNames = [numVerbs]string{
	VerbUnknown: "unknown",
	VerbHELO:    "HELO", VerbEHLO: "EHLO", VerbLHLO: "LHLO", VerbMAIL: "MAIL",
	VerbRCPT: "RCPT", VerbDATA: "DATA", VerbBDAT: "BDAT", VerbRSET: "RSET",
	VerbNOOP: "NOOP", VerbQUIT: "QUIT", VerbVRFY: "VRFY", VerbEXPN: "EXPN",
	VerbHELP: "HELP", VerbSTARTTLS: "STARTTLS", VerbAUTH: "AUTH", VerbETRN: "ETRN",
	VerbATRN: "ATRN", VerbTURN: "TURN", VerbSEND: "SEND", VerbSOML: "SOML",
	VerbSAML: "SAML", VerbBURL: "BURL", VerbXCLIENT: "XCLIENT", VerbXFORWARD: "XFORWARD",
}

// String returns the verb in upper case, "unknown" for any other.
func (v Verb) String() string {
	if v < numVerbs {
		return verbNames[v]
	}
	return verbNames[VerbUnknown]
}

// ParseVerb splits a command line, given without its CRLF, into the verb and
// what follows it. The verb is read without regard to case and ends at the first
// space. The arguments are what comes after that one space, untouched apart from
// white space at the end (RFC 5321 section 4.1.1 asks receivers to bear it);
// they share the memory of line. ParseVerb does not allocate.
func ParseVerb(line []byte) (v Verb, args []byte) {
	line = bytes.TrimRight(line, " \t")
	word := line
	if i := bytes.IndexByte(line, ' '); i >= 0 {
		word, args = line[:i], line[i+1:]
	}
	return lookupVerb(word), args
}

// lookupVerb upper-cases the word into a buffer on the stack and compares.
func lookupVerb(word []byte) Verb {
	var buf [8]byte // the length of the longest names, STARTTLS and XFORWARD
	if len(word) < 4 || len(word) > len(buf) {
		return VerbUnknown
	}
	for i, c := range word {
		buf[i] = upper(c)
	}
	name := buf[:len(word)]
	for v := VerbHELO; v < numVerbs; v++ {
		if verbNames[v] == string(name) {
			return v
		}
	}
	return VerbUnknown
}
