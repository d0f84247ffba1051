package bounce

import "github.com/weirmail/weir/reply"

// explanation is what a reason means for the person who wrote the message.
type explanation struct {
	// status is the enhanced status code where the peer gave none.
	status reply.Status
	// means says what is the matter, advice what to do about it where the
	// message came back.
	means, advice string
}

// explain returns the explanation of a reason, that of "other" for one that
// has none.
func explain(reason string) explanation {
	if e, ok := explanations[reason]; ok {
		return e
	}
	return explanations["other"]
}

// explainLate returns the explanation of a message that its sender wanted back
// rather than delivered late.
func explainLate() explanation {
	return explanation{
		status: reply.NewStatus(4, 7),
		means:  "You, or the program that sent the message, asked for it to come back rather than to be delivered late.",
		advice: "If the message is of use all the same, send it again with more time, or without a time.",
	}
}

// What more than one reason advises.
const (
	sendAgain      = "Send the message again later. If it comes back again, ask the recipient's mail administrator."
	tellOurs       = "Please show this notice to your own mail administrator; it is nothing that you can change in the message."
	tellTheirs     = "Reach the recipient in another way and ask that their mail administrator look at this notice."
	checkAddress   = "Check the address for a slip, and send the message again to the right one. Take the address off your lists if it is right but out of use."
	changeTheMail  = "Change the message and send it again."
	askTheirPolicy = "Ask the recipient, in another way, to let their mail administrator admit your address. Show this notice to your own administrator too."
)

// explanations has a row for each reason that a verdict can give.
var explanations = map[string]explanation{
	// The service of the other side.
	"unavailable": {reply.NewStatus(3, 2), "The recipient's mail server takes no mail at the moment and does not say why.", sendAgain},
	"overload":    {reply.NewStatus(4, 5), "The recipient's mail server has more work than it can do.", sendAgain},
	"maintenance": {reply.NewStatus(3, 2), "The recipient's mail server is being worked on.", sendAgain},
	"shutdown":    {reply.NewStatus(3, 2), "The recipient's mail server was just being stopped.", sendAgain},
	"local-error": {reply.NewStatus(3, 0), "Something inside the mail system is broken or set up wrongly.", sendAgain},
	"storage":     {reply.NewStatus(3, 1), "The recipient's mail system has no room left, for anybody's mail.", sendAgain},
	"timeout":     {reply.NewStatus(4, 2), "The two mail servers waited for each other for too long.", sendAgain},
	"network":     {reply.NewStatus(4, 1), "The recipient's mail server could not be reached, or the connection to it was lost.", "Check the part of the address behind the @. If it is right, send the message again later, or reach the recipient in another way."},
	"expired":     {reply.NewStatus(4, 7), "The message waited for longer than a mail server keeps trying.", sendAgain},

	// Its limits.
	"connection-limit":    {reply.NewStatus(4, 5), "The recipient's mail server allows only so many connections at a time.", sendAgain},
	"session-limit":       {reply.NewStatus(4, 5), "The recipient's mail server allows only so many messages on one connection.", sendAgain},
	"too-many-recipients": {reply.NewStatus(5, 3), "The message has more recipients than the server takes at a time.", "Send it again, to fewer recipients at a time."},
	"rate-limit":          {reply.NewStatus(7, 0), "The server found that more mail came from here, or from you, than it takes within a time.", "Send less at a time, and this message again later."},
	"mailbox-busy":        {reply.NewStatus(2, 0), "So much mail is coming in for this mailbox that it takes no more at the moment.", sendAgain},
	"greylisting":         {reply.NewStatus(7, 1), "The server puts off mail from senders that it does not know yet. Coming back later is all that it wants.", sendAgain},
	"too-many-errors":     {reply.NewStatus(5, 0), "The server ended the conversation because of mistakes in it.", tellOurs},

	// What it thinks of us.
	"reputation":    {reply.NewStatus(7, 1), "The server thinks little of the network or the domain that the message came from.", tellOurs},
	"blocklist":     {reply.NewStatus(7, 1), "The network or the domain that the message came from is on a list of places that send unwanted mail.", tellOurs},
	"reverse-dns":   {reply.NewStatus(7, 25), "The server could not match the address of our mail server with its name.", tellOurs},
	"helo-rejected": {reply.NewStatus(7, 1), "The server does not accept the name by which our mail server presents itself.", tellOurs},
	"policy":        {reply.NewStatus(7, 1), "A rule of the recipient's side does not let the message in.", askTheirPolicy},
	"policy-spf":    {reply.NewStatus(7, 23), "The domain of your address does not list our mail server among those that may send for it (SPF).", tellOurs},
	"policy-dkim":   {reply.NewStatus(7, 20), "The message bears no signature of its domain that the server could verify (DKIM).", tellOurs},
	"policy-dmarc":  {reply.NewStatus(7, 1), "The domain of your address asks others to refuse mail that it cannot vouch for (DMARC), and this message was taken for such.", tellOurs},
	"sender-rejected": {
		reply.NewStatus(1, 8), "The server does not accept the address that the message was sent from.",
		"Check the sender's address in your mail program. If it is right, show this notice to your mail administrator.",
	},
	"policy-sender-auth": {reply.NewStatus(7, 26), "The server could not make sure that the message comes from the domain that it names.", tellOurs},

	// The message.
	"content-spam":      {reply.NewStatus(7, 1), "Something in the message looks like unwanted mail to the server.", "Look at the links, the attachments and the subject; change what looks like advertising, and send it again. If it is not clear what is meant, reach the recipient in another way."},
	"content-virus":     {reply.NewStatus(7, 1), "The server took an attachment for harmful, or does not accept its type.", "Have your computer checked, take the attachment out, and send the message again."},
	"content-malformed": {reply.NewStatus(6, 0), "The message is not built as the mail standards want it.", tellOurs},
	"message-too-large": {reply.NewStatus(3, 4), "The message is larger than the server takes.", "Make it smaller, or share the attachments by a link, and send it again."},

	// The recipient.
	"mailbox-unknown":      {reply.NewStatus(1, 1), "There is no mailbox of this name.", checkAddress},
	"mailbox-full":         {reply.NewStatus(2, 2), "The recipient's mailbox is full.", "Reach the recipient in another way, and send the message again when there is room."},
	"mailbox-disabled":     {reply.NewStatus(2, 1), "The mailbox is there, but it is switched off.", "Reach the recipient in another way, and take the address off your lists."},
	"mailbox-moved":        {reply.NewStatus(1, 6), "The recipient has moved to another address.", "Look for the new address in what the server said, or ask the recipient."},
	"recipient-unverified": {reply.NewStatus(1, 0), "The server could not find out whether the recipient exists.", sendAgain},

	// The way there.
	"domain-not-found": {reply.NewStatus(1, 2), "The domain, the part of the address behind the @, does not exist or has no mail server.", checkAddress},
	"domain-no-mail":   {reply.NewStatus(1, 10), "The domain, the part of the address behind the @, says that it never takes mail.", checkAddress},
	"relay-denied":     {reply.NewStatus(7, 1), "The server that was asked is not the one for this address, or does not pass mail on for us.", "Check the part of the address behind the @. If it is right, the mail administrator of one of the two sides has to look at this notice."},
	"routing-loop":     {reply.NewStatus(4, 6), "The message went in a circle between mail servers.", tellTheirs},
	"dns-problem":      {reply.NewStatus(4, 3), "The directory of the internet (DNS) gave no usable answer about the recipient's domain.", "Check the part of the address behind the @. If it is right, send the message again later."},

	// Who may.
	"auth-required":  {reply.NewStatus(7, 0), "The server wants our mail server to log in first.", tellOurs},
	"auth-failed":    {reply.NewStatus(7, 8), "The server did not accept our mail server's login.", tellOurs},
	"auth-mechanism": {reply.NewStatus(7, 4), "The server accepts no way of logging in that our mail server has.", tellOurs},
	"tls-required":   {reply.NewStatus(7, 10), "The message may only travel encrypted, and this was not possible.", tellOurs},
	"tls-failed":     {reply.NewStatus(7, 5), "The connection to the recipient's mail server could not be encrypted as it has to be.", tellTheirs},

	// How it was said.
	"unsupported-parameter": {reply.NewStatus(5, 4), "The message needs something that the recipient's mail server cannot do.", tellOurs},
	"unsupported-command":   {reply.NewStatus(5, 1), "The recipient's mail server did not understand ours.", tellOurs},
	"syntax":                {reply.NewStatus(5, 2), "The recipient's mail server did not understand ours.", tellOurs},
	"address-syntax":        {reply.NewStatus(1, 3), "An address is not written as the server expects it.", checkAddress},
	"bad-sequence":          {reply.NewStatus(5, 1), "The recipient's mail server did not expect what ours said.", tellOurs},
	"other":                 {reply.Undefined(), "The server does not say why in a way that can be explained here. Its words above are all that is known.", "If its words do not help, reach the recipient in another way, or show this notice to your mail administrator."},
}
