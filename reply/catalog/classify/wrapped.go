package classify

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/weirmail/weir/reply"
)

// phpmailer reads "Detail: … SMTP code: 550 Additional SMTP info: 5.7.1".
func (in *Input) phpmailer(s string) bool {
	before, after, ok := strings.Cut(s, "SMTP code: ")
	if !ok || len(after) < 3 || !isCode(after[:3]) {
		return false
	}
	in.setCode(after[:3])
	if _, info, ok := strings.Cut(after, "Additional SMTP info: "); ok {
		in.Enhanced, _, _ = leadingEnhanced(info)
	}
	if _, detail, ok := strings.Cut(before, "Detail: "); ok {
		before = detail
	}
	in.Text = unwrapped(before)
	return true
}

// dotNetWords are what System.Net.Mail says in the place of a code.
var dotNetWords = []struct {
	text string
	code reply.Code
}{
	{"service not available", 421},
	{"insufficient system storage", 452},
	{"error in processing", 451},
	{"mailbox name not allowed", 553},
	{"exceeded storage allocation", 552},
	{"transaction failed", 554},
	{"bad sequence of commands", 503},
	{"command parameter not implemented", 504},
	{"command not implemented", 502},
	{"command unrecognized", 500},
	{"requires a secure connection", 530},
	{"user not local", 551},
	{"mailbox unavailable", 550},
	{"syntax error in command arguments", 501},
	{"client does not have permission", 454},
}

// dotNet reads "Mailbox unavailable. The server response was: 5.7.1 …".
func (in *Input) dotNet(s string) bool {
	before, after, ok := strings.Cut(s, "server response was: ")
	if !ok {
		return false
	}
	before = strings.ToLower(before)
	for _, w := range dotNetWords {
		if strings.Contains(before, w.text) {
			in.Code = w.code
			break
		}
	}
	after = strings.TrimSpace(after)
	switch {
	case leadingCode(after) != "":
		in.setCode(after)
		after = after[3:]
	case in.Code == 0:
		return false
	}
	in.setText(after)
	return true
}

// keyed reads logs of the form "response.code=421 … response.content="…"" and
// "code = 550, … details = "…"".
func (in *Input) keyed(s string) bool {
	code := valueOf(s, "response.code=", "response_code=", "smtp.code = ", "code = ")
	text := valueOf(s, "response.content=", "response=\"", "smtp.details = ", "details = ", "reason = ")
	if len(code) != 3 || !isCode(code) || text == "" {
		return false
	}
	in.setCode(code)
	in.setText(text)
	if e, _, ok := leadingEnhanced(valueOf(s, "response.enhanced_code=", "esc = ", "smtp.esc = ")); ok {
		in.Enhanced = e
	}
	return true
}

// valueOf returns the value behind the first of the keys that is there.
func valueOf(s string, keys ...string) string {
	for _, k := range keys {
		_, v, ok := strings.Cut(s, k)
		if !ok {
			continue
		}
		v, quoted := strings.CutPrefix(v, "\"")
		if quoted || strings.HasSuffix(k, "\"") {
			v, _, _ = strings.Cut(v, "\"")
			return v
		}
		if end := strings.IndexAny(v, " ,;)\t"); end >= 0 {
			v = v[:end]
		}
		return v
	}
	return ""
}

// kumoRecord is a line of KumoMTA's log, and of Weir's in JSON.
type kumoRecord struct {
	Recipient any `json:"recipient"`
	Response  *struct {
		Code     int    `json:"code"`
		Content  string `json:"content"`
		Command  string `json:"command"`
		Enhanced any    `json:"enhanced_code"`
	} `json:"response"`
	Peer struct {
		Name string `json:"name"`
	} `json:"peer_address"`
	Stage string `json:"stage"`
}

// fromJSON reads a line of a log in JSON that has a response with a code.
func fromJSON(s string) (in Input, ok bool) {
	if at := strings.IndexByte(s, '{'); at < 0 || !strings.Contains(s, `"response"`) {
		return in, false
	} else {
		s = s[at:]
	}
	var r kumoRecord
	if json.NewDecoder(strings.NewReader(s)).Decode(&r) != nil || r.Response == nil || r.Response.Code < 200 || r.Response.Code > 599 {
		return in, false
	}
	in = Input{Wrapper: "kumomta", Host: strings.ToLower(strings.TrimSuffix(r.Peer.Name, "."))}
	in.Recipient, _ = r.Recipient.(string)
	in.Code = reply.Code(r.Response.Code)
	in.setText(r.Response.Content)
	in.Enhanced = enhancedOf(r.Response.Enhanced, in.Enhanced)
	in.Stage = stageOfCommand(r.Response.Command)
	if s, ok := parseStage(r.Stage); ok {
		in.Stage = s
	}
	return in, true
}

func enhancedOf(v any, otherwise reply.Enhanced) reply.Enhanced {
	switch v := v.(type) {
	case string:
		if e, _, ok := leadingEnhanced(v); ok {
			return e
		}
	case map[string]any:
		var s []byte
		for _, key := range []string{"class", "subject", "detail"} {
			n, _ := v[key].(float64)
			s = strconv.AppendInt(append(s, '.'), int64(n), 10)
		}
		if e, _, ok := leadingEnhanced(string(s[1:])); ok {
			return e
		}
	}
	return otherwise
}

func stageOfCommand(command string) Stage {
	verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(command)), " ")
	switch strings.TrimRight(verb, "\r\n") {
	case "EHLO", "HELO", "LHLO":
		return StageEHLO
	case "STARTTLS":
		return StageSTARTTLS
	case "AUTH":
		return StageAUTH
	case "MAIL":
		return StageMAIL
	case "RCPT":
		return StageRCPT
	case "DATA":
		return StageDATA
	case ".", "BDAT":
		return StageContent
	case "RSET", "NOOP", "QUIT":
		return StageIdle
	}
	return StageUnknown
}

// otherRefused finds the further recipients in an exception of smtplib, which
// holds all that were refused: {'a@b': (550, b'…'), 'c@d': (450, b'…')}.
func otherRefused(record string, first Input) []Input {
	var more []Input
	_, rest, _ := strings.Cut(record, "{")
	for i := 0; ; i++ {
		at := strings.Index(rest, ": (")
		if at < 0 || i > 1000 {
			return more
		}
		address := strings.Trim(rest[strings.LastIndexAny(rest[:at], "{, ")+1:at], "'\"")
		rest = rest[at+3:]
		if len(rest) < 3 || !isCode(rest[:3]) || i == 0 {
			continue
		}
		in := Input{Stage: first.Stage, Wrapper: first.Wrapper, Recipient: address}
		in.setCode(rest[:3])
		text := rest[3:]
		if end := strings.Index(text, "'), "); end >= 0 {
			text = text[:end]
		}
		in.setText(text)
		more = append(more, in)
	}
}
