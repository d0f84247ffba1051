package api

import (
	"time"

	"github.com/weirmail/weir/internal/mail"
)

// Message is a message in the queue, without its content.
type Message struct {
	// ID names the message.
	ID mail.ID `json:"id"`
	// Arrived is when its transaction began.
	Arrived time.Time `json:"arrived"`
	// Sender is the reverse-path without angle brackets; empty for the null
	// reverse-path.
	Sender string `json:"sender"`
	// Size is the length of the content in bytes.
	Size int64 `json:"size"`
	// Held is set while an operator keeps the message from being delivered.
	Held bool `json:"held"`
	// Due is when the first waiting recipient is tried next. It is absent
	// where none waits.
	Due *time.Time `json:"due,omitempty"`
	// EnvelopeID is the ENVID of the sender (RFC 3461 section 4.4).
	EnvelopeID string `json:"envelope_id,omitempty"`
	// SMTPUTF8 and RequireTLS are set where the sender asked for them (RFC
	// 6531, RFC 8689).
	SMTPUTF8   bool `json:"smtputf8,omitempty"`
	RequireTLS bool `json:"require_tls,omitempty"`
	// HoldUntil is the time before which the sender does not want it sent (RFC
	// 4865); absent where nothing was said.
	HoldUntil *time.Time `json:"hold_until,omitempty"`
	// DeliverBy is the time by which the sender wants it delivered (RFC 2852);
	// absent where nothing was said. ReturnIfLate is set where it goes back then.
	DeliverBy    *time.Time `json:"deliver_by,omitempty"`
	ReturnIfLate bool       `json:"return_if_late,omitempty"`
	// Priority is how urgent it is, from -9 to 9 (RFC 6710); absent where nothing
	// was said.
	Priority *int `json:"priority,omitempty"`
	// Client, HELO and Protocol tell who handed the message in: the address of
	// the peer, the name that it gave, and the "with" keyword of RFC 3848.
	Client   string `json:"client,omitempty"`
	HELO     string `json:"helo,omitempty"`
	Protocol string `json:"protocol,omitempty"`
	// Account is who the client had shown to be.
	Account string `json:"account,omitempty"`
	// Recipients are the forward-paths, in their order.
	Recipients []Recipient `json:"recipients"`
	// Dialogues are what was said in the last attempts, the oldest first, as far as
	// the relay remembers it; lists leave them out.
	Dialogues []Dialogue `json:"dialogues,omitempty"`
}

// Dialogue is what was said in an attempt. Secrets are masked, content is left out.
type Dialogue struct {
	At      time.Time `json:"at"`
	Host    string    `json:"host,omitempty"`
	Address string    `json:"address,omitempty"`
	// Lines begin with "S: " for the server, "C: " for the relay, and "* " for a
	// remark.
	Lines []string `json:"lines"`
}

// Recipient is one forward-path of a message and how far it is.
type Recipient struct {
	// Address is the forward-path without angle brackets.
	Address string `json:"address"`
	// State is "waiting", "relayed", "delivered", "failed", "expired" or
	// "removed".
	State string `json:"state"`
	// Due is when the next attempt is to be made; absent in a final state.
	Due *time.Time `json:"due,omitempty"`
	// Attempts counts the attempts so far.
	Attempts int `json:"attempts"`
	// Lane is the destination that the recipient waits for, where it is known; lists
	// leave it out.
	Lane string `json:"lane,omitempty"`
	// Last is the last attempt; absent before the first.
	Last *Attempt `json:"last,omitempty"`
}

// Attempt is what came of one attempt: why a recipient waits, or what ended
// it.
type Attempt struct {
	// At is when the attempt ended.
	At time.Time `json:"at"`
	// Host is the next hop that was spoken to, Address where it was reached.
	Host    string `json:"host,omitempty"`
	Address string `json:"address,omitempty"`
	// Stage is how far the attempt came: "connect", "rcpt", …
	Stage string `json:"stage"`
	// Reply is the reply that decided, in one line and fit for a terminal.
	// Code and Enhanced are its codes. All are absent where there was none.
	Reply    string `json:"reply,omitempty"`
	Code     int    `json:"code,omitempty"`
	Enhanced string `json:"enhanced,omitempty"`
	// Problem says in words what went wrong where there was no reply.
	Problem string `json:"problem,omitempty"`
	// Reason is the token of the verdict, as "mailbox-unknown".
	Reason string `json:"reason,omitempty"`
}

// Page is a part of the queue.
type Page struct {
	// Messages are in the order in which they arrived.
	Messages []Message `json:"messages"`
	// Next is the cursor of the next page; empty after the last.
	Next string `json:"next,omitempty"`
}
