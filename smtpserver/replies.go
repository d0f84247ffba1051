package smtpserver

import "github.com/weirmail/weir/reply"

// The replies of the protocol itself. [Replies] lists them all.
var (
	ReplyGreeting = NewRow(Row{
		Name: "greeting", Code: reply.ServiceReady, Text: "{host} ESMTP Weir",
		RFC: "RFC 5321 4.2", When: "a connection is taken",
		Advice: "Send EHLO with the name of your host, or HELO where you know no EHLO.",
	})
	ReplyGreetingLMTP = NewRow(Row{
		Name: "greeting-lmtp", Code: reply.ServiceReady, Text: "{host} LMTP Weir",
		RFC: "RFC 2033 4", When: "a connection to an LMTP listener is taken",
		Advice: "Send LHLO with the name of your host.",
	})
	ReplyHELO = NewRow(Row{
		Name: "helo-ok", Code: reply.OK, Text: "{host}",
		RFC: "RFC 5321 4.1.1.1", When: "HELO is taken",
		Advice: "Begin a transaction with MAIL, without parameters: HELO has no extensions.",
	})
	ReplyEHLO = NewRow(Row{
		Name: "ehlo-ok", Code: reply.OK, Text: "{host}",
		RFC: "RFC 5321 4.1.1.1", When: "EHLO or LHLO is taken; the lines after the first list what is offered",
		Advice: "Use what the lines list and nothing else. Ask again after STARTTLS: the list changes.",
	})
	ReplyMailOK = NewRow(Row{
		Name: "mail-ok", Code: reply.OK, Status: reply.NewStatus(1, 0), Text: "Sender ok",
		RFC: "RFC 5321 4.1.1.2", When: "MAIL is taken",
		Advice: "Send RCPT for each recipient.",
	})
	ReplyRcptOK = NewRow(Row{
		Name: "rcpt-ok", Code: reply.OK, Status: reply.NewStatus(1, 5), Text: "Recipient ok",
		RFC: "RFC 5321 4.1.1.3", When: "RCPT is taken",
		Advice: "Send the next RCPT, or DATA or BDAT.",
	})
	ReplyStartInput = NewRow(Row{
		Name: "data-go", Code: reply.StartMailInput, Text: "End data with <CR><LF>.<CR><LF>",
		RFC: "RFC 5321 4.1.1.4", When: "DATA is taken",
		Advice: "Send the message, dots doubled at the beginning of a line, and end it with CRLF, a dot and CRLF.",
	})
	ReplyQueued = NewRow(Row{
		Name: "queued", Code: reply.OK, Status: reply.NewStatus(0, 0), Text: "Ok: queued as {name}",
		RFC: "RFC 5321 4.2.5", When: "the message is durable: it would survive a power cut",
		Advice: "Forget the message: Weir delivers it or says that it could not. Keep the name in your log; `weir queue` knows it.",
	})
	ReplyChunk = NewRow(Row{
		Name: "chunk-ok", Code: reply.OK, Status: reply.NewStatus(0, 0), Text: "{octets} octets received",
		RFC: "RFC 3030 2", When: "a BDAT chunk that is not the last has arrived",
		Advice: "Send the next chunk, the last one with LAST.",
	})
	ReplyReset = NewRow(Row{
		Name: "rset-ok", Code: reply.OK, Status: reply.NewStatus(0, 0), Text: "Ok",
		RFC: "RFC 5321 4.1.1.5", When: "RSET",
		Advice: "Go on: there is no transaction any more.",
	})
	ReplyNoop = NewRow(Row{
		Name: "noop-ok", Code: reply.OK, Status: reply.NewStatus(0, 0), Text: "Ok",
		RFC: "RFC 5321 4.1.1.9", When: "NOOP",
		Advice: "Go on: nothing has changed.",
	})
	ReplyBye = NewRow(Row{
		Name: "quit-ok", Code: reply.ServiceClosing, Status: reply.NewStatus(0, 0), Text: "{host} closing channel",
		RFC: "RFC 5321 4.1.1.10", When: "QUIT",
		Advice: "Close the connection.",
	})
	ReplyHelp = NewRow(Row{
		Name: "help", Code: reply.HelpMessage, Status: reply.NewStatus(0, 0), Text: "Commands: {commands}",
		RFC: "RFC 5321 4.1.1.8", When: "HELP",
		Advice: "Go on: nothing has changed.",
	})
	ReplyVerify = NewRow(Row{
		Name: "vrfy", Code: reply.CannotVerify, Status: reply.NewStatus(5, 0), Text: "Cannot verify, but will take the message and try to deliver it",
		RFC: "RFC 5321 3.5.3", When: "VRFY: addresses are not told to those who ask",
		Advice: "Go on. Whether an address is taken is told by RCPT.",
	})
	ReplyTLSReady = NewRow(Row{
		Name: "starttls-go", Code: reply.ServiceReady, Status: reply.NewStatus(0, 0), Text: "Ready to start TLS",
		RFC: "RFC 3207 4", When: "STARTTLS is taken",
		Advice: "Begin the TLS handshake, and send EHLO again when it is done.",
	})
	ReplyAuthChallenge = NewRow(Row{
		Name: "auth-challenge", Code: reply.AuthChallenge, Text: "{challenge}",
		RFC: "RFC 4954 4", When: "the next step of AUTH is the client's; the text is the server's challenge in base64, which may be empty",
		Advice: "Send the response in base64, or an asterisk to give up.",
	})
	ReplyAuthOK = NewRow(Row{
		Name: "auth-ok", Code: reply.AuthSucceeded, Status: reply.NewStatus(7, 0), Text: "Authentication successful",
		RFC: "RFC 4954 6", When: "the client has shown who it is",
		Advice: "Go on. What is offered may have changed: the answer to EHLO tells.",
	})

	ReplyShutdown = NewRow(Row{
		Name: "shutdown", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(3, 2), Text: "{host} Service shutting down, closing channel; reason=shutdown",
		Reason: "shutdown", RFC: "RFC 5321 3.8", When: "the server is stopping, to every session that has no transaction in progress",
		Advice: "Nobody has to act. Connect again at once, to the next host of the domain where there is one; the message stays in your queue.",
	})
	ReplyIdle = NewRow(Row{
		Name: "idle", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(4, 2), Text: "{host} Timeout, closing channel; reason=idle",
		Reason: "idle", RFC: "RFC 5321 4.5.3.2.7", When: "no command, or no more of the message, arrived in time",
		Advice: "Connect again and send the message. Where it happens often, the sender's administrator looks for a program that keeps connections open without a need, or for a firewall that swallows packets.",
	})
	ReplySlow = NewRow(Row{
		Name: "slow", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(4, 2), Text: "{host} Timeout, closing channel; reason=slow",
		Reason: "slow", RFC: "RFC 5321 4.5.3.2.5", When: "the message does arrive, but less than 16 KiB of it in the time that it has for them",
		Advice: "Connect again later. Where it happens often, the sender's administrator looks at the network between the two hosts: such a speed is a fault of the path, or meant to hold the connection.",
	})
	ReplyTooManyErrors = NewRow(Row{
		Name: "too-many-errors", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(7, 0), Text: "{host} Too many errors, closing channel; reason=too-many-errors",
		Reason: "too-many-errors", RFC: "RFC 5321 4.2.2", When: "a session made more errors than the limit",
		Advice: "Do not try again unchanged: the replies before this one say what is wrong. The developer or the administrator of the client mends that first.",
	})
	ReplyTooManyCommands = NewRow(Row{
		Name: "too-many-commands", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(7, 0), Text: "{host} More than {limit} commands without mail, closing channel; reason=session-limit",
		Reason: "session-limit", RFC: "RFC 5321 7.8", When: "a session gave more commands that bring no message nearer than the limit",
		Advice: "Connect again for the next message. The developer of the client sends no commands without a need: NOOP, RSET and the like.",
	})
	ReplyEndlessLine = NewRow(Row{
		Name: "endless-line", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(5, 2), Text: "{host} Command line without an end, closing channel; reason=syntax",
		Reason: "syntax", RFC: "RFC 5321 4.5.3.1.4", When: "a line is so long that it is not even read to its end to be refused",
		Advice: "Do not try again: whatever sends this does not speak SMTP, or has lost its place. Its developer acts.",
	})
	ReplyEndlessContent = NewRow(Row{
		Name: "endless-content", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(3, 4), Text: "{host} Far more than the {limit} octets of a message, closing channel; reason=message-too-large",
		Reason: "message-too-large", RFC: "RFC 5321 7.8", When: "so much of a message that will not be taken is sent or announced that it is not even read to its end to be refused",
		Advice: "Do not send this message again as it is: it is over the limit that the answer to EHLO tells with SIZE. The sender makes it smaller, or sends a link.",
	})
	ReplyChunkLost = NewRow(Row{
		Name: "chunk-lost", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(5, 4), Text: "{host} Nobody can tell where the chunk of this BDAT ends: {problem}; closing channel; reason=syntax",
		Reason: "syntax", RFC: "RFC 3030 2", When: "BDAT cannot be read: what follows may be content or commands, and is neither",
		Advice: "Do not try again unchanged: the client sends a BDAT that cannot be read. Its developer acts; DATA is a way around it.",
	})
	ReplyBehindData = NewRow(Row{
		Name: "input-behind-data", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(5, 1), Text: "{host} Input was sent behind a DATA that is refused, closing channel; reason=bad-sequence",
		Reason: "bad-sequence", RFC: "RFC 2920 3.1", When: "DATA is refused and the client has not waited for the answer: its message must not be run as commands",
		Advice: "Connect again and wait for the answer to DATA before sending the message. The developer of the client acts.",
	})
	ReplyInputBehindLF = NewRow(Row{
		Name: "input-behind-bare-lf", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(5, 2), Text: "{host} Command line ended by LF alone with more behind it, closing channel; reason=syntax",
		Reason: "syntax", RFC: "RFC 5321 2.3.8", When: "a command line ends in LF without CR, and the same write has more: that is one line, and is not run as several",
		Advice: "The client's developer ends each line with CR and LF, and lets no line end into an address or a name.",
	})
	ReplyNotSMTP = NewRow(Row{
		Name: "not-smtp", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(5, 1), Text: "{host} This port speaks SMTP, not {protocol}, closing channel; reason=unsupported-command",
		Reason: "unsupported-command", RFC: "RFC 5321 7.8", When: "a client speaks HTTP, or begins with TLS where STARTTLS is meant",
		Advice: "Do not try again. Speak SMTP here and begin TLS with STARTTLS; the port for TLS from the start is another one, mostly 465.",
	})
	ReplyNotTLS = NewRow(Row{
		Name: "not-tls", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(5, 1), Text: "{host} This port begins with TLS, closing channel; reason=tls-required",
		Reason: "tls-required", RFC: "RFC 8314 3.3", When: "a client speaks plain text on a port that begins with TLS; the reply is in plain text",
		Advice: "Do not try again like this. Set the client to TLS from the first byte, which programs call SSL/TLS, or use the port for STARTTLS, mostly 587.",
	})
	ReplyTooManyTransactions = NewRow(Row{
		Name: "session-limit", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(5, 0), Text: "{host} Limit of {limit} messages in a connection reached, closing channel; reason=session-limit",
		Reason: "session-limit", RFC: "RFC 5321 4.2.2", When: "MAIL after as many transactions as the limit allows in a connection",
		Advice: "Connect again at once for the messages that are left. Nobody is at fault.",
	})
	ReplyPlaintextBehindTLS = NewRow(Row{
		Name: "plaintext-behind-starttls", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(7, 0), Text: "{host} Plain text was sent behind STARTTLS, closing channel; reason=bad-sequence",
		Reason: "bad-sequence", RFC: "RFC 3207 4.2", When: "there is more input behind the STARTTLS command, which may be an attack",
		Advice: "Connect again and send nothing behind STARTTLS before the handshake is done. Where your client is not at fault somebody on the way has put commands in: look at the network.",
	})
	ReplyPanic = NewRow(Row{
		Name: "internal-fault", Code: reply.ServiceNotAvailable, Status: reply.NewStatus(3, 0), Text: "{host} Internal error, closing channel; reason=local-error",
		Reason: "local-error", RFC: "RFC 5321 3.8", When: "the session met a fault in the server itself",
		Advice: "Try again later: the message stays in your queue. Weir's administrator finds the fault in the log, by the session.",
	})
	ReplySessionFault = NewRow(Row{
		Name: "session-fault", Code: reply.LocalError, Status: reply.NewStatus(3, 0), Text: "Local error, try again later; reason=local-error",
		Reason: "local-error", RFC: "RFC 5321 4.2.2", When: "a command failed for a reason of the server's own",
		Advice: "Try again later: the message stays in your queue. Weir's administrator finds the fault in the log, by the session.",
	})
	ReplyAuthUnavailable = NewRow(Row{
		Name: "auth-unavailable", Code: reply.TLSNotAvailable, Status: reply.NewStatus(7, 0),
		Text:   "Authentication is not possible for now, try again later; reason=local-error",
		Reason: "local-error", RFC: "RFC 4954 6", When: "AUTH failed for a reason of the server's own, such as users that cannot be looked up",
		Advice: "Try again later: name and password may be right. Weir's administrator finds in the log what could not be asked.",
	})
	ReplyClientGone = NewRow(Row{
		Name: "client-gone", Code: reply.LocalError, Status: reply.NewStatus(4, 2),
		Text:   "Message not accepted, the connection was closed before; reason=client-gone",
		Reason: "client-gone", RFC: "RFC 5321 4.1.1.4",
		When:   "the client closed its side of the connection, with nothing behind the end of data, before the message was taken",
		Advice: "Try again: the message was not taken. A client that wants its replies keeps the connection open for them.",
	})
	ReplyTooManyRecipients = NewRow(Row{
		Name: "too-many-rcpt", Code: reply.InsufficientStorage, Status: reply.NewStatus(5, 3), Text: "Too many recipients in this transaction, limit {limit}; send the rest in another; reason=too-many-rcpt",
		Reason: "too-many-rcpt", RFC: "RFC 5321 4.5.3.1.10", When: "RCPT beyond the limit of recipients",
		Advice: "Send the message to those who were taken, and begin another transaction with the rest, at once.",
	})

	ReplyUnknownCommand = NewRow(Row{
		Name: "unknown-command", Code: reply.CommandUnrecognized, Status: reply.NewStatus(5, 1), Text: "Command not recognized; reason=unsupported-command",
		Reason: "unsupported-command", RFC: "RFC 5321 4.2.4", When: "the first word is no command that there is",
		Advice: "Do not repeat the command. The answers to EHLO and HELP list what there is; the developer of the client acts.",
	})
	ReplyLineTooLong = NewRow(Row{
		Name: "line-too-long", Code: reply.CommandUnrecognized, Status: reply.NewStatus(5, 2), Text: "Line too long, limit {limit} octets; reason=syntax",
		Reason: "syntax", RFC: "RFC 5321 4.5.3.1.4", When: "a command line is longer than allowed",
		Advice: "Do not repeat the command: it is longer than the protocol allows. The developer of the client acts, or the sender where an address is that long.",
	})
	ReplyBareNewlineCommand = NewRow(Row{
		Name: "bare-newline-command", Code: reply.CommandUnrecognized, Status: reply.NewStatus(5, 2), Text: "Command line has a bare CR or LF, lines end with CRLF; reason=syntax",
		Reason: "syntax", RFC: "RFC 5321 2.3.8", When: "a command line is not ended by CRLF, or has a CR inside",
		Advice: "Do not repeat the command: end each line with CR and LF. The developer of the client acts; Weir's administrator may set [smtp] bare_newline where the client cannot be mended.",
	})
	ReplyControlInCommand = NewRow(Row{
		Name: "control-in-command", Code: reply.CommandUnrecognized, Status: reply.NewStatus(5, 2), Text: "Command line has a NUL or another control character; reason=syntax",
		Reason: "syntax", RFC: "RFC 5321 4.1.2", When: "a command line has a control character",
		Advice: "Do not repeat the command: control characters have no place in it. The developer of the client acts.",
	})
	ReplySyntax = NewRow(Row{
		Name: "syntax", Code: reply.SyntaxInArguments, Status: reply.NewStatus(5, 2), Text: "Syntax: {problem}; reason=syntax",
		Reason: "syntax", RFC: "RFC 5321 4.1.1", When: "the arguments of a command do not fit its grammar",
		Advice: "Do not repeat the command as it is. The text says what is wrong; the developer of the client acts.",
	})
	ReplyNoArguments = NewRow(Row{
		Name: "no-arguments", Code: reply.SyntaxInArguments, Status: reply.NewStatus(5, 4), Text: "{command} takes no argument; reason=syntax",
		Reason: "syntax", RFC: "RFC 5321 4.1.1", When: "DATA, RSET, QUIT or STARTTLS with an argument",
		Advice: "Send the command with nothing behind it. The developer of the client acts.",
	})
	ReplyHELOSyntax = NewRow(Row{
		Name: "helo-syntax", Code: reply.SyntaxInArguments, Status: reply.NewStatus(5, 4), Text: "{command} needs your host name or address literal; reason=syntax",
		Reason: "syntax", RFC: "RFC 5321 4.1.1.1", When: "EHLO, HELO or LHLO without a usable name",
		Advice: "Send the name of your host, with a domain, or its address in brackets. The administrator of the client sets it.",
	})
	ReplySenderSyntax = NewRow(Row{
		Name: "sender-syntax", Code: reply.SyntaxInArguments, Status: reply.NewStatus(1, 7), Text: "Bad reverse-path: {problem}; reason=address-syntax",
		Reason: "address-syntax", RFC: "RFC 5321 4.1.1.2", When: "the path of MAIL does not fit the grammar",
		Advice: "Correct the sender's address, and send the message again. The sender acts, or whoever set up the client.",
	})
	ReplyRecipientSyntax = NewRow(Row{
		Name: "recipient-syntax", Code: reply.SyntaxInArguments, Status: reply.NewStatus(1, 3), Text: "Bad forward-path: {problem}; reason=address-syntax",
		Reason: "address-syntax", RFC: "RFC 5321 4.1.1.3", When: "the path of RCPT does not fit the grammar",
		Advice: "Correct the recipient's address, and send the message again. The sender acts.",
	})
	ReplyParameterValue = NewRow(Row{
		Name: "parameter-value", Code: reply.SyntaxInArguments, Status: reply.NewStatus(5, 4), Text: "Bad value for parameter {parameter}: {problem}; reason=syntax",
		Reason: "syntax", RFC: "RFC 5321 4.1.1.11", When: "a parameter that is offered has a malformed value, or stands twice",
		Advice: "Correct the value, or leave the parameter out. The developer of the client acts.",
	})
	ReplyAuthBase64 = NewRow(Row{
		Name: "auth-base64", Code: reply.SyntaxInArguments, Status: reply.NewStatus(5, 2), Text: "The response of AUTH is not what was awaited, in base64; reason=syntax",
		Reason: "syntax", RFC: "RFC 4954 4", When: "an initial response or a response is not in base64, or is not empty where it has to be",
		Advice: "Do not repeat the exchange as it is. The developer of the client acts: a response is base64, and an empty initial response is \"=\".",
	})
	ReplyAuthCancelled = NewRow(Row{
		Name: "auth-cancelled", Code: reply.SyntaxInArguments, Status: reply.NewStatus(7, 0), Text: "Authentication cancelled; reason=auth-cancelled",
		Reason: "auth-cancelled", RFC: "RFC 4954 4", When: "the client answered a challenge with an asterisk",
		Advice: "Go on: you gave up the exchange yourself. Nothing has changed.",
	})
	ReplyAuthLineTooLong = NewRow(Row{
		Name: "auth-line-too-long", Code: reply.CommandUnrecognized, Status: reply.NewStatus(5, 6), Text: "Line of AUTH too long, limit 12288 octets; reason=syntax",
		Reason: "syntax", RFC: "RFC 4954 4", When: "a response of AUTH is longer than allowed",
		Advice: "Do not repeat the exchange as it is: the token or the ticket is larger than the protocol allows. The administrator of the accounts makes it smaller.",
	})
	ReplyUnsupportedMechanism = NewRow(Row{
		Name: "unsupported-mechanism", Code: reply.ParameterNotImplemented, Status: reply.NewStatus(5, 4), Text: "AUTH mechanism {mechanism} is not available; {advice}; reason=auth-mechanism",
		Reason: "auth-mechanism", RFC: "RFC 4954 4", When: "AUTH names a mechanism that is not offered here and now",
		Advice: "Use a mechanism that the text or the answer to EHLO names, after STARTTLS where the text says so. Do not try this one again; the session goes on as before.",
	})
	ReplyAuthFailed = NewRow(Row{
		Name: "auth-failed", Code: reply.AuthInvalid, Status: reply.NewStatus(7, 8), Text: "Authentication failed: the name, the password or the token is not right; reason=auth-failed",
		Reason: "auth-failed", RFC: "RFC 4954 6", When: "the client has not shown who it is; which part was wrong is not told",
		Advice: "Do not try again unchanged, which may lock the account. Whoever has the account corrects name and password, or gets a new token.",
	})
	ReplyUnsupportedParameter = NewRow(Row{
		Name: "unsupported-parameter", Code: reply.ParameterNotImplemented, Status: reply.NewStatus(5, 4), Text: "Parameter {parameter} is not implemented; {advice}; reason=unsupported-parameter",
		Reason: "unsupported-parameter", RFC: "RFC 5321 4.1.1.11", When: "MAIL or RCPT has a parameter that is not offered here and now",
		Advice: "Send the command again in the same session without the parameter, where the message allows it, and use only what the answer to EHLO lists. Not to be tried again unchanged; the transaction is as it was before.",
	})
	ReplyUnrecognizedParameter = NewRow(Row{
		Name: "unrecognized-parameter", Code: reply.ParametersUnrecognized, Status: reply.NewStatus(5, 4), Text: "Parameter {parameter} is not recognized; {advice}; reason=unsupported-parameter",
		Reason: "unsupported-parameter", RFC: "RFC 5321 4.1.1.11", When: "the same, where unrecognized_parameter is set to 555",
		Advice: "The client uses what the reply lists, and sends the command again without the rest.",
	})
	ReplyUnsupportedValue = NewRow(Row{
		Name: "unsupported-value", Code: reply.ParameterNotImplemented, Status: reply.NewStatus(5, 4), Text: "This value of parameter {parameter} is not implemented; offered here: {values}; reason=unsupported-parameter",
		Reason: "unsupported-parameter", RFC: "RFC 5321 4.1.1.11", When: "a parameter that is offered has a value that is not",
		Advice: "The client uses what the reply lists, and sends the command again without the rest.",
	})
	ReplyUnrecognizedValue = NewRow(Row{
		Name: "unrecognized-value", Code: reply.ParametersUnrecognized, Status: reply.NewStatus(5, 4), Text: "This value of parameter {parameter} is not recognized; offered here: {values}; reason=unsupported-parameter",
		Reason: "unsupported-parameter", RFC: "RFC 5321 4.1.1.11", When: "the same, where unrecognized_parameter is set to 555",
		Advice: "The client uses what the reply lists, and sends the command again without the rest.",
	})
	ReplyNotImplemented = NewRow(Row{
		Name: "not-implemented", Code: reply.CommandNotImplemented, Status: reply.NewStatus(5, 1), Text: "{command} is not implemented; reason=unsupported-command",
		Reason: "unsupported-command", RFC: "RFC 5321 4.2.4", When: "a known command that is not offered here and now",
		Advice: "Do not repeat the command here and now: only what the answer to EHLO lists is there. After STARTTLS ask again.",
	})
	ReplyBadSequence = NewRow(Row{
		Name: "bad-sequence", Code: reply.BadSequence, Status: reply.NewStatus(5, 1), Text: "{command} out of sequence: {advice}; reason=bad-sequence",
		Reason: "bad-sequence", RFC: "RFC 5321 4.1.4", When: "a command comes at a time when it has no meaning",
		Advice: "Do what the text says, and look at the reply before this one: mostly it refused what this command builds on.",
	})
	ReplyNoRecipients = NewRow(Row{
		Name: "no-recipients", Code: reply.TransactionFailed, Status: reply.NewStatus(5, 1), Text: "No valid recipients; reason=bad-sequence",
		Reason: "bad-sequence", RFC: "RFC 5321 3.3", When: "DATA or BDAT where each RCPT of the transaction was refused",
		Advice: "Send RSET. The replies to RCPT say what became of each recipient and whether to try again; this one says only that nobody is left.",
	})
	ReplyTooLarge = NewRow(Row{
		Name: "too-large", Code: reply.StorageExceeded, Status: reply.NewStatus(3, 4), Text: "Message too large, limit {limit} octets; reason=message-too-large",
		Reason: "message-too-large", RFC: "RFC 1870 6.2", When: "the declared or the real size is over the limit",
		Advice: "Do not send this message again as it is. The sender makes it smaller, or sends a link; the limit is the one that EHLO tells with SIZE.",
	})
	ReplyBareNewlineContent = NewRow(Row{
		Name: "bare-newline-content", Code: reply.TransactionFailed, Status: reply.NewStatus(6, 0), Text: "Message has a bare CR or LF, lines end with CRLF; reason=content-malformed",
		Reason: "content-malformed", RFC: "RFC 5321 2.3.8", When: "the content has a CR or an LF that is not part of CRLF; the message is not taken",
		Advice: "Do not send this message again as it is: the program that made it ends lines with a lone LF or CR. Its developer acts; Weir's administrator may set [smtp] bare_newline where it cannot be mended.",
	})
	ReplyNULContent = NewRow(Row{
		Name: "nul-content", Code: reply.TransactionFailed, Status: reply.NewStatus(6, 0), Text: "Message has a NUL octet, which only BODY=BINARYMIME may; reason=content-malformed",
		Reason: "content-malformed", RFC: "RFC 5321 4.5.2", When: "the content has an octet of value zero and was not declared to be binary; the message is not taken",
		Advice: "Do not send this message again as it is: encode the content, or declare it with BODY=BINARYMIME. The developer of the program that made it acts.",
	})
	ReplyNeedsUTF8 = NewRow(Row{
		Name: "needs-smtputf8", Code: reply.MailboxNameNotAllowed, Status: reply.NewStatus(6, 7), Text: "Non-ASCII address needs the SMTPUTF8 parameter of MAIL; reason=address-syntax",
		Reason: "address-syntax", RFC: "RFC 6531 3.5", When: "an address has characters beyond ASCII and the transaction did not ask for SMTPUTF8",
		Advice: "Send MAIL again with SMTPUTF8, where your client and the message are fit for it. Otherwise the sender uses an address of ASCII characters.",
	})
)

// Replies returns every row of the protocol's table, in the order of their
// codes as far as the eye needs it.
func Replies() []*Row {
	return []*Row{
		ReplyGreeting, ReplyGreetingLMTP, ReplyHELO, ReplyEHLO, ReplyMailOK, ReplyRcptOK, ReplyStartInput, ReplyQueued,
		ReplyChunk, ReplyReset, ReplyNoop, ReplyBye, ReplyHelp, ReplyVerify, ReplyTLSReady,
		ReplyAuthChallenge, ReplyAuthOK, ReplyAuthUnavailable, ReplyAuthBase64, ReplyAuthCancelled, ReplyAuthLineTooLong,
		ReplyUnsupportedMechanism, ReplyAuthFailed,
		ReplyUnrecognizedParameter, ReplyUnsupportedValue, ReplyUnrecognizedValue,
		ReplyShutdown, ReplyIdle, ReplySlow, ReplyTooManyErrors, ReplyTooManyCommands, ReplyTooManyTransactions,
		ReplyEndlessLine, ReplyEndlessContent, ReplyChunkLost, ReplyBehindData, ReplyInputBehindLF, ReplyNotSMTP, ReplyNotTLS, ReplyPlaintextBehindTLS, ReplyPanic,
		ReplySessionFault, ReplyClientGone, ReplyTooManyRecipients,
		ReplyUnknownCommand, ReplyLineTooLong, ReplyBareNewlineCommand, ReplyControlInCommand, ReplySyntax, ReplyNoArguments,
		ReplyHELOSyntax, ReplySenderSyntax, ReplyRecipientSyntax, ReplyParameterValue, ReplyNotImplemented, ReplyBadSequence,
		ReplyUnsupportedParameter, ReplyNoRecipients, ReplyTooLarge, ReplyBareNewlineContent, ReplyNULContent, ReplyNeedsUTF8,
	}
}
