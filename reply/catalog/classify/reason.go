package classify

import (
	"errors"
	"fmt"
)

// Reason is the primary cause that a reply states, one word of a closed list
// of 51. It says nothing of the class: whether a reply is transient or
// permanent is told by the first digit of its code, never by the word. The
// zero value is no reason at all, as with a reply that is no refusal.
type Reason uint8

// The reasons, by family. The comments say what the word means; what is to be
// done is told by [Reason.Default].
const (
	ReasonNone Reason = iota

	// Service.
	ReasonUnavailable // service not available now, no cause named
	ReasonOverload    // busy: load, memory, too many processes at the server as a whole
	ReasonMaintenance // planned work, reconfiguration, start-up
	ReasonShutdown    // this server process is stopping
	ReasonLocalError  // fault within the receiving system, or in what it depends on
	ReasonStorage     // disk, queue or memory of the system is full, not one mailbox
	ReasonTimeout     // the server closed because the client was idle or slow
	ReasonNetwork     // no usable reply: refused, reset, no route, connection lost
	ReasonExpired     // a queue gave the message up after its lifetime

	// Limit.
	ReasonConnectionLimit   // too many connections at the same time
	ReasonSessionLimit      // too many messages or commands in this one connection
	ReasonTooManyRecipients // too many RCPT in this transaction
	ReasonRateLimit         // this IP, domain or account sends too fast, or has used its quota
	ReasonMailboxBusy       // this one recipient gets too much mail now
	ReasonGreylisting       // unknown sender, come back after a delay
	ReasonTooManyErrors     // the server hung up after earlier errors

	// Reputation.
	ReasonReputation   // bad or missing reputation of IP or domain, or complaints
	ReasonBlocklist    // IP, network, domain or URL is on a block list, public or private
	ReasonReverseDNS   // PTR missing, generic, or not agreeing with the forward lookup
	ReasonHELORejected // the HELO or EHLO name is refused

	// Policy.
	ReasonPolicy           // a local rule refuses, its cause not further named
	ReasonPolicySPF        // SPF failed or is broken
	ReasonPolicyDKIM       // DKIM missing, broken or not acceptable
	ReasonPolicyDMARC      // DMARC policy or From alignment failed
	ReasonPolicySenderAuth // several or unnamed checks of SPF, DKIM, DMARC failed
	ReasonSenderRejected   // the reverse-path is refused: its address, domain or identity

	// Content.
	ReasonContentSpam      // content or links look like spam
	ReasonContentVirus     // malware, or a banned attachment
	ReasonContentMalformed // the message breaks RFC 5322 or RFC 2045
	ReasonMessageTooLarge  // over the system's or the recipient's size limit

	// Recipient.
	ReasonMailboxUnknown      // no such mailbox, alias or customer here
	ReasonMailboxFull         // this mailbox is over quota
	ReasonMailboxDisabled     // exists but disabled, suspended, inactive
	ReasonMailboxMoved        // moved or gone, no forwarding
	ReasonRecipientUnverified // the recipient cannot be verified at the moment

	// Routing.
	ReasonDomainNotFound // recipient domain does not exist or has no usable MX or address
	ReasonDomainNoMail   // domain or host states that it never takes mail
	ReasonRelayDenied    // not responsible for that domain, and the client may not relay
	ReasonRoutingLoop    // hop count exceeded, message came back
	ReasonDNSProblem     // a DNS lookup failed for the moment

	// Access.
	ReasonAuthRequired  // authenticate first
	ReasonAuthFailed    // wrong or disabled credentials, application password needed
	ReasonAuthMechanism // AUTH mechanism not supported, too weak or not allowed
	ReasonTLSRequired   // TLS is needed before this command or for this domain
	ReasonTLSFailed     // TLS not available now, handshake or certificate failure

	// Protocol.
	ReasonUnsupportedParameter // parameter or extension keyword not recognized or not implemented
	ReasonUnsupportedCommand   // command not recognized, not implemented or switched off
	ReasonSyntax               // malformed command or argument
	ReasonAddressSyntax        // malformed sender or recipient address
	ReasonBadSequence          // command out of order, talked too early, nothing valid to send

	ReasonOther // the reply names no cause, or none of the above

	reasonEnd
)

// ErrUnknownReason is the error of [ParseReason]. It is wrapped.
var ErrUnknownReason = errors.New("unknown reason")

// Reasons returns all 51 reasons in the order of their families.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonEnd-1)
	for r := ReasonNone + 1; r < reasonEnd; r++ {
		all = append(all, r)
	}
	return all
}

// String returns the word, for example "mailbox-full", and "" for
// [ReasonNone].
func (r Reason) String() string {
	if r >= reasonEnd {
		return ""
	}
	return reasonTable[r].word
}

// ParseReason returns the reason of a word as String writes it.
func ParseReason(word string) (Reason, error) {
	for r := ReasonNone + 1; r < reasonEnd; r++ {
		if reasonTable[r].word == word {
			return r, nil
		}
	}
	return ReasonNone, fmt.Errorf("%w: %q", ErrUnknownReason, word)
}

// MarshalText writes the word, as String does.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a word, as [ParseReason] does. Empty text is
// [ReasonNone].
func (r *Reason) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*r = ReasonNone
		return nil
	}
	*r, err = ParseReason(string(text))
	return err
}

// Family is one of the nine groups of reasons.
type Family uint8

// The families. [FamilyOther] is that of [ReasonOther] alone and is not counted
// among the nine.
const (
	FamilyNone       Family = iota
	FamilyService           // the receiving system is not able now
	FamilyLimit             // a count or a rate was exceeded
	FamilyReputation        // who sends is not trusted
	FamilyPolicy            // a rule refuses
	FamilyContent           // the message itself
	FamilyRecipient         // this one recipient
	FamilyRouting           // where the mail is to go
	FamilyAccess            // authentication and encryption
	FamilyProtocol          // the commands themselves
	FamilyOther             // no cause named
	familyEnd
)

var familyWords = [familyEnd]string{
	"", "service", "limit", "reputation", "policy", "content", "recipient", "routing", "access", "protocol", "other",
}

// String returns the word of the family, "" for [FamilyNone].
func (f Family) String() string {
	if f >= familyEnd {
		return ""
	}
	return familyWords[f]
}

// Family returns the family of the reason.
func (r Reason) Family() Family {
	switch {
	case r == ReasonNone || r >= reasonEnd:
		return FamilyNone
	case r <= ReasonExpired:
		return FamilyService
	case r <= ReasonTooManyErrors:
		return FamilyLimit
	case r <= ReasonHELORejected:
		return FamilyReputation
	case r <= ReasonSenderRejected:
		return FamilyPolicy
	case r <= ReasonMessageTooLarge:
		return FamilyContent
	case r <= ReasonRecipientUnverified:
		return FamilyRecipient
	case r <= ReasonDNSProblem:
		return FamilyRouting
	case r <= ReasonTLSFailed:
		return FamilyAccess
	case r <= ReasonBadSequence:
		return FamilyProtocol
	}
	return FamilyOther
}
