package verdict

import (
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// Action is what is to be done.
type Action uint8

// The actions.
const (
	// Done: the peer has taken the mail over.
	Done Action = iota
	// Retry: try again, later unless the verdict says otherwise.
	Retry
	// Bounce: it will not help to try again; the sender is to be told.
	Bounce
)

// String returns the action in lower case.
func (a Action) String() string { return [...]string{"done", "retry", "bounce"}[a] }

// Scope is how far a verdict reaches.
type Scope uint8

// The scopes, from the narrowest to the widest.
const (
	ScopeRecipient   Scope = iota // this recipient of this message
	ScopeMessage                  // every recipient of the transaction
	ScopeConnection               // this connection: a new one may do
	ScopeHost                     // this host: another may do
	ScopeDestination              // all hosts of the destination
)

// String returns the scope in lower case.
func (s Scope) String() string {
	return [...]string{"recipient", "message", "connection", "host", "destination"}[s]
}

// Verdict is a judgement.
type Verdict struct {
	Action Action
	Scope  Scope
	// NextHost is set where another address or host is to be tried now.
	NextHost bool
	// Reason is the primary cause that the reply states.
	Reason string
	// Wait is the wait that the reply names, within bounds; 0 where it names
	// none.
	Wait time.Duration
	// Charge tells whether this counts as an attempt.
	Charge bool
	// Split is set where the peer takes no more recipients in this
	// transaction: the others go on at once, in another.
	Split bool
}

// Judge judges a reply at a stage. A code that no RFC defines is judged by its
// first digit (RFC 5321 section 4.2).
func Judge(stage smtp.Stage, r reply.Reply) Verdict {
	v := Verdict{Charge: true, Reason: reasonOf(stage, r)}
	switch r.Code.Class() {
	case reply.ClassCompleted:
		return Verdict{Charge: true, Scope: scopeOf(stage, r)}
	case reply.ClassPermanent:
		v.Action = Bounce
	default:
		// 4yz, and what is no answer at all: RFC 5321 section 4.2.1 lets the
		// sender try again where it does not know better.
		v.Action = Retry
		v.Wait = waitIn(r)
	}
	v.Scope = scopeOf(stage, r)
	v.NextHost = v.Scope == ScopeHost
	if stage == smtp.StageIdle {
		// What is said on an idle connection is about the connection, and
		// nobody has attempted anything (RFC 5321 section 3.8).
		v.Action, v.Scope, v.NextHost, v.Charge = Retry, ScopeConnection, false, false
	}
	if stage == smtp.StageRCPT && tooManyRecipients(r) {
		v.Action, v.Split = Retry, true
	}
	return v
}

// tooManyRecipients recognizes the limit of recipients in a transaction. 552 is
// what older servers say, and means 452 at this stage (RFC 5321 section
// 4.5.3.1.10).
func tooManyRecipients(r reply.Reply) bool {
	switch r.Code {
	case reply.InsufficientStorage:
		return r.Status.IsZero() || r.Status == reply.NewStatus(5, 3)
	case reply.StorageExceeded:
		return r.Status.IsZero() || r.Status == reply.NewStatus(5, 3)
	}
	return false
}

// scopeOf tells how far a refusal at a stage reaches.
func scopeOf(stage smtp.Stage, r reply.Reply) Scope {
	if r.Code == reply.ServiceNotAvailable && stage != smtp.StageConnect && stage != smtp.StageEHLO && stage != smtp.StageSTARTTLS {
		return ScopeConnection
	}
	switch stage {
	case smtp.StageConnect, smtp.StageEHLO, smtp.StageSTARTTLS, smtp.StageAUTH:
		return ScopeHost
	case smtp.StageRCPT:
		return ScopeRecipient
	case smtp.StageMAIL, smtp.StageDATA, smtp.StageContent:
		return ScopeMessage
	}
	return ScopeConnection
}

// JudgeFailure judges that there was no reply: no connection, a time-out, a
// connection that broke, or a peer that talks nonsense. It counts as a 451
// (RFC 5321 section 3.8).
func JudgeFailure(stage smtp.Stage, err error) Verdict {
	v := Verdict{Action: Retry, Scope: ScopeConnection, Reason: "network", Charge: true}
	switch stage {
	case smtp.StageConnect, smtp.StageEHLO, smtp.StageSTARTTLS, smtp.StageAUTH:
		v.Scope, v.NextHost = ScopeHost, true
	case smtp.StageIdle:
		v.Charge = false
	}
	if stage == smtp.StageSTARTTLS {
		v.Reason = "tls-failed"
	}
	return v
}
