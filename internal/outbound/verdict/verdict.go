package verdict

import (
	"errors"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
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
	v := Verdict{Charge: true, Scope: scopeOf(stage, r)}
	if r.Code.Completed() {
		return v
	}
	told := resultOf(stage, r)
	v.Reason = reasonOf(told)
	v.NextHost = v.Scope == ScopeHost
	switch {
	case betweenMessages(stage):
		// What is said on an idle connection is about the connection, and
		// nobody has attempted anything (RFC 5321 section 3.8).
		v.Action, v.Charge = Retry, false
	case stage == smtp.StageRCPT && tooManyRecipients(r, told):
		v.Action, v.Split = Retry, true
	case r.Code.Permanent() && !aboutUs(stage):
		v.Action = Bounce
	default:
		// 4yz, and what is no answer at all: RFC 5321 section 4.2.1 lets the
		// sender try again where it does not know better.
		v.Action = Retry
	}
	if r.Code.Transient() {
		v.Wait = waitOf(told)
	}
	if v.Wait > 0 && blames(v.Reason) {
		v.Wait = max(v.Wait, minBlamedWait)
	}
	return v
}

// aboutUs tells the stages at which even a permanent refusal is about the two
// servers and not about the mail: no mail has to go back because encryption or
// a password is set up wrongly, or because somebody on the way pretends that
// it is.
func aboutUs(stage smtp.Stage) bool { return stage == smtp.StageSTARTTLS || stage == smtp.StageAUTH }

// betweenMessages tells the stages at which no message is spoken of.
func betweenMessages(stage smtp.Stage) bool {
	return stage == smtp.StageIdle || stage == smtp.StageRSET || stage == smtp.StageQUIT
}

// minBlamedWait is the shortest wait that is obeyed where the receiver thinks
// ill of us: who comes back at once makes it worse.
const minBlamedWait = 15 * time.Minute

// blames tells whether a reason is an opinion about the sender.
func blames(reason string) bool {
	switch reason {
	case "blocklist", "reputation", "content-spam":
		return true
	}
	return false
}

// tooManyRecipients recognizes the limit of recipients in a transaction. 552 is
// what older servers say, and means 452 at this stage (RFC 5321 section
// 4.5.3.1.10), unless the text has another reason: a full mailbox.
func tooManyRecipients(r reply.Reply, told classify.Result) bool {
	limit := reply.NewStatus(5, 3)
	switch {
	case r.Code == reply.ServiceNotAvailable:
		return false // the connection is gone
	case r.Code != reply.InsufficientStorage && r.Code != reply.StorageExceeded:
		return r.Code.Transient() && r.Status == limit
	case !r.Status.IsZero():
		return r.Status == limit
	}
	return told.Evidence.Rule == nil || told.Reason == classify.ReasonTooManyRecipients
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
	v := Verdict{Action: Retry, Scope: ScopeConnection, Reason: "network", Charge: !betweenMessages(stage)}
	switch stage {
	case smtp.StageConnect, smtp.StageEHLO, smtp.StageSTARTTLS, smtp.StageAUTH:
		v.Scope, v.NextHost = ScopeHost, true
	}
	var timeout interface{ Timeout() bool }
	var told interface{ Reason() string }
	switch {
	case errors.As(err, &told): // signing in failed
		v.Reason = told.Reason()
	case stage == smtp.StageSTARTTLS:
		v.Reason = "tls-failed"
	case stage != smtp.StageConnect && errors.As(err, &timeout) && timeout.Timeout():
		v.Reason = "timeout"
	}
	return v
}
