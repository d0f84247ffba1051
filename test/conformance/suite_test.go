package conformance

import (
	"bytes"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtptest"
)

// probes are the connections by which Run asks what a server offers.
const probes = `S: 220 mx.example.net
C: EHLO *
S: 250-mx.example.net
S: 250-SIZE 1000
S: 250 ENHANCEDSTATUSCODES
--- connection
S: 220 mx.example.net
C: EHLO *
S: 250-mx.example.net
S: 250 ENHANCEDSTATUSCODES
--- connection
`

// TestOutcomes plays dialogues against scripted servers.
func TestOutcomes(t *testing.T) {
	const hello = "S: 220 mx.example.net\nC: EHLO *\nS: 250-mx.example.net\nS: 250 ENHANCEDSTATUSCODES\n"
	for _, tc := range []struct {
		name, dialogue, server string
		want                   Outcome
		reason                 string
	}{
		{"passed", "MUST\nhello\nopen", hello + "C: NOOP\nS: 250 ok\n", Passed, ""},
		{"another code", "MUST\nhello\nopen", hello + "C: NOOP\nS: 500 no\nclose\n", Failed, `line 4: got "500 no", want 250`},
		{"what is not asked for", "WEIR\nhello\nopen", hello + "C: NOOP\nS: 500 no\nclose\n", Differs, "got"},
		{"no reply", "MUST\nhello\nopen", hello + "C: NOOP\nclose\n", Failed, "the connection was closed, want 250"},
		{"half a reply", "MUST\nhello\nopen", hello + "C: NOOP\nS: 250\\c\nclose\n", Failed, "in the middle of a line"},
		{"no SMTP", "MUST\ngreeting", "S: hello\nclose\n", Failed, `"hello" is no reply`},
		{"two codes", "MUST\ngreeting", "S: 220-a\nS: 250 b\nclose\n", Failed, "the code changes"},
		{"a bare LF", "MUST\ngreeting", "S: 220 a\\n\\c\nclose\n", Failed, "stands alone"},
		{"an end that is allowed", "MUST\nhello\nC: X\nS: 500|closed\nopen", hello + "C: X\nclose\n", Passed, ""},
		{"an end behind the reply that is allowed", "MUST\nhello\nC: X\nS: 500|closed\nopen", hello + "C: X\nS: 500 no\nclose\n", Passed, ""},
		{"421 closes", "MUST\nhello\nC: X\nS: 4yz\nopen", hello + "C: X\nS: 421 no\nclose\n", Passed, ""},
		{"421 that does not close", "MUST\nhello\nC: X\nS: 4yz", hello + "C: X\nS: 421 no\nS: 250 more\nclose\n", Failed, "after 421: got \"250 more\""},
		{"closed", "MUST\nhello\nC: QUIT\nS: 221\nclosed", hello + "C: QUIT\nS: 221 bye\nclose\n", Passed, ""},
		{"has", "MUST\nhello\nhas ENHANCEDSTATUSCODES\nlacks SIZE", hello, Passed, ""},
		{"has not", "MUST\nhello\nhas SIZE=1", hello, Failed, "EHLO does not offer SIZE=1"},
		{"lacks not", "MUST\nhello\nlacks ENHANCEDSTATUSCODES", hello, Failed, "EHLO offers ENHANCEDSTATUSCODES"},
		{"several replies", "MUST\nhello\nC: A\nC: B\nS: 2 x 250", hello + "C: A\nC: B\nS: 250 a\nS: 250 b\n", Passed, ""},
		{"steps several times", "MUST\nhello\ntimes 2\nC: A\nS: 250\nopen", hello + "C: A\nS: 250 a\nC: A\nS: 250 a\nC: NOOP\nS: 250 ok\n", Passed, ""},
		{"a reply is missing", "MUST\nhello\nC: A\nS: 2 x 250", hello + "C: A\nS: 250 a\nclose\n", Failed, "closed"},
		{"what is not given", "MUST\nhello\ngiven TURN\nopen", hello, Skipped, "it does not offer TURN"},
		{"what is given", "MUST\nhello\ngiven ENHANCEDSTATUSCODES\nopen", hello + "C: NOOP\nS: 250 ok\n", Passed, ""},
		{"no account to use", "MUST\naccount\nopen", hello + "C: NOOP\nS: 250 ok\n", Passed, ""},
		{"what is not offered", "MUST\nneeds CHUNKING\nhello", "", Skipped, "it does not offer CHUNKING"},
		{"another word", "MUST\nneeds SIZE=2000\nhello", "", Skipped, "it does not offer SIZE=2000"},
		{"what is offered", "MUST\nneeds !SIZE\nhello", "", Skipped, "it offers SIZE"},
		{"no LMTP", "MUST\nneeds lmtp\nhello", "", Skipped, "no LMTP server was given"},
		{"no account", "MUST\nhello\nC: {user}", "", Skipped, "there is no value for {user}"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dialogues, err := Parse("rfc5321-4.1.txt", "=== a\n"+tc.dialogue)
			if err != nil {
				t.Fatal(err)
			}
			script := probes + tc.server
			if tc.server == "" {
				script = strings.TrimSuffix(probes, "--- connection\n")
			}
			s := smtptest.NewServer(t, script)
			results, err := Run(t.Context(), &Server{Address: s.Addr(), Sender: "a@x.test", Recipient: "b@y.test"}, dialogues)
			if err != nil {
				t.Fatal(err)
			}
			if r := results[0]; r.Outcome != tc.want || !strings.Contains(r.Reason, tc.reason) || tc.reason == "" && r.Reason != "" {
				t.Errorf("got %s: %s, want %s: %s", r.Outcome, r.Reason, tc.want, tc.reason)
			}
		})
	}
}

func TestReportCountsByRFC(t *testing.T) {
	d := func(rfc string) *Dialogue {
		return &Dialogue{RFC: rfc, Section: "1", Name: "a dialogue", File: "f.txt"}
	}
	results := []Result{
		{Dialogue: d("5321"), Outcome: Passed},
		{Dialogue: d("1870"), Outcome: Failed, Reason: "got 500", Transcript: []string{"S: 500 no"}},
		{Dialogue: d("5321"), Outcome: Skipped, Reason: "it does not offer TURN"},
	}
	var out bytes.Buffer
	Print(&out, results, true)
	for _, want := range []string{
		"passed  MUST   RFC 5321 1: a dialogue\n",
		"failed  MUST   RFC 1870 1: a dialogue\n        f.txt: got 500\n        | S: 500 no\n",
		"  1870       0       1        0        0\n  5321       1       0        0        1\n   all       1       1        0        1\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &out)
		}
	}
	out.Reset()
	if err := PrintJSON(&out, "a server", results); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"level": "MUST"`, `"outcome": "failed"`, `"reason": "got 500"`, `"server": "a server"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing in\n%s", want, &out)
		}
	}
}
