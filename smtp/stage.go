package smtp

// Stage is the point of a session at which a reply or a failure came. The same
// reply means different things at different stages: a 421 at the greeting speaks
// of the host, a 421 after the content speaks of the message.
type Stage uint8

// The stages in the order of a session.
const (
	StageConnect  Stage = iota // connecting and the greeting (220, 421, 554)
	StageEHLO                  // EHLO, HELO or LHLO
	StageSTARTTLS              // STARTTLS and the TLS handshake
	StageAUTH                  // AUTH, all its exchanges
	StageMAIL                  // MAIL
	StageRCPT                  // RCPT, one recipient
	StageDATA                  // the answer to DATA itself (354)
	StageContent               // the content: the answer to the final dot or to BDAT
	StageRSET                  // RSET
	StageQUIT                  // QUIT
	StageIdle                  // unasked, or between transactions
)

var stageNames = [...]string{
	StageConnect: "connect", StageEHLO: "ehlo", StageSTARTTLS: "starttls",
	StageAUTH: "auth", StageMAIL: "mail", StageRCPT: "rcpt", StageDATA: "data",
	StageContent: "content", StageRSET: "rset", StageQUIT: "quit", StageIdle: "idle",
}

// String returns the stage as a lower-case word ("connect", "ehlo", … "idle"),
// fit for a log key or a metric label.
func (s Stage) String() string {
	if int(s) < len(stageNames) {
		return stageNames[s]
	}
	return "unknown"
}
