package classify

import "github.com/weirmail/weir/reply"

// Action is what is to be done about a refusal.
type Action uint8

// The actions. Behind a permanent reply the same mail is never repeated
// unchanged: there the retry words mean "once the cause is gone".
const (
	ActionNone            Action = iota // nothing can be done with this message any more
	ActionRetryNow                      // on a new connection at once
	ActionRetryMX                       // at the next address or MX at once
	ActionRetryLater                    // keep in the queue and back off; a wait that the text names wins
	ActionSlowDown                      // retry later, with fewer connections or a lower rate to that destination
	ActionSplit                         // the same message with fewer recipients in a transaction, at once
	ActionFixConfig                     // the sending server, client, its DNS or its account has to change
	ActionFixMessage                    // the message has to change
	ActionRemoveRecipient               // stop mailing this address
	ActionAskRecipient                  // the receiving side has to change something: ask it by another way
	ActionReputation                    // get off the list, see to complaints, warm up; do not hammer
	actionEnd
)

var actionWords = [actionEnd]string{
	"none", "retry-now", "retry-mx", "retry-later", "slow-down", "split",
	"fix-config", "fix-message", "remove-recipient", "ask-recipient", "reputation",
}

// String returns the word, for example "retry-later".
func (a Action) String() string { return word(actionWords[:], uint8(a)) }

// MarshalText writes the word, as String does.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Retries reports one of the actions that send the same message again.
func (a Action) Retries() bool { return a >= ActionRetryNow && a <= ActionSplit }

// Who is who has to act.
type Who uint8

// Those who may have to act.
const (
	WhoNobody           Who = iota // nobody: it passes
	WhoQueue                       // the sending queue does it by itself
	WhoSender                      // the person or program that wrote the message
	WhoSendingAdmin                // the administrator of the sending system
	WhoReceivingAdmin              // the administrator of the receiving system
	WhoRecipient                   // the owner of the mailbox
	WhoDeveloper                   // the developer of the client program
	WhoAccountHolder               // the user whose credentials these are
	WhoZoneOwner                   // whoever runs the DNS zone
	WhoPathOwner                   // whoever owns the network path
	WhoCertificateOwner            // the owner of the certificate
	WhoReader                      // whoever reads the reply has to judge it
	whoEnd
)

var whoWords = [whoEnd]string{
	"nobody", "queue", "sender", "sending-admin", "receiving-admin", "recipient",
	"developer", "account-holder", "zone-owner", "path-owner", "certificate-owner", "reader",
}

// String returns the word, for example "sending-admin".
func (w Who) String() string { return word(whoWords[:], uint8(w)) }

// MarshalText writes the word, as String does.
func (w Who) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// Scope is how far a refusal reaches.
type Scope uint8

// The scopes, from the narrowest to the widest; the last stands apart.
const (
	ScopeRecipient   Scope = iota // this recipient of this message
	ScopeMessage                  // every recipient of this message
	ScopeConnection               // this connection: a new one may do
	ScopeHost                     // this host or address: another may do
	ScopeDestination              // all hosts of the destination
	ScopeSender                   // who sends: everything from this IP, domain or account
	scopeEnd
)

var scopeWords = [scopeEnd]string{"recipient", "message", "connection", "host", "destination", "sender"}

// String returns the word, for example "recipient".
func (s Scope) String() string { return word(scopeWords[:], uint8(s)) }

// MarshalText writes the word, as String does.
func (s Scope) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func word(words []string, i uint8) string {
	if int(i) >= len(words) {
		return ""
	}
	return words[i]
}

// Advice is what follows from a reason.
type Advice struct {
	// Action comes first, Then after it or where it does not help. Then is
	// [ActionNone] where there is nothing more.
	Action, Then Action
	// Who has to act, and who else may be the one. Else is [WhoNobody] where
	// there is one answer.
	Who, Else Who
	// Scope is how far a refusal for this reason usually reaches. The stage of
	// the reply can narrow or widen it: [Result] tells.
	Scope Scope
}

// Default returns what follows from the reason with a reply of the class. With
// a transient reply the queue goes on trying whatever the action is; so where
// something has to be mended the second step is to try again, and an address
// is not given up before the retries are.
func (r Reason) Default(class reply.Class) Advice {
	if r >= reasonEnd {
		r = ReasonOther
	}
	row := &reasonTable[r]
	advice := row.advice
	if class == reply.ClassPermanent {
		switch {
		case r == ReasonOther:
			advice.Action = ActionNone // nobody knows a cause that could go away
		case row.permanent != ActionNone:
			advice.Action, advice.Then = row.permanent, ActionNone
		}
		return advice
	}
	switch advice.Action {
	case ActionRemoveRecipient, ActionAskRecipient:
		advice.Then, advice.Action = advice.Action, ActionRetryLater
	case ActionFixConfig, ActionFixMessage, ActionReputation:
		if advice.Then == ActionNone {
			advice.Then = ActionRetryLater
		}
	}
	return advice
}

// reasonRow is a row of reasonTable.
type reasonRow struct {
	word   string
	advice Advice
	// permanent is the action with a permanent reply where it differs.
	permanent Action
}

// reasonTable says what follows from each reason.
var reasonTable = [reasonEnd]reasonRow{
	ReasonNone: {},

	ReasonUnavailable: {word: "unavailable", advice: Advice{ActionRetryMX, ActionRetryLater, WhoNobody, WhoNobody, ScopeHost}},
	ReasonOverload:    {word: "overload", advice: Advice{ActionRetryMX, ActionRetryLater, WhoNobody, WhoNobody, ScopeHost}},
	ReasonMaintenance: {word: "maintenance", advice: Advice{ActionRetryNow, ActionRetryLater, WhoNobody, WhoNobody, ScopeHost}},
	ReasonShutdown:    {word: "shutdown", advice: Advice{ActionRetryNow, ActionRetryMX, WhoNobody, WhoNobody, ScopeConnection}},
	ReasonLocalError:  {word: "local-error", advice: Advice{ActionRetryLater, ActionNone, WhoReceivingAdmin, WhoNobody, ScopeHost}},
	ReasonStorage:     {word: "storage", advice: Advice{ActionRetryLater, ActionRetryMX, WhoReceivingAdmin, WhoNobody, ScopeHost}},
	ReasonTimeout:     {word: "timeout", advice: Advice{ActionRetryNow, ActionRetryLater, WhoSendingAdmin, WhoNobody, ScopeConnection}},
	ReasonNetwork:     {word: "network", advice: Advice{ActionRetryMX, ActionRetryLater, WhoPathOwner, WhoNobody, ScopeHost}},
	ReasonExpired:     {word: "expired", advice: Advice{ActionNone, ActionNone, WhoSender, WhoNobody, ScopeMessage}},

	ReasonConnectionLimit:   {word: "connection-limit", advice: Advice{ActionSlowDown, ActionNone, WhoQueue, WhoNobody, ScopeHost}},
	ReasonSessionLimit:      {word: "session-limit", advice: Advice{ActionRetryNow, ActionNone, WhoQueue, WhoNobody, ScopeConnection}},
	ReasonTooManyRecipients: {word: "too-many-recipients", advice: Advice{ActionSplit, ActionNone, WhoQueue, WhoNobody, ScopeRecipient}},
	ReasonRateLimit:         {word: "rate-limit", advice: Advice{ActionSlowDown, ActionNone, WhoSendingAdmin, WhoNobody, ScopeSender}},
	ReasonMailboxBusy:       {word: "mailbox-busy", advice: Advice{ActionRetryLater, ActionNone, WhoNobody, WhoNobody, ScopeRecipient}},
	ReasonGreylisting:       {word: "greylisting", advice: Advice{ActionRetryLater, ActionNone, WhoNobody, WhoNobody, ScopeRecipient}},
	ReasonTooManyErrors:     {word: "too-many-errors", advice: Advice{ActionFixConfig, ActionRetryLater, WhoSendingAdmin, WhoNobody, ScopeConnection}},

	ReasonReputation:   {word: "reputation", advice: Advice{ActionReputation, ActionSlowDown, WhoSendingAdmin, WhoNobody, ScopeSender}},
	ReasonBlocklist:    {word: "blocklist", advice: Advice{ActionReputation, ActionNone, WhoSendingAdmin, WhoNobody, ScopeSender}},
	ReasonReverseDNS:   {word: "reverse-dns", advice: Advice{ActionFixConfig, ActionNone, WhoSendingAdmin, WhoNobody, ScopeSender}},
	ReasonHELORejected: {word: "helo-rejected", advice: Advice{ActionFixConfig, ActionNone, WhoSendingAdmin, WhoNobody, ScopeSender}},

	ReasonPolicy:           {word: "policy", advice: Advice{ActionAskRecipient, ActionNone, WhoReceivingAdmin, WhoNobody, ScopeMessage}},
	ReasonPolicySPF:        {word: "policy-spf", advice: Advice{ActionFixConfig, ActionNone, WhoSendingAdmin, WhoNobody, ScopeSender}},
	ReasonPolicyDKIM:       {word: "policy-dkim", advice: Advice{ActionFixConfig, ActionNone, WhoSendingAdmin, WhoNobody, ScopeSender}},
	ReasonPolicyDMARC:      {word: "policy-dmarc", advice: Advice{ActionFixConfig, ActionNone, WhoSendingAdmin, WhoNobody, ScopeSender}},
	ReasonPolicySenderAuth: {word: "policy-sender-auth", advice: Advice{ActionFixConfig, ActionNone, WhoSendingAdmin, WhoNobody, ScopeSender}},
	ReasonSenderRejected:   {word: "sender-rejected", advice: Advice{ActionFixConfig, ActionNone, WhoSender, WhoNobody, ScopeSender}},

	ReasonContentSpam:      {word: "content-spam", advice: Advice{ActionFixMessage, ActionReputation, WhoSender, WhoNobody, ScopeMessage}},
	ReasonContentVirus:     {word: "content-virus", advice: Advice{ActionFixMessage, ActionNone, WhoSender, WhoNobody, ScopeMessage}},
	ReasonContentMalformed: {word: "content-malformed", advice: Advice{ActionFixMessage, ActionNone, WhoSendingAdmin, WhoNobody, ScopeMessage}},
	ReasonMessageTooLarge:  {word: "message-too-large", advice: Advice{ActionFixMessage, ActionNone, WhoSender, WhoNobody, ScopeMessage}},

	ReasonMailboxUnknown:      {word: "mailbox-unknown", advice: Advice{ActionRemoveRecipient, ActionNone, WhoSender, WhoNobody, ScopeRecipient}},
	ReasonMailboxFull:         {word: "mailbox-full", advice: Advice{ActionRetryLater, ActionNone, WhoRecipient, WhoNobody, ScopeRecipient}, permanent: ActionAskRecipient},
	ReasonMailboxDisabled:     {word: "mailbox-disabled", advice: Advice{ActionRemoveRecipient, ActionNone, WhoRecipient, WhoReceivingAdmin, ScopeRecipient}},
	ReasonMailboxMoved:        {word: "mailbox-moved", advice: Advice{ActionRemoveRecipient, ActionNone, WhoSender, WhoNobody, ScopeRecipient}},
	ReasonRecipientUnverified: {word: "recipient-unverified", advice: Advice{ActionRetryLater, ActionNone, WhoNobody, WhoNobody, ScopeRecipient}},

	ReasonDomainNotFound: {word: "domain-not-found", advice: Advice{ActionRemoveRecipient, ActionNone, WhoSender, WhoNobody, ScopeDestination}},
	ReasonDomainNoMail:   {word: "domain-no-mail", advice: Advice{ActionRemoveRecipient, ActionNone, WhoSender, WhoNobody, ScopeDestination}},
	ReasonRelayDenied:    {word: "relay-denied", advice: Advice{ActionFixConfig, ActionNone, WhoSendingAdmin, WhoReceivingAdmin, ScopeRecipient}},
	ReasonRoutingLoop:    {word: "routing-loop", advice: Advice{ActionFixConfig, ActionNone, WhoSendingAdmin, WhoReceivingAdmin, ScopeMessage}},
	ReasonDNSProblem:     {word: "dns-problem", advice: Advice{ActionRetryLater, ActionNone, WhoZoneOwner, WhoNobody, ScopeDestination}},

	ReasonAuthRequired:  {word: "auth-required", advice: Advice{ActionFixConfig, ActionNone, WhoSendingAdmin, WhoNobody, ScopeSender}},
	ReasonAuthFailed:    {word: "auth-failed", advice: Advice{ActionFixConfig, ActionNone, WhoAccountHolder, WhoNobody, ScopeSender}},
	ReasonAuthMechanism: {word: "auth-mechanism", advice: Advice{ActionFixConfig, ActionNone, WhoSendingAdmin, WhoNobody, ScopeHost}},
	ReasonTLSRequired:   {word: "tls-required", advice: Advice{ActionFixConfig, ActionNone, WhoSendingAdmin, WhoNobody, ScopeHost}},
	ReasonTLSFailed:     {word: "tls-failed", advice: Advice{ActionRetryLater, ActionRetryMX, WhoCertificateOwner, WhoNobody, ScopeHost}, permanent: ActionFixConfig},

	ReasonUnsupportedParameter: {word: "unsupported-parameter", advice: Advice{ActionFixConfig, ActionNone, WhoDeveloper, WhoNobody, ScopeMessage}},
	ReasonUnsupportedCommand:   {word: "unsupported-command", advice: Advice{ActionFixConfig, ActionNone, WhoDeveloper, WhoNobody, ScopeHost}},
	ReasonSyntax:               {word: "syntax", advice: Advice{ActionFixConfig, ActionNone, WhoDeveloper, WhoNobody, ScopeMessage}},
	ReasonAddressSyntax:        {word: "address-syntax", advice: Advice{ActionFixConfig, ActionNone, WhoSender, WhoNobody, ScopeRecipient}},
	ReasonBadSequence:          {word: "bad-sequence", advice: Advice{ActionFixConfig, ActionNone, WhoDeveloper, WhoNobody, ScopeConnection}},

	ReasonOther: {word: "other", advice: Advice{ActionRetryLater, ActionNone, WhoReader, WhoNobody, ScopeMessage}},
}
