package inbound

import (
	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtpserver"
)

// The replies of admission. Each ends in words for machines: the reason, when to
// come back, and the number of the decision, which leads to its record.
var (
	ReplyBusyLoad        = busyRow(admission.ReasonLoad, "the processors are late", "")
	ReplyBusyMemory      = busyRow(admission.ReasonMemory, "the memory is used up, or promised to others", "")
	ReplyBusyDisk        = busyRow(admission.ReasonDisk, "the disk of the spool is nearly full", " Weir's administrator makes room: it does not pass by itself.")
	ReplyBusyStorage     = busyRow(admission.ReasonStorage, "the disk is slow", " Weir's administrator looks at the disk where it lasts.")
	ReplyBusyQueue       = busyRow(admission.ReasonQueue, "too much mail waits already", " Weir's administrator looks at what the queue waits for.")
	ReplyBusyConnections = busyRow(admission.ReasonConnections, "there are too many connections, or no slot came free in time", "")
	ReplyStarting        = stateRow(admission.ReasonStarting, "Service starting", "It is a matter of seconds.")
	ReplyMaintenance     = stateRow(admission.ReasonMaintenance, "Service in maintenance", "It was meant: the time is that of the end of the maintenance where that is known.")
	ReplyShuttingDown    = stateRow(admission.ReasonShutdown, "Service shutting down", "A successor mostly listens already.")

	ReplyClientConnections = smtpserver.NewRow(smtpserver.Row{
		Name: "client-connections", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(7, 0),
		Text:   "{host} Too many connections from your network, closing channel; reason=client-connections retry={retry}s id={id}",
		Reason: string(admission.ReasonClientConnections), RFC: "RFC 5321 3.8",
		When:   "a connection beyond the limit of open ones for the client or its network",
		Advice: "Use fewer connections at the same time, and try again after the time that the text names. The administrator of the client acts where it happens often.",
	})
	ReplyClientConnectRate = smtpserver.NewRow(smtpserver.Row{
		Name: "client-connect-rate", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(7, 0),
		Text:   "{host} Connecting too fast from your network, closing channel; reason=client-rate retry={retry}s id={id}",
		Reason: string(admission.ReasonClientRate), RFC: "RFC 5321 3.8",
		When:   "a connection beyond the rate of the client or its network",
		Advice: "Try again after the time that the text names, and connect more slowly: several messages go through one connection. The administrator of the client acts where it happens often.",
	})
	ReplyClientRate = smtpserver.NewRow(smtpserver.Row{
		Name: "client-rate", Code: reply.LocalError, Status: reply.NewStatus(7, 1),
		Text:   "Sending too fast; reason=client-rate retry={retry}s id={id}",
		Reason: string(admission.ReasonClientRate), RFC: "RFC 5321 4.2.2",
		When:   "MAIL or RCPT beyond the rate of the client, its network or its account",
		Advice: "Try this message again after the time that the text names, and send more slowly. The session goes on.",
	})
	ReplyTooManyRefused = smtpserver.NewRow(smtpserver.Row{
		Name: "client-refused-recipients", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(7, 0),
		Text:   "{host} Too many recipients that are not taken here, closing channel; reason=client-rate retry={retry}s id={id}",
		Reason: string(admission.ReasonClientRate), RFC: "RFC 5321 7.3",
		When:   "RCPT, when the client has tried too many recipients that were refused",
		Advice: "Try again after the time that the text names. The administrator of the client cleans its list of recipients: too many of them are not here.",
	})
	ReplyTooManyFailed = smtpserver.NewRow(smtpserver.Row{
		Name: "client-failed-auth", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(7, 0),
		Text:   "{host} Too many failed authentications, closing channel; reason=client-rate retry={retry}s id={id}",
		Reason: string(admission.ReasonClientRate), RFC: "RFC 4954 9",
		When:   "AUTH, when the client has failed too often",
		Advice: "Correct the name or the password that the client has saved, and try again after the time that the text names.",
	})
	ReplyAuthBusy = smtpserver.NewRow(smtpserver.Row{
		Name: "auth-busy", Code: reply.TLSNotAvailable, Status: reply.NewStatus(7, 0),
		Text:   "Authentication busy, try again; reason=auth-busy retry={retry}s id={id}",
		Reason: string(admission.ReasonAuthBusy), RFC: "RFC 4954 6",
		When:   "AUTH while there is no room for the checking of passwords; none was looked at",
		Advice: "Try again after the time that the text names. Name and password are not at fault: they were not looked at.",
	})
	ReplyTLSBusy = smtpserver.NewRow(smtpserver.Row{
		Name: "tls-busy", Code: reply.TLSNotAvailable, Status: reply.NewStatus(7, 0),
		Text:   "TLS not available now, try again; reason=tls-busy retry={retry}s id={id}",
		Reason: string(admission.ReasonTLSBusy), RFC: "RFC 3207 4",
		When:   "STARTTLS while there is no room for handshakes; the session goes on without TLS",
		Advice: "Quit, and try again after the time that the text names. A client that must not send in plain text does not go on without TLS.",
	})
	ReplyHoldBusy = smtpserver.NewRow(smtpserver.Row{
		Name: "hold-busy", Code: reply.ParametersNotNow, Status: reply.NewStatus(5, 4),
		Text:   "No room now to keep messages for later; reason=hold-busy retry={retry}s id={id}",
		Reason: string(admission.ReasonHoldBusy), RFC: "RFC 5321 4.1.1.11",
		When:   "MAIL with HOLDFOR or HOLDUNTIL while the queue is long or the disk nearly full",
		Advice: "Send the message without the parameter when its time has come, or try again after the time that the text names. The session goes on.",
	})
	ReplyGreylisted = smtpserver.NewRow(smtpserver.Row{
		Name: "greylisted", Code: reply.LocalError, Status: reply.NewStatus(7, 1),
		Text:   "Greylisted, please try again; reason=greylist retry={retry}s id={id}",
		Reason: string(admission.ReasonGreylist), RFC: "RFC 6647 2",
		When:   "RCPT for a reverse-path and forward-path that have not been seen from this network before",
		Advice: "Try again after the time that the text names, from the same network. Every mail server does that by itself: nobody has to act.",
	})
	ReplyGreylistedClosing = smtpserver.NewRow(smtpserver.Row{
		Name: "greylisted-closing", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(7, 1),
		Text:   "{host} Greylisted, please try again, closing channel; reason=greylist retry={retry}s id={id}",
		Reason: string(admission.ReasonGreylist), RFC: "RFC 6647 2",
		When:   "as greylisted, where the whole connection is to be sent away ([greylist] reply = 421)",
		Advice: "Try again after the time that the text names, from the same network. Every mail server does that by itself: nobody has to act.",
	})
	ReplyNoRoom = smtpserver.NewRow(smtpserver.Row{
		Name: "disk-promised", Code: reply.InsufficientStorage, Status: reply.NewStatus(3, 1),
		Text:   "Not enough storage for this message now; reason=disk retry={retry}s id={id}",
		Reason: string(admission.ReasonDisk), RFC: "RFC 5321 4.2.2",
		When:   "MAIL or content for which the disk has no room that is not promised to others",
		Advice: "Try this message again after the time that the text names. Smaller ones may be taken before. Weir's administrator makes room where it lasts.",
	})
	ReplyNoMemory = smtpserver.NewRow(smtpserver.Row{
		Name: "memory-promised", Code: reply.LocalError, Status: reply.NewStatus(3, 2),
		Text:   "Busy, try this message again; reason=memory retry={retry}s id={id}",
		Reason: string(admission.ReasonMemory), RFC: "RFC 5321 4.2.2",
		When:   "MAIL for which there is no memory that is not promised to others",
		Advice: "Try this message again after the time that the text names. Smaller ones may be taken before; nobody has to act.",
	})
)

// busyRow is a refusal of the relay as a whole for a reason.
func busyRow(r admission.Reason, when, advice string) *smtpserver.Row {
	row := stateRow(r, "Service busy", "")
	row.Name, row.When = "busy-"+string(r), "a connection or MAIL while "+when
	row.Advice = waitAdvice + advice
	return row
}

// waitAdvice is what the clients of a relay do that takes no mail for now.
const waitAdvice = "Try the next host of the domain where there is one, or this one after the time that the text names; the message stays in your queue, and nobody on your side has to act."

// stateRow is a refusal because of the state that the relay is in.
func stateRow(r admission.Reason, sentence, advice string) *smtpserver.Row {
	return smtpserver.NewRow(smtpserver.Row{
		Name: "relay-" + string(r), Code: reply.ServiceNotAvailable, Status: reply.NewStatus(3, 2),
		Text:   "{host} " + sentence + ", closing channel; reason=" + string(r) + " retry={retry}s id={id}",
		Reason: string(r), RFC: "RFC 5321 3.8",
		When:   "a connection or MAIL while the relay is in that state",
		Advice: waitAdvice + " " + advice,
	})
}

// busyRows are the rows of admission.
func busyRows() []*smtpserver.Row {
	return []*smtpserver.Row{
		ReplyBusyLoad, ReplyBusyMemory, ReplyBusyDisk, ReplyBusyStorage, ReplyBusyQueue, ReplyBusyConnections,
		ReplyStarting, ReplyMaintenance, ReplyShuttingDown,
		ReplyClientConnections, ReplyClientConnectRate, ReplyClientRate, ReplyTooManyRefused,
		ReplyTooManyFailed, ReplyAuthBusy, ReplyTLSBusy, ReplyHoldBusy,
		ReplyGreylisted, ReplyGreylistedClosing, ReplyNoRoom, ReplyNoMemory,
	}
}

// rowFor returns the row that says a decision.
func rowFor(d *admission.Decision) *smtpserver.Row {
	if !d.Closes {
		return messageRow(d.Reason)
	}
	switch d.Reason {
	case admission.ReasonLoad:
		return ReplyBusyLoad
	case admission.ReasonMemory:
		return ReplyBusyMemory
	case admission.ReasonDisk:
		return ReplyBusyDisk
	case admission.ReasonStorage:
		return ReplyBusyStorage
	case admission.ReasonQueue:
		return ReplyBusyQueue
	case admission.ReasonStarting:
		return ReplyStarting
	case admission.ReasonMaintenance:
		return ReplyMaintenance
	case admission.ReasonShutdown:
		return ReplyShuttingDown
	case admission.ReasonClientConnections:
		return ReplyClientConnections
	case admission.ReasonGreylist:
		return ReplyGreylistedClosing
	case admission.ReasonClientRate:
		return rateRow(d.Point)
	}
	return ReplyBusyConnections
}

// rateRow returns the row of a rate for which the whole connection is sent away.
func rateRow(p admission.Point) *smtpserver.Row {
	switch p {
	case admission.PointAccept:
		return ReplyClientConnectRate
	case admission.PointAUTH:
		return ReplyTooManyFailed
	}
	return ReplyTooManyRefused
}

// messageRow returns the row of a refusal after which the session goes on.
func messageRow(r admission.Reason) *smtpserver.Row {
	switch r {
	case admission.ReasonDisk:
		return ReplyNoRoom
	case admission.ReasonMemory:
		return ReplyNoMemory
	case admission.ReasonGreylist:
		return ReplyGreylisted
	case admission.ReasonTLSBusy:
		return ReplyTLSBusy
	case admission.ReasonAuthBusy:
		return ReplyAuthBusy
	case admission.ReasonHoldBusy:
		return ReplyHoldBusy
	case admission.ReasonStoreFailed:
		return ReplyStoreFailed
	}
	return ReplyClientRate
}
