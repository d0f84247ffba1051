package smtpclient

import (
	"io"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// Transaction is a message with its envelope, to be handed over by
// [Client.Send]. Which parameters go with it is the caller's decision, by
// [Client.Capabilities]; the client adds SIZE alone, where it is offered.
type Transaction struct {
	ReversePath smtp.Path
	MailParams  []smtp.Param
	Recipients  []Recipient
	Content     Content
	// OmitSize leaves SIZE out also where it is offered.
	OmitSize bool
}

// Recipient is a forward-path with the parameters of its RCPT.
type Recipient struct {
	Path   smtp.Path
	Params []smtp.Param
}

// Content is what the message consists of: Header, and behind it Bytes or what
// Reader gives. Lines end in CRLF; where content without CRLF at its end goes by
// DATA, one is added (RFC 5321 section 4.1.1.4).
type Content struct {
	// Header goes ahead, such as Return-Path and trace fields.
	Header []byte
	// Bytes is the message where it is in memory.
	Bytes []byte
	// Reader gives the message where Bytes is nil. It is read once, and only after a
	// recipient has been accepted.
	Reader io.Reader
	// Size is how many octets Reader gives. Where Bytes is used it may be zero.
	Size int64
	// Binary content has lines that do not end in CRLF, or NUL. It goes by BDAT
	// only, and MailParams have to say BODY=BINARYMIME (RFC 3030 section 3).
	Binary bool
}

// size is what the whole content has, in octets.
func (c *Content) size() int64 {
	if c.Reader != nil && c.Bytes == nil {
		return int64(len(c.Header)) + c.Size
	}
	return int64(len(c.Header) + len(c.Bytes))
}

// Result is what the server answered to a transaction.
type Result struct {
	// Mail is the reply to MAIL; zero where none came.
	Mail reply.Reply
	// Recipients are in the order of the transaction.
	Recipients []RecipientResult
	// Content is the reply to the final dot or chunk; with LMTP the last of them.
	Content reply.Reply
	// Pipelined tells that commands went ahead of their replies, Chunked that the
	// content went by BDAT.
	Pipelined, Chunked bool
	// RCPTTime is how long the first reply to RCPT took from the write that had its
	// command, ContentTime the last reply to the content from the write that had its
	// end; zero where none came.
	RCPTTime, ContentTime time.Duration

	one [1]RecipientResult // so that the common case needs no slice of its own
}

// RecipientResult is what became of one recipient.
type RecipientResult struct {
	// Stage is where it was decided: MAIL, RCPT, DATA or the content. It is
	// StageConnect where nothing was decided, because the session broke before;
	// the [Error] says how.
	Stage smtp.Stage
	// Reply is the one that decided, zero where none did.
	Reply reply.Reply
	// RCPT is the reply to this recipient's RCPT; zero where none came.
	RCPT reply.Reply
}

// Decided tells whether a reply has settled the recipient, one way or the other.
func (r *RecipientResult) Decided() bool { return !r.Reply.IsZero() }

// Delivered tells whether the server took the message for the recipient.
func (r *RecipientResult) Delivered() bool {
	return r.Stage == smtp.StageContent && r.Reply.Code.Completed()
}

func (r *RecipientResult) decide(stage smtp.Stage, by reply.Reply) {
	r.Stage, r.Reply = stage, by
}

// accepted tells whether RCPT was accepted and nothing more is known.
func (r *RecipientResult) accepted() bool { return r.Reply.IsZero() && r.RCPT.Code.Completed() }

func newResult(recipients int) *Result {
	r := &Result{}
	if recipients == 1 {
		r.Recipients = r.one[:]
		return r
	}
	r.Recipients = make([]RecipientResult, recipients)
	return r
}
