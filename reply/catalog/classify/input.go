package classify

import "github.com/weirmail/weir/reply"

// Stage is the point of a session at which a reply came.
type Stage uint8

// The stages. StageUnknown is the zero value.
const (
	StageUnknown  Stage = iota
	StageConnect        // connecting, and the greeting
	StageEHLO           // EHLO, HELO, LHLO
	StageSTARTTLS       // STARTTLS and the handshake
	StageAUTH           // AUTH, all its exchanges
	StageMAIL           // MAIL
	StageRCPT           // RCPT
	StageDATA           // the answer to DATA itself
	StageContent        // the answer to the final dot, or to BDAT
	StageIdle           // between transactions, RSET, NOOP, QUIT
	stageEnd
)

var stageWords = [stageEnd]string{"", "connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "content", "idle"}

// String returns the word, "" for [StageUnknown].
func (s Stage) String() string { return word(stageWords[:], uint8(s)) }

// MarshalText writes the word, as String does.
func (s Stage) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func parseStage(word string) (Stage, bool) {
	for s := StageConnect; s < stageEnd; s++ {
		if stageWords[s] == word {
			return s, true
		}
	}
	return StageUnknown, false
}

// Input is a reply, or a failure without one, as far as it is known. All of it
// is optional.
type Input struct {
	// Code is the basic code, 0 where there is none.
	Code reply.Code
	// Enhanced is the enhanced status code as it was written. Its class can
	// differ from that of Code; then Code decides.
	Enhanced reply.Enhanced
	// Text is the text without codes, lines joined by a space. No more than
	// the first [MaxText] octets are looked at.
	Text string
	// Stage is where the reply came, if that is known.
	Stage Stage
	// Host is the name of the server that said it.
	Host string
	// Recipient is the address it was said about.
	Recipient string
	// Wrapper names what the reply was found in: "postfix", "dsn", "smtplib"; it
	// is empty for a bare reply.
	Wrapper string
	// Local is set where no server said it: the sending system itself met the
	// failure.
	Local bool
}

// MaxText is how many octets of a text are classified.
const MaxText = 8 << 10

// FromReply returns the Input of a reply that a server gave.
func FromReply(stage Stage, host string, r reply.Reply) Input {
	return Input{Code: r.Code, Enhanced: r.Enhanced(), Text: r.Text(), Stage: stage, Host: host}
}

// Class returns the class: that of the basic code, or of the enhanced status
// code where there is no basic one, else [reply.ClassInvalid].
func (in *Input) Class() reply.Class {
	if c := in.Code.Class(); c != reply.ClassInvalid {
		return c
	}
	return in.Enhanced.Class()
}
