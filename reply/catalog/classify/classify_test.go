package classify

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/reply"
)

func TestTheWaitThatATextNames(t *testing.T) {
	for _, test := range []struct {
		text string
		want time.Duration
	}{
		{"450 4.7.1 Greylisted, please try again in 300 seconds", 300 * time.Second},
		{"451 Greylisting in action, please come back in 00:05:00", 5 * time.Minute},
		{"451 come back in 05:30", 5*time.Minute + 30*time.Second},
		{"450 Greylisted for 5 minutes", 5 * time.Minute},
		{"450 try again in five minutes", 5 * time.Minute},
		{"450 please wait 1 hour and 30 minutes", 90 * time.Minute},
		{"421 busy; reason=load retry=75s id=7F", 75 * time.Second},
		{"450 retry in 2h", 2 * time.Hour},
		{"451 retry in 4m32s", 272 * time.Second},
		{"450 Please try again later (retry after 90 sec)", 90 * time.Second},
		{"451 réessayez dans 10 minutes", 10 * time.Minute},

		// None of these is a wait.
		{"451 timed out after 300 seconds", 0},
		{"550 message expired after 5 days", 0},
		{"450 limit of 100 messages per hour", 0},
		{"450 blocked for 24 hours", 0},
		{"421 4.7.0 try again later", 0},
		{"450 try again after 12:30:00", 0},
		{"450 try again in 10", 0},
		{"450 try again after 2026-11-24", 0},
		{"554 unable to deliver in 4 hours", 0},
		{"421 1h4F5s queue id 300s", 0},
	} {
		if got := classifyLine(t, test.text).Hint; got != test.want {
			t.Errorf("%q: %v, want %v", test.text, got, test.want)
		}
	}
}

func TestAWaitIsObeyedWithinBoundsAndNotBehindAPermanentReply(t *testing.T) {
	for _, test := range []struct {
		text string
		want time.Duration
	}{
		{"450 greylisted, try again in 300 seconds", 330 * time.Second},
		{"450 greylisted, try again in 1 second", 15 * time.Second},
		{"450 greylisted, try again in 9 days", 24 * time.Hour},
		{"450 greylisted", 5 * time.Minute},
		{"550 greylisted, try again in 300 seconds", 0},
		{"452 4.5.3 too many recipients", 0},
	} {
		if got := classifyLine(t, test.text).Wait; got != test.want {
			t.Errorf("%q: %v, want %v", test.text, got, test.want)
		}
	}
}

func TestTheBasicCodeDecidesAndConflictsAreShown(t *testing.T) {
	for _, test := range []struct {
		text     string
		class    reply.Class
		conflict Conflict
	}{
		{"421 4.7.1 [TS03] All messages permanently deferred", reply.ClassTransient, ConflictTextPermanent},
		{"550 mailbox temporarily unavailable, try again later", reply.ClassPermanent, ConflictTextTransient},
		{"554 4.4.7 gone", reply.ClassPermanent, ConflictClass},
		{"471 no", reply.ClassTransient, ConflictUnknownCode},
		{"421 4.3.2 busy", reply.ClassTransient, 0},
	} {
		r := classifyLine(t, test.text)
		if r.Class != test.class || r.Conflict != test.conflict {
			t.Errorf("%q: class %d, %v; want %d, %v", test.text, r.Class, r.Conflict, test.class, test.conflict)
		}
	}
}

func TestTheScopeFollowsTheStage(t *testing.T) {
	for _, test := range []struct {
		stage Stage
		text  string
		want  Scope
	}{
		{StageRCPT, "550 5.1.1 unknown user", ScopeRecipient},
		{StageRCPT, "550 5.7.1 local policy", ScopeRecipient},
		{StageContent, "550 5.7.1 local policy", ScopeMessage},
		{StageConnect, "421 no", ScopeHost},
		{StageConnect, "554 no", ScopeHost},
		{StageIdle, "421 4.4.2 timeout", ScopeConnection},
		{StageMAIL, "421 4.3.2 busy", ScopeConnection},
		{StageRCPT, "554 blocked using zen.spamhaus.org", ScopeSender},
		{StageRCPT, "550 5.1.2 domain not found", ScopeDestination},
	} {
		in := Parse(test.text)[0]
		in.Stage = test.stage
		if r := Default().Classify(in); r.Scope != test.want {
			t.Errorf("%q at %v: %v (%v), want %v", test.text, test.stage, r.Scope, r.Reason, test.want)
		}
	}
}

func TestCodesAloneTell(t *testing.T) {
	for _, test := range []struct {
		stage Stage
		text  string
		want  Reason
		layer Layer
	}{
		{StageUnknown, "421", ReasonUnavailable, LayerCode},
		{StageIdle, "421", ReasonTimeout, LayerCode},
		{StageRCPT, "452", ReasonTooManyRecipients, LayerCode},
		{StageMAIL, "452", ReasonStorage, LayerCode},
		{StageRCPT, "550", ReasonMailboxUnknown, LayerCode},
		{StageUnknown, "550", ReasonOther, LayerClass},
		{StageAUTH, "504", ReasonAuthMechanism, LayerCode},
		{StageAUTH, "504 5.5.4", ReasonAuthMechanism, LayerEnhanced},
		{StageMAIL, "504 5.5.4", ReasonUnsupportedParameter, LayerEnhanced},
		{StageUnknown, "5.2.2", ReasonMailboxFull, LayerEnhanced},
		{StageUnknown, "530 5.7.0", ReasonAuthRequired, LayerEnhanced},
	} {
		in := Parse(test.text)[0]
		in.Stage = test.stage
		if r := Default().Classify(in); r.Reason != test.want || r.Evidence.Layer != test.layer {
			t.Errorf("%q at %v: %s by %s, want %s by %s", test.text, test.stage, r.Reason, r.Evidence.Layer, test.want, test.layer)
		}
	}
}

func TestWordsWithinNamesAreNoWords(t *testing.T) {
	for _, text := range []string{
		"421 relay.example.net closing", "421 spam-gw.example.net closing", "421 busybody.example closing", "421 mail.spf.example closing",
	} {
		if r := classifyLine(t, text); r.Reason != ReasonUnavailable {
			t.Errorf("%q: %s by %s", text, r.Reason, r.Evidence.Rule.ID)
		}
	}
}

func TestAReplyThatRefusesNothingHasNoReason(t *testing.T) {
	if r := classifyLine(t, "250 2.0.0 Ok: spam"); r.Reason != ReasonNone || r.Class != reply.ClassCompleted || r.Retry {
		t.Errorf("%+v", r)
	}
}

func TestAReplyOnRunsAnotherIsNamedAsRunnerUp(t *testing.T) {
	r := classifyLine(t, "550 5.1.1 <a@b.example>: account is disabled: no such user")
	if r.Reason != ReasonMailboxDisabled || r.Evidence.RunnerUp != ReasonMailboxUnknown {
		t.Errorf("%s, runner-up %s", r.Reason, r.Evidence.RunnerUp)
	}
}

// shortReplies are what a relay hears on a common day.
func shortReplies() (all []Input) {
	for _, text := range []string{
		"421 4.7.0 Try again later, closing connection.",
		"450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.1]",
		"451 4.7.1 Greylisting in action, please come back in 00:05:00",
		"550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table",
		"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
		"552 5.2.2 The email account that you tried to reach is over quota",
		"421 4.3.2 mx.example.net Service busy, closing channel; reason=memory retry=75s id=7F3K9Q2M",
		"504 5.5.4 Unrecognized authentication type",
	} {
		all = append(all, Parse(text)...)
	}
	return all
}

func TestClassifyAllocatesNothing(t *testing.T) {
	c, inputs := Default(), shortReplies()
	for _, in := range inputs {
		c.Classify(in)
	}
	// The race detector lets pools forget at random what is put into them: one of
	// many runs that needs nothing shows that nothing is needed.
	least := math.Inf(1)
	for range 300 {
		least = min(least, testing.AllocsPerRun(1, func() {
			for _, in := range inputs {
				c.Classify(in)
			}
		}))
	}
	if least > 0 {
		t.Errorf("%v allocations for %d replies", least, len(inputs))
	}
}

func BenchmarkClassify(b *testing.B) {
	c, inputs := Default(), shortReplies()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Classify(inputs[i%len(inputs)])
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "replies/s")
}

func FuzzClassify(f *testing.F) {
	f.Add(uint16(421), uint8(1), "mx.google.com", "4.7.0 try again in 00:05:00")
	f.Add(uint16(550), uint8(6), "", strings.Repeat("domain ", 2000)+"does not exist")
	f.Fuzz(func(t *testing.T, code uint16, stage uint8, host, text string) {
		in := Input{Code: reply.Code(code), Stage: Stage(stage), Host: host, Text: text}
		first, second := Default().Classify(in), Default().Classify(in)
		if first != second {
			t.Errorf("%+v, then %+v", first, second)
		}
		if first.Retry != (first.Class == reply.ClassTransient && first.Reason != ReasonExpired) || first.Wait < 0 || first.Wait > maxWait || first.Hint < 0 {
			t.Errorf("%+v", first)
		}
	})
}
