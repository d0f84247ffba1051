package reply

import "strconv"

// Code is a three-digit reply code (RFC 5321 section 4.2.1).
type Code uint16

// The reply codes that the SMTP standards define. Where no other RFC is named
// the definition is in RFC 5321 sections 4.2.2 and 4.2.3.
const (
	SystemStatus            Code = 211 // a system status, or system help reply
	HelpMessage             Code = 214 // help for the person who reads it
	ServiceReady            Code = 220 // the greeting; also "go ahead" for STARTTLS (RFC 3207 section 4)
	ServiceClosing          Code = 221 // the answer to QUIT
	AuthSucceeded           Code = 235 // RFC 4954 section 6
	OK                      Code = 250 // the requested action is done
	WillForward             Code = 251 // not local, will forward (section 3.4)
	CannotVerify            Code = 252 // cannot verify, will take the message and try (section 3.5.3)
	AuthChallenge           Code = 334 // RFC 4954 section 4
	StartMailInput          Code = 354 // send the mail, end with a dot on a line of its own
	ServiceNotAvailable     Code = 421 // not available, closing the channel; may answer any command (section 3.8)
	PasswordTransition      Code = 432 // RFC 4954 section 6
	MailboxBusy             Code = 450 // mailbox unavailable for now
	LocalError              Code = 451 // aborted: local error in processing
	InsufficientStorage     Code = 452 // not enough storage now; also too many recipients (section 4.5.3.1.10)
	TLSNotAvailable         Code = 454 // RFC 3207 section 4; also a temporary failure of AUTH (RFC 4954 section 6)
	ParametersNotNow        Code = 455 // cannot accommodate the parameters now (section 4.1.1.11)
	CommandUnrecognized     Code = 500 // syntax error, command unrecognized, line too long
	SyntaxInArguments       Code = 501 // syntax error in parameters or arguments
	CommandNotImplemented   Code = 502 // the command is known and not implemented (section 4.2.4)
	BadSequence             Code = 503 // bad sequence of commands
	ParameterNotImplemented Code = 504 // command parameter not implemented; AUTH mechanisms (RFC 4954 section 4)
	NeverAcceptsMail        Code = 521 // the host takes no mail (RFC 7504 section 3)
	EncryptionNeeded        Code = 523 // RFC 5248, with X.7.10
	AuthRequired            Code = 530 // RFC 4954 section 6; also "STARTTLS first" (RFC 3207 section 4)
	AuthMechanismTooWeak    Code = 534 // RFC 4954 section 6
	AuthInvalid             Code = 535 // RFC 4954 section 6
	AuthNeedsEncryption     Code = 538 // RFC 4954 section 6, historical
	MailboxUnavailable      Code = 550 // no such mailbox, no access, or policy
	UserNotLocal            Code = 551 // not local, try another path (section 3.4)
	StorageExceeded         Code = 552 // over the storage or size limit (RFC 1870 section 6)
	MailboxNameNotAllowed   Code = 553 // the mailbox name is not allowed
	TransactionFailed       Code = 554 // transaction failed; at the greeting: no SMTP service here (section 3.1)
	ParametersUnrecognized  Code = 555 // MAIL or RCPT parameters not recognized (section 4.1.1.11)
	DomainTakesNoMail       Code = 556 // RFC 7504 section 4
)

// Class is the first digit of a code: what the client has to do next
// (RFC 5321 section 4.2.1).
type Class uint8

// The classes of replies.
const (
	ClassInvalid   Class = 0 // the code is outside 200-599
	ClassCompleted Class = 2 // the action was done
	ClassContinue  Class = 3 // send more
	ClassTransient Class = 4 // not now; try again
	ClassPermanent Class = 5 // do not repeat the same request
)

// Class returns the class of the code. A code that no RFC defines is judged by
// its first digit alone (RFC 5321 section 4.2); a code outside 200-599 has
// ClassInvalid.
func (c Code) Class() Class {
	if c < 200 || c > 599 {
		return ClassInvalid
	}
	return Class(c / 100)
}

// Valid reports whether the code fits the grammar of RFC 5321 section 4.2:
// first digit 2 to 5, second digit 0 to 5.
func (c Code) Valid() bool {
	return c.Class() != ClassInvalid && c/10%10 <= 5
}

// Completed reports a code of the 2yz class.
func (c Code) Completed() bool { return c.Class() == ClassCompleted }

// Transient reports a code of the 4yz class.
func (c Code) Transient() bool { return c.Class() == ClassTransient }

// Permanent reports a code of the 5yz class.
func (c Code) Permanent() bool { return c.Class() == ClassPermanent }

// Closes reports whether a server that sends the code closes the channel
// after it. In Weir that is true of 221 and 421 and of nothing else
// (RFC 5321 section 3.8).
func (c Code) Closes() bool { return c == ServiceClosing || c == ServiceNotAvailable }

// String returns the three digits.
func (c Code) String() string { return strconv.Itoa(int(c)) }
