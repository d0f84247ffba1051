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

// The scopes, from the narrowest to the widest; the last stands apart.
const (
	ScopeRecipient   Scope = iota // this recipient of this message
	ScopeMessage                  // every recipient of the transaction
	ScopeConnection               // this connection: a new one may do
	ScopeHost                     // this host: another may do
	ScopeDestination              // all hosts of the destination
	ScopeSender                   // who sends: all that comes from this relay's address or account
)

// String returns the scope in lower case.
func (s Scope) String() string {
	return [...]string{"recipient", "message", "connection", "host", "destination", "sender"}[s]
}

// Verdict is a judgement.
type Verdict struct {
	Action Action
	Scope  Scope
	// NextHost is set where another address or host is to be tried now.
	NextHost bool
	// Fresh is set where a new connection to the same host may be tried now, if the
	// one that it was said on had served before.
	Fresh bool
	// Reason is the primary cause that the reply states.
	Reason string
	// Wait is the wait that the reply names, within bounds; 0 where it names
	// none. Pace is how long to wait then.
	Wait time.Duration
	Pace Pace
	// Charge tells whether this counts as an attempt that failed. To be told to
	// wait does not.
	Charge bool
	// Split is set where the peer takes no more recipients in this
	// transaction: the others go on at once, in another.
	Split bool
}

// Judge judges a reply at a stage. A code that no RFC defines is judged by its
// first digit (RFC 5321 section 4.2).
func Judge(stage smtp.Stage, r reply.Reply) Verdict {
	if r.Code.Completed() {
		return Verdict{Charge: true, Scope: scopeOf(stage, r, classify.Result{})}
	}
	return judge(stage, r, resultOf(stage, r))
}

// judge judges a refusal whose text has been read.
func judge(stage smtp.Stage, r reply.Reply, told classify.Result) Verdict {
	v := Verdict{Scope: scopeOf(stage, r, told), Reason: reasonOf(told), Action: Retry}
	v.Pace = PaceOf(v.Reason)
	switch {
	case betweenMessages(stage):
	case stage == smtp.StageRCPT && tooManyRecipients(r, told):
		v.Split = true
	case !r.Code.Permanent():
	case isFinal(stage, told.Reason):
		v.Action, v.Pace = Bounce, PaceUsual
	case stage != smtp.StageSTARTTLS && stage != smtp.StageAUTH:
		v.Pace = PaceReputation // it does not pass by itself
	}
	v.NextHost = otherHostMayDo(stage, v, told.Reason)
	v.Fresh = ofMail(stage) && v.Action == Retry && !v.Split && endsSession(told.Reason)
	if r.Code.Transient() {
		v.Wait = waitOf(told)
	}
	if v.Wait > 0 && blames(v.Reason) {
		v.Wait = max(v.Wait, minBlamedWait)
	}
	v.Charge = !betweenMessages(stage) && !(r.Code.Transient() && isWait(stage, v))
	return v
}

// Refuse is the verdict where this relay itself finds that a message cannot go to a
// peer; the reply says why in our words, for the notice.
func Refuse(stage smtp.Stage, r reply.Reply) Verdict {
	v := Judge(stage, r)
	return Verdict{Action: Bounce, Scope: v.Scope, Reason: v.Reason, Charge: true}
}

// isFinal tells whether a permanent refusal is one of the mail, which then goes
// back. Before MAIL nobody has spoken of the mail: it goes back only where the host
// says that it takes none, as by 521 or 554 in place of a greeting (RFC 5321 section
// 3.1, RFC 7504), and then only if each host of the domain says so. What such a host
// has against this relay, such as a block list, or how both talk to each other, is
// for an operator to mend, for all the mail at once.
func isFinal(stage smtp.Stage, reason classify.Reason) bool {
	switch stage {
	case smtp.StageSTARTTLS, smtp.StageAUTH:
		return false // encryption or a password is set up wrongly, or somebody pretends it is
	case smtp.StageConnect, smtp.StageEHLO:
		switch reason.Family() {
		case classify.FamilyService, classify.FamilyLimit, classify.FamilyReputation, classify.FamilyAccess, classify.FamilyProtocol:
			return false
		}
		return true
	}
	return !ofSession(reason)
}

// ofSession tells the causes that lie in the session or in how it is configured, at
// whatever command they come to light. They never cost a message or a recipient.
func ofSession(reason classify.Reason) bool {
	switch reason {
	case classify.ReasonUnsupportedCommand, classify.ReasonUnsupportedParameter, classify.ReasonBadSequence, classify.ReasonHELORejected,
		classify.ReasonAuthRequired, classify.ReasonAuthFailed, classify.ReasonAuthMechanism, classify.ReasonTLSRequired, classify.ReasonTLSFailed,
		classify.ReasonConnectionLimit, classify.ReasonTooManyErrors:
		return true
	}
	return endsSession(reason)
}

// endsSession tells the causes that end with the connection.
func endsSession(reason classify.Reason) bool {
	switch reason {
	case classify.ReasonSessionLimit, classify.ReasonTimeout, classify.ReasonShutdown, classify.ReasonBadSequence:
		return true
	}
	return false
}

// otherHostMayDo tells whether the next host is to be tried now (RFC 5321 section
// 5.1): where nobody has spoken of the mail yet, and where the server itself is what
// is not able. Greylisting and limits wait instead, and so does a content that was
// sent: nobody gets it from host after host.
func otherHostMayDo(stage smtp.Stage, v Verdict, reason classify.Reason) bool {
	if beforeMail(stage) {
		return true
	}
	return ofMail(stage) && stage != smtp.StageContent && v.Action == Retry && !v.Split && ofServer(reason)
}

// Elsewhere tells whether an attempt that follows one that ended so should begin with
// another address: a content that one server cannot take may get through to another.
func Elsewhere(stage smtp.Stage, reason string) bool {
	if stage != smtp.StageContent {
		return false
	}
	told, err := classify.ParseReason(reason)
	return err == nil && (ofServer(told) || told == classify.ReasonNetwork || told == classify.ReasonTimeout)
}

// ofServer tells the causes that are one server's, whatever it is asked.
func ofServer(reason classify.Reason) bool {
	switch reason {
	case classify.ReasonUnavailable, classify.ReasonOverload, classify.ReasonMaintenance, classify.ReasonShutdown, classify.ReasonLocalError, classify.ReasonStorage:
		return true
	}
	return false
}

// isWait tells a transient refusal that asks for nothing but patience: a wait that
// is named, greylisting, a limit, and a server that takes no sessions now.
func isWait(stage smtp.Stage, v Verdict) bool {
	return v.Wait > 0 || v.Pace == PaceGreylisting || v.Pace == PaceLimit || stage == smtp.StageConnect || stage == smtp.StageEHLO
}

// beforeMail tells the stages at which no mail has been spoken of in the session.
func beforeMail(stage smtp.Stage) bool {
	switch stage {
	case smtp.StageConnect, smtp.StageEHLO, smtp.StageSTARTTLS, smtp.StageAUTH:
		return true
	}
	return false
}

// ofMail tells the stages of a transaction.
func ofMail(stage smtp.Stage) bool { return stage >= smtp.StageMAIL && stage <= smtp.StageContent }

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
func scopeOf(stage smtp.Stage, r reply.Reply, told classify.Result) Scope {
	switch {
	case beforeMail(stage) && told.Scope == classify.ScopeSender:
		return ScopeSender
	case beforeMail(stage):
		return ScopeHost
	case betweenMessages(stage), r.Code == reply.ServiceNotAvailable, endsSession(told.Reason):
		return ScopeConnection
	case r.Code.Transient() && ofServer(told.Reason):
		return ScopeHost
	case stage == smtp.StageRCPT:
		return ScopeRecipient
	}
	return ScopeMessage
}

// JudgeFailure judges that there was no reply: no connection, a time-out, a
// connection that broke, or a peer that talks nonsense. It counts as a 451
// (RFC 5321 section 3.8). Once the content was on its way the mail may have been
// taken: then it is tried again later, and not elsewhere at once.
func JudgeFailure(stage smtp.Stage, err error) Verdict {
	v := Verdict{Action: Retry, Scope: ScopeConnection, Reason: "network", Charge: !betweenMessages(stage)}
	if beforeMail(stage) {
		v.Scope = ScopeHost
	}
	v.NextHost = v.Charge && stage != smtp.StageContent
	v.Fresh = v.NextHost && !beforeMail(stage)
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
	v.Pace = PaceOf(v.Reason)
	return v
}
