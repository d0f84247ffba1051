package inbound

import (
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtpserver"
)

// The replies about accounts. Those of AUTH itself are in smtpserver.
var (
	ReplyAuthRequired = smtpserver.NewRow(smtpserver.Row{
		Name: "auth-required", Code: reply.AuthRequired, Status: reply.NewStatus(7, 0),
		Text:   "Authentication required{advice}; reason=auth-required",
		Reason: "auth-required", RFC: "RFC 4954 6",
		When:   "MAIL before AUTH, on a listener that takes mail from accounts alone",
		Advice: "Set a name and a password in the client, and TLS where the text names STARTTLS. Servers that send to this domain use its MX hosts and port 25, not this port.",
	})
	ReplySenderNotOwned = smtpserver.NewRow(smtpserver.Row{
		Name: "sender-not-owned", Code: reply.MailboxNameNotAllowed, Status: reply.NewStatus(7, 1),
		Text:   "Account {account} may not send as {sender}, but as: {senders}; reason=sender-rejected",
		Reason: "sender-rejected", RFC: "RFC 6409 6.1",
		When:   "MAIL with a reverse-path that the account may not use",
		Advice: "Set one of the addresses that the text names as the sender, or ask Weir's administrator to let the account use this one (weir user set).",
	})
	ReplyAuthMalformed = smtpserver.NewRow(smtpserver.Row{
		Name: "auth-malformed", Code: reply.SyntaxInArguments, Status: reply.NewStatus(5, 2),
		Text:   "Not a message of {mechanism}: {problem}; reason=syntax",
		Reason: "syntax", RFC: "RFC 4954 4",
		When:   "AUTH, when what the client has sent is no message of the mechanism",
		Advice: "This is a fault of the client, or of whoever typed the base64. No password was looked at; the session goes on.",
	})
)

// authRows are the rows about accounts.
func authRows() []*smtpserver.Row {
	return []*smtpserver.Row{ReplyAuthRequired, ReplySenderNotOwned, ReplyAuthMalformed}
}
