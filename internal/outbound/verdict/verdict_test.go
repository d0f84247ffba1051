package verdict

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

var update = flag.Bool("update", false, "write the golden files")

// codes are all that an RFC defines, and for each digit one that none does.
var codes = []reply.Code{
	0, 199, 211, 214, 220, 221, 235, 250, 251, 252, 299, 334, 354, 399,
	421, 432, 450, 451, 452, 454, 455, 471, 499,
	500, 501, 502, 503, 504, 521, 523, 530, 534, 535, 538, 550, 551, 552, 553, 554, 555, 556, 571, 599, 600,
}

// The matrix is the whole of what is decided without looking at texts, to be
// read in one go: codes that mean the same at every stage stand together.
func TestEveryCodeAtEveryStage(t *testing.T) {
	var order []string
	groups := map[string]string{}
	add := func(name string, judge func(smtp.Stage) Verdict) {
		var b strings.Builder
		for stage := smtp.StageConnect; stage <= smtp.StageIdle; stage++ {
			fmt.Fprintf(&b, "  %-9s %s\n", stage, inShort(judge(stage)))
		}
		if groups[b.String()] == "" {
			order = append(order, b.String())
		}
		groups[b.String()] += name + " "
	}
	for _, code := range codes {
		add(code.String(), func(stage smtp.Stage) Verdict { return Judge(stage, reply.Reply{Code: code}) })
	}
	add("no-reply", func(stage smtp.Stage) Verdict { return JudgeFailure(stage, errors.New("connection reset")) })
	text := "# What a bare code means at each stage: action and how far it reaches; what\n# holds besides.\n"
	for _, lines := range order {
		text += "\n" + strings.TrimSpace(groups[lines]) + "\n" + lines
	}
	golden(t, "matrix.txt", text)
}

func inShort(v Verdict) string {
	s := v.Action.String()
	if v.Action != Done {
		s += " (" + v.Scope.String() + ")"
	}
	for _, mark := range []struct {
		set  bool
		mark string
	}{{v.NextHost, ", next host now"}, {v.Split, ", split"}, {!v.Charge, ", not charged"}} {
		if mark.set {
			s += mark.mark
		}
	}
	return s
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not as in %s (write it with -update):\n%s", file, cmp.Diff(string(want), got))
	}
}

// What holds for all codes and stages, whatever the matrix says.
func TestRulesWithoutException(t *testing.T) {
	for code := reply.Code(0); code < 1000; code++ {
		for stage := smtp.StageConnect; stage <= smtp.StageIdle+1; stage++ {
			v := Judge(stage, reply.New(code, reply.Status{}, "wait: try again in 90 seconds"))
			name := fmt.Sprintf("%d at %v: %+v", code, stage, v)
			switch {
			case v.Action == Done && code/100 != 2, v.Action == Bounce && code/100 != 5:
				t.Errorf("%s: the first digit does not allow that", name)
			case v.Action == Bounce && betweenMessages(stage):
				t.Errorf("%s: mail goes back for what was said of no mail", name)
			case v.Action == Bounce && (v.Split || v.Wait != 0):
				t.Errorf("%s: there is no again for what goes back", name)
			case v.Split && stage != smtp.StageRCPT:
				t.Errorf("%s: only recipients can be split", name)
			case v.NextHost != (v.Action != Done && v.Scope == ScopeHost):
				t.Errorf("%s: the next host is tried where the fault is one of the host", name)
			case v.Action != Done && v.Charge == betweenMessages(stage):
				t.Errorf("%s: charged where nobody attempted anything, or not where somebody did", name)
			case (v.Reason == "") != (v.Action == Done):
				t.Errorf("%s: a reason stands for what went wrong", name)
			case code/100 == 4 && v.Wait != 90*time.Second:
				t.Errorf("%s: the wait that was named is not obeyed", name)
			}
		}
	}
}

func TestTooManyRecipientsAreSplit(t *testing.T) {
	for _, test := range []struct {
		text   string
		split  bool
		action Action
	}{
		{"452 4.5.3 Too many recipients", true, Retry},
		{"452 4.5.3", true, Retry},
		{"452 Too many recipients received this hour", false, Retry}, // another transaction would be refused too
		{"452", true, Retry},
		{"452 come back with the rest", true, Retry},
		{"451 4.5.3 Enough", true, Retry},
		{"450 4.5.3 Enough", true, Retry},
		{"552 5.5.3 Too many recipients", true, Retry},
		{"552 Too many recipients", true, Retry},
		{"552", true, Retry},
		{"452 4.2.2 Over quota", false, Retry},
		{"452 4.3.1 Insufficient system storage", false, Retry},
		{"452 Insufficient system storage", false, Retry},
		{"452 mailbox full", false, Retry},
		{"421 4.5.3 Too many recipients", false, Retry},
		{"450 Too fast", false, Retry},
		{"552 5.2.2 Over quota", false, Bounce},
		{"552 mailbox is full", false, Bounce},
		{"552 5.3.4 Message too large", false, Bounce},
		{"550 5.5.3 Too many recipients", false, Bounce},
	} {
		v := Judge(smtp.StageRCPT, parse(t, test.text))
		if v.Split != test.split || v.Action != test.action {
			t.Errorf("%s: %v, split %v; want %v, %v", test.text, v.Action, v.Split, test.action, test.split)
		}
		if v := Judge(smtp.StageContent, parse(t, test.text)); v.Split {
			t.Errorf("%s: split after the content", test.text)
		}
	}
}

// saying is an error that knows its reason.
type saying string

func (s saying) Error() string  { return string(s) }
func (s saying) Reason() string { return string(s) }

// TestSigningInNeverBounces: it is about the two servers, whatever the peer says.
func TestSigningInNeverBounces(t *testing.T) {
	for _, text := range []string{"535 5.7.8 wrong", "504 5.5.4 no such mechanism", "550 5.7.30 basic authentication is off", "454 4.7.0 later", "530 5.7.0 first"} {
		if v := Judge(smtp.StageAUTH, parse(t, text)); v.Action != Retry {
			t.Errorf("%s: %s", text, inShort(v))
		}
	}
	if v := JudgeFailure(smtp.StageAUTH, saying("tls-required")); v.Action != Retry || v.Scope != ScopeHost {
		t.Error(inShort(v))
	}
}

func TestFailureReasons(t *testing.T) {
	for _, test := range []struct {
		stage smtp.Stage
		err   error
		want  string
	}{
		{smtp.StageConnect, errors.New("connection refused"), "network"},
		{smtp.StageConnect, fmt.Errorf("dial: %w", context.DeadlineExceeded), "network"},
		{smtp.StageEHLO, fmt.Errorf("read: %w", os.ErrDeadlineExceeded), "timeout"},
		{smtp.StageContent, fmt.Errorf("read: %w", context.DeadlineExceeded), "timeout"},
		{smtp.StageContent, context.Canceled, "network"},
		{smtp.StageSTARTTLS, fmt.Errorf("read: %w", os.ErrDeadlineExceeded), "tls-failed"},
		{smtp.StageRCPT, nil, "network"},
		{smtp.StageAUTH, fmt.Errorf("at AUTH: %w", saying("auth-mechanism")), "auth-mechanism"},
		{smtp.StageAUTH, errors.New("connection lost"), "network"},
	} {
		if got := JudgeFailure(test.stage, test.err).Reason; got != test.want {
			t.Errorf("%v at %v: %s, want %s", test.err, test.stage, got, test.want)
		}
	}
}

func TestNamesOfActionsAndScopes(t *testing.T) {
	for want, got := range map[string]fmt.Stringer{
		"done": Done, "retry": Retry, "bounce": Bounce,
		"recipient": ScopeRecipient, "message": ScopeMessage, "connection": ScopeConnection, "host": ScopeHost, "destination": ScopeDestination,
	} {
		if got.String() != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}

func parse(t testing.TB, text string) reply.Reply {
	t.Helper()
	r, err := reply.Parse(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return r
}
