package smtpserver

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/weirmail/weir/smtp"
)

// next reads one command and answers it.
func (c *Conn) next() {
	line, fault, ok := c.nextLine()
	if !ok {
		return
	}
	verb, args, ok := c.parseLine(line, fault)
	if !ok {
		return
	}
	if c.server.State() != Serving && c.tx == nil && verb != smtp.VerbQUIT {
		c.bidFarewell()
		return
	}
	if d := c.dismissal(); d != nil && verb != smtp.VerbQUIT {
		c.answer(d.row, d.args...)
		return
	}
	c.command(verb, args)
}

// parseLine takes a line apart, and answers where that cannot be done.
func (c *Conn) parseLine(line []byte, fault lineFault) (verb smtp.Verb, args []byte, ok bool) {
	if fault != lineOK {
		c.rejectLine(fault)
		return verb, nil, false
	}
	verb, args = smtp.ParseVerb(line)
	limit := lineLimit(verb)
	switch {
	case len(line)+len(crlf) > limit && isChunk(line):
		c.rejectLine(lineChunk)
	case len(line)+len(crlf) > limit:
		c.reject(ReplyLineTooLong, strconv.Itoa(limit))
	case verb == smtp.VerbUnknown && isChunk(line):
		c.rejectLine(lineChunk)
	case verb == smtp.VerbUnknown && bytes.Contains(line, []byte(" HTTP/")):
		c.answer(ReplyNotSMTP, "HTTP")
	default:
		return verb, args, true
	}
	return verb, nil, false
}

// nextLine reads a line. ok is false where there is none: the session is over
// then, or parked.
func (c *Conn) nextLine() (line []byte, fault lineFault, ok bool) {
	if c.pending != nil {
		line, c.pending = *c.pending, nil
		return line, lineOK, true
	}
	c.parked = mayPark
	line, fault, err := c.readLine()
	if c.parked == mayPark {
		c.parked = awake
	}
	if err != nil && c.parked == awake {
		c.endInput(err)
	}
	return line, fault, err == nil
}

// endInput ends the session because no input comes any more, and says why
// where there is somebody to hear it.
func (c *Conn) endInput(err error) {
	switch {
	case errors.Is(err, errStopped):
		c.bidFarewell()
	case errors.Is(err, errDismissed):
		d := c.dismissed.Load()
		c.answer(d.row, d.args...)
	case refusalOf(err) != nil:
		refusal := refusalOf(err)
		c.answer(refusal.Row, refusal.Args...)
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.answer(ReplyIdle)
	case errors.Is(err, errSlow):
		c.answer(ReplySlow)
	case errors.Is(err, errEndlessLine):
		c.answer(ReplyEndlessLine)
	case errors.Is(err, errEndlessContent):
		c.answer(ReplyEndlessContent, strconv.FormatInt(c.server.Limits.MessageSize, 10))
	}
	if !errors.Is(err, io.EOF) && c.err == nil {
		c.err = err
	}
	c.closing = true
}

func (c *Conn) rejectLine(fault lineFault) {
	switch fault {
	case lineTooLong:
		c.reject(ReplyLineTooLong, strconv.Itoa(smtp.MaxCommandLine))
	case lineAuthTooLong:
		c.reject(ReplyAuthLineTooLong)
	case lineBareLF:
		c.rejectBareLF()
	case lineBareNewline:
		c.reject(ReplyBareNewlineCommand)
	case lineChunk:
		c.answer(ReplyChunkLost, "not a well-formed command line")
	case lineTLS:
		c.answer(ReplyNotSMTP, "TLS from the start")
	default:
		c.reject(ReplyControlInCommand)
	}
}

// rejectBareLF answers a line that ends in LF alone. Somebody who types such lines
// hears of each; but what stands behind one in the same write belongs to the line (RFC
// 5321 section 2.3.8), and nobody knows where it would end: it is never run.
func (c *Conn) rejectBareLF() {
	if len(c.unread()) > 0 {
		c.answer(ReplyInputBehindLF)
		return
	}
	c.reject(ReplyBareNewlineCommand)
}

// lineLimit is the greatest length of a command line with its CRLF: what RFC
// 5321 section 4.5.3.1.4 says, and what the extensions add.
func lineLimit(verb smtp.Verb) int {
	switch verb {
	case smtp.VerbMAIL:
		return smtp.MaxCommandLine + smtp.ExtraMailSize + smtp.ExtraMailBody + smtp.ExtraMailUTF8 + smtp.ExtraMailDSN + smtp.ExtraMailAuth +
			smtp.ExtraMailRequireTLS + smtp.ExtraMailDeliverBy + smtp.ExtraMailHold + smtp.ExtraMailPriority
	case smtp.VerbRCPT:
		return smtp.MaxCommandLine + smtp.ExtraRcptDSN
	case smtp.VerbAUTH:
		return smtp.MaxAuthLine
	}
	return smtp.MaxCommandLine
}

// command runs one command.
func (c *Conn) command(verb smtp.Verb, args []byte) {
	c.stage = stageOf(verb)
	if !c.offers(verb) && !c.comesLater(verb) {
		c.reject(ReplyNotImplemented, verb.String())
		return
	}
	switch verb {
	case smtp.VerbEHLO, smtp.VerbHELO, smtp.VerbLHLO:
		c.hello(verb, args)
	case smtp.VerbMAIL:
		c.mail(args)
	case smtp.VerbRCPT:
		c.rcpt(args)
	case smtp.VerbDATA:
		c.data(args)
	case smtp.VerbBDAT:
		c.bdat(args)
	case smtp.VerbRSET:
		c.rset(args)
	case smtp.VerbNOOP:
		c.answerIdle(ReplyNoop)
	case smtp.VerbQUIT:
		c.quit(args)
	case smtp.VerbHELP:
		c.answerIdle(ReplyHelp, c.commandList())
	case smtp.VerbVRFY:
		c.vrfy(args)
	case smtp.VerbSTARTTLS:
		c.startTLS(args)
	case smtp.VerbAUTH:
		c.auth(args)
	case smtp.VerbXCLIENT:
		c.xclient(args)
	case smtp.VerbUnknown:
		c.reject(ReplyUnknownCommand)
	default:
		c.reject(ReplyNotImplemented, verb.String())
	}
}

// stageOf names the stage that a command belongs to, for those who count
// replies.
func stageOf(verb smtp.Verb) smtp.Stage {
	switch verb {
	case smtp.VerbEHLO, smtp.VerbHELO, smtp.VerbLHLO:
		return smtp.StageEHLO
	case smtp.VerbMAIL:
		return smtp.StageMAIL
	case smtp.VerbRCPT:
		return smtp.StageRCPT
	case smtp.VerbDATA:
		return smtp.StageDATA
	case smtp.VerbBDAT:
		return smtp.StageContent
	case smtp.VerbRSET:
		return smtp.StageRSET
	case smtp.VerbQUIT:
		return smtp.StageQUIT
	case smtp.VerbSTARTTLS:
		return smtp.StageSTARTTLS
	case smtp.VerbAUTH:
		return smtp.StageAUTH
	}
	return smtp.StageIdle
}

// hello handles EHLO, HELO and LHLO. Each ends a transaction as RSET does
// (RFC 5321 section 4.1.4).
func (c *Conn) hello(verb smtp.Verb, args []byte) {
	if c.server.LMTP != (verb == smtp.VerbLHLO) {
		c.reject(ReplyNotImplemented, verb.String())
		return
	}
	name, err := smtp.ParseHELOName(args)
	if err != nil {
		c.reject(ReplyHELOSyntax, verb.String())
		return
	}
	c.resetTransaction()
	c.helo, c.extended = name, verb != smtp.VerbHELO
	if greeter, ok := c.session.(Greeter); ok {
		if err := greeter.Greet(c.server.base); err != nil {
			c.helo, c.extended = "", false
			c.refuse(err)
			return
		}
	}
	if c.spend() {
		return
	}
	if !c.extended {
		c.answer(ReplyHELO)
		return
	}
	c.answerEHLO()
}

func (c *Conn) rset(args []byte) {
	if len(args) > 0 {
		c.reject(ReplyNoArguments, "RSET")
		return
	}
	c.resetTransaction()
	c.answerIdle(ReplyReset)
}

func (c *Conn) quit(args []byte) {
	if len(args) > 0 {
		c.reject(ReplyNoArguments, "QUIT")
		return
	}
	c.answer(ReplyBye)
}

func (c *Conn) vrfy(args []byte) {
	if len(bytes.TrimSpace(args)) == 0 {
		c.reject(ReplySyntax, "VRFY needs a name or an address")
		return
	}
	c.answerIdle(ReplyVerify)
}

// commandList names the commands that are there now.
func (c *Conn) commandList() string {
	hello := "EHLO HELO"
	if c.server.LMTP {
		hello = "LHLO"
	}
	list := hello + " MAIL RCPT DATA"
	for _, verb := range []smtp.Verb{smtp.VerbBDAT, smtp.VerbSTARTTLS, smtp.VerbAUTH, smtp.VerbXCLIENT} {
		if c.offers(verb) {
			list += " " + verb.String()
		}
	}
	return list + " RSET NOOP QUIT VRFY HELP"
}
