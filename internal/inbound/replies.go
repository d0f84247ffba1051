package inbound

import (
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtpserver"
)

// The replies of the policy. The protocol's own are in smtpserver.
var (
	ReplyRelayDenied = smtpserver.NewRow(smtpserver.Row{
		Name: "relay-denied", Code: reply.MailboxUnavailable, Status: reply.NewStatus(7, 1),
		Text:   "Relaying to {domain} is not allowed from {client}; reason=relay-denied",
		Reason: "relay-denied", RFC: "RFC 5321 3.6.2",
		When:   "RCPT for a domain that the server does not take mail for, from a client that may not relay",
		Advice: "Do not try again from here. Either the domain's MX points to the wrong host, or the client has to authenticate, or to be allowed by Weir's administrator; the text names the domain and the client.",
	})
	ReplyRoutingLoop = smtpserver.NewRow(smtpserver.Row{
		Name: "routing-loop", Code: reply.TransactionFailed, Status: reply.NewStatus(4, 6),
		Text:   "Too many hops: {count} Received fields, limit {limit}; reason=routing-loop",
		Reason: "routing-loop", RFC: "RFC 5321 6.3",
		When:   "the message has passed so many servers that it must be going in circles",
		Advice: "Do not try again. The administrators of both sides look where the mail goes round: a forwarding, or an MX that points back. The Received fields show the way.",
	})
	ReplyStorageFull = smtpserver.NewRow(smtpserver.Row{
		Name: "storage-full", Code: reply.InsufficientStorage, Status: reply.NewStatus(3, 1),
		Text:   "Not enough storage for this message now; reason=disk retry={retry}s id={id}",
		Reason: "disk", RFC: "RFC 5321 4.2.2",
		When:   "the spool's disk has no room for the message",
		Advice: "Try again after the time that the text names, or with the next host of the domain. Weir's administrator makes room.",
	})
	ReplyStoreFailed = smtpserver.NewRow(smtpserver.Row{
		Name: "store-failed", Code: reply.LocalError, Status: reply.NewStatus(3, 0),
		Text:   "Message not accepted, storage error; reason=store-failed retry={retry}s id={id}",
		Reason: "store-failed", RFC: "RFC 5321 4.2.2",
		When:   "the spool could not make the message durable",
		Advice: "Try again after the time that the text names: the message was not taken and stays in your queue. Weir's administrator looks at the record that the id leads to, and at the log.",
	})
	ReplyNoSpool = smtpserver.NewRow(smtpserver.Row{
		Name: "storage-fault", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(3, 2),
		Text:   "{host} Service busy, closing channel; reason=storage retry={retry}s id={id}",
		Reason: "storage", RFC: "RFC 5321 3.8",
		When:   "MAIL or a new connection while the spool takes no mail after a fault of its storage",
		Advice: "Try again after the time that the text names, or with the next host of the domain; all mail stays in your queue. Weir's administrator looks at the disk and at the log.",
	})
)

// Replies returns every row of the policy's table.
func Replies() []*smtpserver.Row {
	own := []*smtpserver.Row{ReplyRelayDenied, ReplyRoutingLoop, ReplyStorageFull, ReplyStoreFailed, ReplyNoSpool}
	return append(append(own, authRows()...), busyRows()...)
}
