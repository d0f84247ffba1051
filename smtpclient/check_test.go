package smtpclient

import (
	"errors"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// extended is a session with every extension that the tests below use.
const extended = `S: 220 mx.example.net ESMTP
C: EHLO client.example.org
S: 250-mx.example.net
S: 250-PIPELINING
S: 250-SIZE 1000000
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250-DSN
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250 AUTH PLAIN
`

// plain is a session with a server that has no extension.
const plain = `S: 220 mx.example.net ESMTP
C: EHLO client.example.org
S: 250 mx.example.net
`

const quit = "C: QUIT\nS: 221 bye\n"

// open begins a session with a server that plays the dialogue.
func open(t *testing.T, dialogue string, o Options) (*Client, *smtptest.Server) {
	t.Helper()
	server := smtptest.NewPipeServer(t, dialogue)
	o.LocalName = "client.example.org"
	c, err := New(t.Context(), server.Dial(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c, server
}

func path(address string) smtp.Path {
	local, domain, _ := strings.Cut(address, "@")
	return smtp.Path{Local: local, Domain: domain}
}

func params(list ...string) (params []smtp.Param) {
	for _, s := range list {
		keyword, value, has := strings.Cut(s, "=")
		params = append(params, smtp.Param{Keyword: keyword, Value: value, HasValue: has})
	}
	return params
}

// TestNothingIsWritten checks that a transaction that cannot be sent is an error
// before anything is written, and that the session goes on as if it had not been.
// The first group are the ways to put a second command into the first.
func TestNothingIsWritten(t *testing.T) {
	long := strings.Repeat("x", 300)
	for name, c := range map[string]struct {
		from, to           smtp.Path
		mailParams, params []smtp.Param
		content            Content
		want               error
		stage              smtp.Stage
	}{
		"CRLF in a local part":    {to: path("b\r\nRSET@example.net"), want: ErrAddress, stage: smtp.StageRCPT},
		"LF in a local part":      {to: path("b\nRSET@example.net"), want: ErrAddress, stage: smtp.StageRCPT},
		"CR in a local part":      {to: path("b\r@example.net"), want: ErrAddress, stage: smtp.StageRCPT},
		"NUL in a local part":     {to: path("b\x00@example.net"), want: ErrAddress, stage: smtp.StageRCPT},
		"CRLF in a domain":        {to: path("b@example.net>\r\nRSET"), want: ErrAddress, stage: smtp.StageRCPT},
		"CRLF in reverse-path":    {from: path("a@example.org>\r\nRCPT TO:<x@y"), want: ErrAddress, stage: smtp.StageMAIL},
		"parameter in a domain":   {from: path("a@example.org> SIZE=1"), want: ErrAddress, stage: smtp.StageMAIL},
		"bracket in a domain":     {from: path("a@example.org>"), want: ErrAddress, stage: smtp.StageMAIL},
		"second at":               {from: path("a@b@example.org"), want: ErrAddress, stage: smtp.StageMAIL},
		"bracket, domain literal": {to: path("b@[192.0.2.1]>"), want: ErrAddress, stage: smtp.StageRCPT},
		"CRLF in a value":         {mailParams: params("ENVID=x\r\nRSET"), want: ErrParam, stage: smtp.StageMAIL},
		"space in a value":        {mailParams: params("ENVID=x SIZE"), want: ErrParam, stage: smtp.StageMAIL},
		"NUL in a value":          {mailParams: params("ENVID=\x00"), want: ErrParam, stage: smtp.StageMAIL},
		"CRLF in a keyword":       {params: params("NOTIFY\r\nRSET"), want: ErrParam, stage: smtp.StageRCPT},

		"a local part too long": {to: path(long + "@example.net"), want: ErrAddress, stage: smtp.StageRCPT},
		"a domain too long":     {to: path("b@" + long), want: ErrAddress, stage: smtp.StageRCPT},
		"a value too long":      {mailParams: params("ENVID=" + long + long), want: ErrParam, stage: smtp.StageMAIL},
		"no keyword":            {mailParams: params("=x"), want: ErrParam, stage: smtp.StageMAIL},
		"an empty value":        {mailParams: params("ENVID="), want: ErrParam, stage: smtp.StageMAIL},
		"the null path":         {to: path("@"), want: ErrAddress, stage: smtp.StageRCPT},
		"no domain":             {to: path("b"), want: ErrAddress, stage: smtp.StageRCPT},

		"UTF-8 without SMTPUTF8":   {from: path("jörg@example.org"), want: ErrNotOffered, stage: smtp.StageMAIL},
		"an unknown extension":     {mailParams: params("XYZZY=1"), want: ErrNotOffered, stage: smtp.StageMAIL},
		"REQUIRETLS":               {mailParams: params("REQUIRETLS"), want: ErrNotOffered, stage: smtp.StageMAIL},
		"BY without DELIVERBY":     {mailParams: params("BY=1;R"), want: ErrNotOffered, stage: smtp.StageMAIL},
		"binary that does not say": {content: Content{Binary: true}, want: ErrParam, stage: smtp.StageMAIL},
		"a negative size":          {content: Content{Size: -1}, want: ErrContent, stage: smtp.StageContent},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := open(t, extended+quit, Options{})
			if c.to == (smtp.Path{}) && name != "the null path" {
				c.to = path("b@example.net")
			}
			_, err := client.Send(t.Context(), &Transaction{
				ReversePath: c.from, MailParams: c.mailParams,
				Recipients: []Recipient{{Path: path("good@example.net")}, {Path: c.to, Params: c.params}},
				Content:    c.content,
			})
			e, ok := errors.AsType[*Error](err)
			if !ok || !errors.Is(err, c.want) || e.Stage != c.stage || e.Closed {
				t.Errorf("got %#v, want %v at stage %v, not closed", err, c.want, c.stage)
			}
			if strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Errorf("the error has a control character: %q", err.Error())
			}
			if err := client.Quit(t.Context()); err != nil {
				t.Error(err)
			}
			server.Wait()
		})
	}
}

func TestNoRecipients(t *testing.T) {
	client, _ := open(t, plain+quit, Options{})
	if _, err := client.Send(t.Context(), &Transaction{}); !errors.Is(err, ErrNoRecipients) {
		t.Errorf("got %v", err)
	}
	if err := client.Quit(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestParameterNeedsItsExtension checks each parameter against a server without
// extensions: the error names the one that is missing.
func TestParameterNeedsItsExtension(t *testing.T) {
	for _, c := range []struct {
		param, extension string
		rcpt             bool
	}{
		{"SIZE=1", "SIZE", false},
		{"BODY=7BIT", "8BITMIME", false},
		{"BODY=8BITMIME", "8BITMIME", false},
		{"BODY=BINARYMIME", "BINARYMIME", false},
		{"SMTPUTF8", "SMTPUTF8", false},
		{"RET=FULL", "DSN", false},
		{"ENVID=1", "DSN", false},
		{"AUTH=<>", "AUTH", false},
		{"REQUIRETLS", "REQUIRETLS", false},
		{"BY=1;R", "DELIVERBY", false},
		{"HOLDFOR=1", "FUTURERELEASE", false},
		{"HOLDUNTIL=2030-01-01T00:00:00Z", "FUTURERELEASE", false},
		{"MT-PRIORITY=1", "MT-PRIORITY", false},
		{"NOTIFY=NEVER", "DSN", true},
		{"ORCPT=rfc822;b@example.net", "DSN", true},
		{"RRVS=2014-04-03T23:01:00Z", "RRVS", true},
	} {
		client, _ := open(t, plain+quit, Options{})
		tx := &Transaction{ReversePath: path("a@example.org"), Recipients: []Recipient{{Path: path("b@example.net")}}}
		index := -1
		if c.rcpt {
			tx.Recipients[0].Params, index = params(c.param), 0
		} else {
			tx.MailParams = params(c.param)
		}
		_, err := client.Send(t.Context(), tx)
		e, ok := errors.AsType[*NotOfferedError](err)
		keyword, _, _ := strings.Cut(c.param, "=")
		want := NotOfferedError{Keyword: keyword, Extension: c.extension, Recipient: index}
		if !ok || *e != want {
			t.Errorf("%s: got %v, want %+v", c.param, err, want)
		}
		if err := client.Quit(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestWhatIsGivenIsSent checks the other half: what is offered goes to the wire
// as it was given, SIZE added once.
func TestWhatIsGivenIsSent(t *testing.T) {
	client, server := open(t, extended+`C: MAIL FROM:<jörg@example.org> SIZE=7 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+2B AUTH=<>
C: RCPT TO:<"b c"@[192.0.2.1]> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y
C: RCPT TO:<Postmaster>
C: <bdat 7 last>
| Hello
S: 250 ok
S: 250 ok
S: 250 ok
S: 250 ok
C: MAIL FROM:<> SIZE=8
C: RCPT TO:<b.c-d@e-f.example.net>
C: <bdat last>
S: 250 ok
S: 250 ok
S: 250 ok
C: MAIL FROM:<a@example.org> SIZE=3 BODY=BINARYMIME
C: RCPT TO:<b@example.net>
C: <bdat 3 last>
| \0\r\x80\c
S: 250 ok
S: 250 ok
S: 250 ok
`+quit, Options{})
	for _, tx := range []*Transaction{
		{
			ReversePath: path("jörg@example.org"),
			MailParams:  params("BODY=8BITMIME", "SMTPUTF8", "RET=HDRS", "ENVID=x+2B", "AUTH=<>"),
			Recipients: []Recipient{
				{Path: path("b c@[192.0.2.1]"), Params: params("NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;x@y")},
				{Path: path("Postmaster")},
			},
			Content: Content{Bytes: []byte("Hello\r\n")},
		},
		{
			MailParams: params("SIZE=8"),
			Recipients: []Recipient{{Path: path("b.c-d@e-f.example.net")}},
		},
		{
			ReversePath: path("a@example.org"),
			MailParams:  params("BODY=BINARYMIME"),
			Recipients:  []Recipient{{Path: path("b@example.net")}},
			Content:     Content{Header: []byte("\x00\r"), Bytes: []byte("\x80"), Binary: true},
		},
	} {
		r, err := client.Send(t.Context(), tx)
		if err != nil || !r.Recipients[0].Delivered() {
			t.Fatal(reportResult(r), err)
		}
	}
	if err := client.Quit(t.Context()); err != nil {
		t.Error(err)
	}
	server.Wait()
}

// TestBinaryNeedsChunking: BINARYMIME without CHUNKING is an offer that cannot be
// used (RFC 3030 section 3).
func TestBinaryNeedsChunking(t *testing.T) {
	client, _ := open(t, strings.Replace(extended, "S: 250-CHUNKING\n", "", 1)+quit, Options{})
	_, err := client.Send(t.Context(), &Transaction{
		MailParams: params("BODY=BINARYMIME"),
		Recipients: []Recipient{{Path: path("b@example.net")}},
		Content:    Content{Binary: true},
	})
	e, ok := errors.AsType[*NotOfferedError](err)
	if !ok || e.Extension != "CHUNKING" {
		t.Errorf("got %v, want CHUNKING not offered", err)
	}
	if err := client.Quit(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLocalNameIsChecked(t *testing.T) {
	for name, local := range map[string]string{
		"CRLF": "x\r\nMAIL", "space": "a b", "NUL": "a\x00", "length": strings.Repeat("x", 256),
	} {
		server := smtptest.NewPipeServer(t, "S: 220 mx\n"+quit)
		_, err := New(t.Context(), server.Dial(), Options{LocalName: local})
		if !errors.Is(err, ErrAddress) {
			t.Errorf("%s: got %v", name, err)
		}
		server.Wait()
	}
}
