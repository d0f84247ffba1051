package verdict

import (
	"strings"
	"testing"

	"github.com/weirmail/weir/smtp"
)

func params(texts ...string) []smtp.Param {
	var ps []smtp.Param
	for _, t := range texts {
		keyword, value, has := strings.Cut(t, "=")
		ps = append(ps, smtp.Param{Keyword: keyword, Value: value, HasValue: has})
	}
	return ps
}

// TestRefusedParameters has what servers say of parameters (good) and what only looks
// like it (bad).
func TestRefusedParameters(t *testing.T) {
	mail := params("SIZE=120", "BODY=8BITMIME", "SMTPUTF8", "RET=HDRS", "ENVID=x", "BY=60;N", "MT-PRIORITY=3")
	rcpt := params("NOTIFY=NEVER", "ORCPT=rfc822;b@example.net")
	for text, want := range map[string]string{
		"555 5.5.4 Unsupported option: SIZE=120":                                       "SIZE",        // Postfix
		"504 5.5.4 Unknown parameter":                                                  "?",           // Stalwart
		"555 5.5.4 parameters not recognized":                                          "?",           // Dovecot
		"555 syntax error":                                                             "?",           // aiosmtpd
		"555 5.5.2 Syntax error, cannot decode response. gsmtp":                        "?",           // Gmail
		"500 5.5.4 Unknown MAIL FROM argument":                                         "?",           // go-smtp
		"504 5.5.4 SMTPUTF8 is not implemented":                                        "SMTPUTF8",    // go-smtp
		"503 5.5.4 Invalid command arguments: Unsupported option MT-PRIORITY=3":        "MT-PRIORITY", // OpenSMTPD
		"501 5.5.4 Unrecognized parameter":                                             "?",           // Exchange
		"504 5.5.4 Parameter body is not supported here; reason=unsupported-parameter": "?",
		"504 5.5.4 8bitmime is not supported":                                          "BODY",
		"555 5.5.4 BODY=8BITMIME and SIZE=120 are not known":                           "SIZE BODY",
		"455 4.5.4 Cannot accommodate ENVID now":                                       "ENVID",
		"500 5.5.1 unrecognized BY=60;N":                                               "BY",
		"501 syntax error in parameters or arguments: RET":                             "RET",
		"504 5.5.4 RET is not known, offered here: SIZE, BODY":                         "RET",
	} {
		check(t, smtp.StageMAIL, text, mail, want)
	}
	for text, want := range map[string]string{
		"555 5.5.4 Unsupported option: NOTIFY=NEVER": "NOTIFY",
		"501 <b@example.net> NOTIFY=NEVER ORCPT=rfc822;b@example.net: malformed address: NOTIFY=NEVER may not follow <b@example.net>": "NOTIFY ORCPT", // Exim
		"501 5.5.4 orcpt not supported": "ORCPT",
		"504 5.5.4 no":                  "?",
	} {
		check(t, smtp.StageRCPT, text, rcpt, want)
	}
	for _, text := range []string{
		"504 5.5.2 <b>: Recipient address rejected: need fully-qualified address", // Postfix
		"501 5.1.3 Bad recipient address syntax",
		"501 5.1.7 Bad sender address syntax",
		"550 5.1.1 unknown user",
		"503 5.5.1 need MAIL command",
		"552 5.3.4 Message SIZE exceeds the limit",
		"553 5.6.7 SMTPUTF8 needed",
		"451 4.3.0 rejected by policy",
		"501 5.1.8 rejected by size policy, do not notify",
		"421 4.5.4 SIZE",
		"250 SIZE",
	} {
		check(t, smtp.StageRCPT, text, append(mail, rcpt...), "")
	}
	check(t, smtp.StageMAIL, "555 5.5.4 Unsupported option: SIZE", nil, "")
	check(t, smtp.StageContent, "555 5.5.4 Unsupported option: SIZE", mail, "")
}

func check(t *testing.T, stage smtp.Stage, text string, sent []smtp.Param, want string) {
	t.Helper()
	named, refused := RefusedParameter(stage, parse(t, text), sent)
	got := strings.Join(named, " ")
	if refused && got == "" {
		got = "?"
	}
	if got != want || !refused && named != nil {
		t.Errorf("%s: %q (%v), want %q", text, got, refused, want)
	}
}

func FuzzRefusedParameter(f *testing.F) {
	for _, seed := range []string{"SIZE", "size=", "BY=", "RETRET", "x-RET RET", "8BITMIME", "İSIZE=", ""} {
		f.Add(seed)
	}
	sent := params("SIZE=120", "BODY=8BITMIME", "RET=HDRS", "BY=60;N")
	f.Fuzz(func(t *testing.T, text string) {
		r := parse(t, "555 5.5.4 x")
		r.Lines = []string{text}
		named, refused := RefusedParameter(smtp.StageMAIL, r, sent)
		if !refused || len(named) > len(sent) {
			t.Errorf("%q: %q", text, named)
		}
	})
}
