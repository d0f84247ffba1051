package classify

import "strings"

// A stageHint is a piece of a log or of an exception that tells the stage.
type stageHint struct {
	text  string
	stage Stage
}

// stageHints are looked for in lower case, the first that is there counts.
var stageHints = []stageHint{
	{"in reply to rcpt to", StageRCPT},
	{"in reply to mail from", StageMAIL},
	{"in reply to end of data", StageContent},
	{"in reply to data", StageDATA},
	{"in reply to ehlo", StageEHLO},
	{"in reply to helo", StageEHLO},
	{"in reply to lhlo", StageEHLO},
	{"in reply to starttls", StageSTARTTLS},
	{"in reply to auth", StageAUTH},
	{"in reply to bdat", StageContent},
	{"refused to talk to me", StageConnect},
	{"after rcpt to", StageRCPT},
	{"after pipelined rcpt", StageRCPT},
	{"after mail from", StageMAIL},
	{"after pipelined mail", StageMAIL},
	{"after end of data", StageContent},
	{"after data", StageDATA},
	{"after pipelined data", StageDATA},
	{"after initial connection", StageConnect},
	{"after ehlo", StageEHLO},
	{"after helo", StageEHLO},
	{"after starttls", StageSTARTTLS},
	{"after auth", StageAUTH},
	{"reject: rcpt from", StageRCPT},
	{"reject: mail from", StageMAIL},
	{"reject: connect from", StageConnect},
	{"reject: data from", StageDATA},
	{"reject: end-of-message from", StageContent},
	{"reject: ehlo from", StageEHLO},
	{"reject: helo from", StageEHLO},
	{"reject: vrfy from", StageRCPT},
	{"smtprecipientsrefused", StageRCPT},
	{"smtpsenderrefused", StageMAIL},
	{"smtpdataerror", StageContent},
	{"smtpauthenticationerror", StageAUTH},
	{"smtpconnecterror", StageConnect},
	{"smtpheloerror", StageEHLO},
	{"authenticationfailedexception", StageAUTH},
	{"smtpaddressfailedexception", StageRCPT},
	{"smtpsenderfailedexception", StageMAIL},
	{"smtprecipientrefused", StageRCPT},
	{"invalid login", StageAUTH},
	{"eauth", StageAUTH},
	{"mail command failed", StageMAIL},
	{"data command failed", StageDATA},
	{"message failed", StageContent},
	{"all recipients were rejected", StageRCPT},
	{"invalid greeting", StageConnect},
	{"auth command failed", StageAUTH},
	{"mail from command failed", StageMAIL},
	{"rcpt to command failed", StageRCPT},
	{"data end command failed", StageContent},
	{"data not accepted", StageContent},
	{"ehlo command failed", StageEHLO},
	{"starttls command failed", StageSTARTTLS},
	{"could not authenticate", StageAUTH},
	{"failed to authenticate", StageAUTH},
	{"error while authenticating", StageAUTH},
	{"authentication error", StageAUTH},
	{">>> rcpt", StageRCPT},
	{">>> mail", StageMAIL},
	{">>> data", StageDATA},
	{">>> auth", StageAUTH},
	{">>> ehlo", StageEHLO},
	{"does not like recipient", StageRCPT},
	{"sender was rejected", StageMAIL},
	{"failed on rcpt to", StageRCPT},
	{"failed on mail from", StageMAIL},
	{"failed after i sent the message", StageContent},
	{"rcpt to:<", StageRCPT},
	{"mail from:<", StageMAIL},
}

// wrapperHints tell what a reply was found in.
var wrapperHints = []struct{ text, name string }{
	{"postfix/", "postfix"},
	{"status=deferred (", "postfix"},
	{"status=bounced (", "postfix"},
	{"status=sent (", "postfix"},
	{"(in reply to", "postfix"},
	{"noqueue: reject", "postfix"},
	{"smtp error from remote mail", "exim"},
	{"lmtp error from remote", "exim"},
	{" t=remote_smtp", "exim"},
	{"result=\"", "opensmtpd"},
	{"smtpd[", "opensmtpd"},
	{", stat=", "sendmail"},
	{"sendmail[", "sendmail"},
	{"sm-mta", "sendmail"},
	{"{led=", "exchange"},
	{"[{msg=", "exchange"},
	{"remote server returned '", "exchange"},
	{"kumo", "kumomta"},
	{"[haraka", "haraka"},
	{"stalwart", "stalwart"},
	{"(delivery.", "stalwart"},
	{"response.content=", "weir"},
	{"num_attempts", "weir"},
	{"smtprecipientsrefused", "smtplib"},
	{"smtplib", "smtplib"},
	{"smtpsenderrefused", "smtplib"},
	{"smtpdataerror", "smtplib"},
	{"aiosmtplib", "aiosmtplib"},
	{"responsecode:", "nodemailer"},
	{"smtpconnection._", "nodemailer"},
	{"javax.mail", "javamail"},
	{"com.sun.mail", "javamail"},
	{"jakarta.mail", "javamail"},
	{"phpmailer", "phpmailer"},
	{"smtp code:", "phpmailer"},
	{"server response was:", "dotnet"},
	{"system.net.mail", "dotnet"},
	{"net::smtp", "net-smtp"},
	{"lettre", "lettre"},
	{"remote host said:", "qmail"},
}

// addHints notes what the text around a reply tells of it.
func (in *Input) addHints(record string) {
	if leadingCode(record) != "" && !strings.Contains(record, "in reply to") {
		return // a bare reply
	}
	lower := strings.ToLower(record)
	for i := range stageHints {
		if strings.Contains(lower, stageHints[i].text) {
			in.Stage = stageHints[i].stage
			break
		}
	}
	for i := range wrapperHints {
		if strings.Contains(lower, wrapperHints[i].text) {
			in.Wrapper = wrapperHints[i].name
			break
		}
	}
	if s, ok := parseStage(valueOf(lower, "stage=", `"stage":"`)); ok && in.Stage == StageUnknown {
		in.Stage = s
	}
	in.Host = firstName(lower, "host ", "host=", `"host":"`, "h=", "relay=", "fqdn=", "connect to ", "while talking to ", "remote server at ", "remote-mta: dns; ", "remote-mta: dns;", "hostname = \"")
	in.Recipient = firstAddress(lower, "to=<", "rcpt to:<", "recipient=", `"recipient":"`, "final-recipient: rfc822; ", "final-recipient: rfc822;", "for <", "to: <")
}

// firstName returns the host name behind the first of the marks that has one.
func firstName(lower string, marks ...string) string {
	for _, m := range marks {
		for rest := lower; ; {
			var found bool
			if _, rest, found = strings.Cut(rest, m); !found {
				break
			}
			end := 0
			for end < len(rest) && (isWord(rest[end]) || rest[end] == '.' || rest[end] == '-') {
				end++
			}
			name := strings.TrimRight(rest[:end], ".")
			if dot := strings.LastIndexByte(name, '.'); dot > 0 && dot+1 < len(name) && !isDigit(name[dot+1]) {
				return name
			}
		}
	}
	return ""
}

// firstAddress returns the address behind the first of the marks that has one.
func firstAddress(lower string, marks ...string) string {
	for _, m := range marks {
		_, rest, found := strings.Cut(lower, m)
		if !found {
			continue
		}
		if end := strings.IndexAny(rest, "> ,;\"\n"); end >= 0 {
			rest = rest[:end]
		}
		if strings.IndexByte(rest, '@') > 0 && len(rest) < 320 {
			return rest
		}
	}
	return ""
}
