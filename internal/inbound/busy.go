package inbound

import (
	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtpserver"
)

// The replies of admission. Each ends in words for machines: the reason, when to
// come back, and the number of the decision, which leads to its record.
var (
	ReplyBusyLoad        = busyRow(admission.ReasonLoad, "the processors are late")
	ReplyBusyMemory      = busyRow(admission.ReasonMemory, "the memory is used up, or promised to others")
	ReplyBusyDisk        = busyRow(admission.ReasonDisk, "the disk of the spool is nearly full")
	ReplyBusyStorage     = busyRow(admission.ReasonStorage, "the disk is slow")
	ReplyBusyQueue       = busyRow(admission.ReasonQueue, "too much mail waits already")
	ReplyBusyConnections = busyRow(admission.ReasonConnections, "there are too many connections, or no slot came free in time")
	ReplyStarting        = stateRow(admission.ReasonStarting, "Service starting")
	ReplyMaintenance     = stateRow(admission.ReasonMaintenance, "Service in maintenance")
	ReplyShuttingDown    = stateRow(admission.ReasonShutdown, "Service shutting down")

	ReplyClientConnections = smtpserver.NewRow(smtpserver.Row{
		Name: "client-connections", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(7, 0),
		Text:   "{host} Too many connections from your network, closing channel; reason=client-connections retry={retry}s id={id}",
		Reason: string(admission.ReasonClientConnections), RFC: "RFC 5321 3.8",
		When: "a connection beyond the limit of open ones for the client or its network",
	})
	ReplyClientConnectRate = smtpserver.NewRow(smtpserver.Row{
		Name: "client-connect-rate", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(7, 0),
		Text:   "{host} Connecting too fast from your network, closing channel; reason=client-rate retry={retry}s id={id}",
		Reason: string(admission.ReasonClientRate), RFC: "RFC 5321 3.8",
		When: "a connection beyond the rate of the client or its network",
	})
	ReplyClientRate = smtpserver.NewRow(smtpserver.Row{
		Name: "client-rate", Code: reply.LocalError, Status: reply.NewStatus(7, 1),
		Text:   "Sending too fast; reason=client-rate retry={retry}s id={id}",
		Reason: string(admission.ReasonClientRate), RFC: "RFC 5321 4.2.2",
		When: "MAIL or RCPT beyond the rate of the client, its network or its account",
	})
	ReplyTooManyRefused = smtpserver.NewRow(smtpserver.Row{
		Name: "client-refused-recipients", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(7, 0),
		Text:   "{host} Too many recipients that are not taken here, closing channel; reason=client-rate retry={retry}s id={id}",
		Reason: string(admission.ReasonClientRate), RFC: "RFC 5321 7.3",
		When: "RCPT, when the client has tried too many recipients that were refused",
	})
	ReplyGreylisted = smtpserver.NewRow(smtpserver.Row{
		Name: "greylisted", Code: reply.LocalError, Status: reply.NewStatus(7, 1),
		Text:   "Greylisted, please try again; reason=greylist retry={retry}s id={id}",
		Reason: string(admission.ReasonGreylist), RFC: "RFC 6647 2",
		When: "RCPT for a reverse-path and forward-path that have not been seen from this network before",
	})
	ReplyGreylistedClosing = smtpserver.NewRow(smtpserver.Row{
		Name: "greylisted-closing", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(7, 1),
		Text:   "{host} Greylisted, please try again, closing channel; reason=greylist retry={retry}s id={id}",
		Reason: string(admission.ReasonGreylist), RFC: "RFC 6647 2",
		When: "as greylisted, where the whole connection is to be sent away ([greylist] reply = 421)",
	})
	ReplyNoRoom = smtpserver.NewRow(smtpserver.Row{
		Name: "disk-promised", Code: reply.InsufficientStorage, Status: reply.NewStatus(3, 1),
		Text:   "Not enough storage for this message now; reason=disk retry={retry}s id={id}",
		Reason: string(admission.ReasonDisk), RFC: "RFC 5321 4.2.2",
		When: "MAIL or content for which the disk has no room that is not promised to others",
	})
	ReplyNoMemory = smtpserver.NewRow(smtpserver.Row{
		Name: "memory-promised", Code: reply.LocalError, Status: reply.NewStatus(3, 2),
		Text:   "Busy, try this message again; reason=memory retry={retry}s id={id}",
		Reason: string(admission.ReasonMemory), RFC: "RFC 5321 4.2.2",
		When: "MAIL for which there is no memory that is not promised to others",
	})
)

// busyRow is a refusal of the relay as a whole for a reason.
func busyRow(r admission.Reason, when string) *smtpserver.Row {
	row := stateRow(r, "Service busy")
	row.Name, row.When = "busy-"+string(r), "a connection or MAIL while "+when
	return row
}

func stateRow(r admission.Reason, sentence string) *smtpserver.Row {
	return smtpserver.NewRow(smtpserver.Row{
		Name: string(r), Code: reply.ServiceNotAvailable, Status: reply.NewStatus(3, 2),
		Text:   "{host} " + sentence + ", closing channel; reason=" + string(r) + " retry={retry}s id={id}",
		Reason: string(r), RFC: "RFC 5321 3.8",
		When: "a connection or MAIL while the relay is in that state",
	})
}

// busyRows are the rows of admission.
func busyRows() []*smtpserver.Row {
	return []*smtpserver.Row{
		ReplyBusyLoad, ReplyBusyMemory, ReplyBusyDisk, ReplyBusyStorage, ReplyBusyQueue, ReplyBusyConnections,
		ReplyStarting, ReplyMaintenance, ReplyShuttingDown,
		ReplyClientConnections, ReplyClientConnectRate, ReplyClientRate, ReplyTooManyRefused,
		ReplyGreylisted, ReplyGreylistedClosing, ReplyNoRoom, ReplyNoMemory,
	}
}

// rowFor returns the row that says a decision: of a new connection, or of an open
// session.
func rowFor(d *admission.Decision, atConnect bool) *smtpserver.Row {
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
		if atConnect {
			return ReplyClientConnectRate
		}
		return ReplyTooManyRefused
	}
	return ReplyBusyConnections
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
	}
	return ReplyClientRate
}
