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
	"github.com/weirmail/weir/reply/catalog/classify"
	"github.com/weirmail/weir/smtp"
)

var update = flag.Bool("update", false, "write the golden files")

// codes are all that an RFC defines, and for each digit one that none does.
var codes = []reply.Code{
	0, 199, 211, 214, 220, 221, 235, 250, 251, 252, 299, 334, 354, 399,
	421, 432, 450, 451, 452, 454, 455, 471, 499,
	500, 501, 502, 503, 504, 521, 523, 530, 534, 535, 538, 550, 551, 552, 553, 554, 555, 556, 571, 599, 600,
}

// The matrix is the whole of what is decided, to be read in one go: first by the
// codes alone, then by the reasons that texts and statuses tell.
func TestTheMatrix(t *testing.T) {
	text := `# What a refusal means at each stage. The stages are those of a session, "idle" is
# between two messages. A cell says what becomes of the mail:
#
#   done     taken over
#   bounce   goes back to its sender
#   retry    is tried again later, and the attempt is charged
#   wait     is tried again later, and nothing is charged
#   split    goes on at once, in another transaction
#   anew     goes on at once, on a new connection; nothing is charged
#
#   >        the next address or host first, now; what the cell says only where
#            each of them ends in the like
#   *        on a new connection first, now, where the one at hand had served before
#
# Behind a row: what the pace of the retries is where it is not the usual one.

## By the code alone, without a text
`
	text += inRows(codeRows())
	text += "\n## By the reason that a transient reply states (4yz, 421 too)\n" + inRows(reasonRows(450))
	text += "\n## By the reason that a permanent reply states (5yz)\n" + inRows(reasonRows(550))
	if a, b := inRows(reasonRows(450)), inRows(reasonRows(reply.ServiceNotAvailable)); a != b {
		t.Errorf("a 421 is not as another transient reply:\n%s", cmp.Diff(a, b))
	}
	golden(t, "matrix.txt", text)
}

// stages are the columns of the matrix.
var stages = []smtp.Stage{
	smtp.StageConnect, smtp.StageEHLO, smtp.StageSTARTTLS, smtp.StageAUTH,
	smtp.StageMAIL, smtp.StageRCPT, smtp.StageDATA, smtp.StageContent, smtp.StageIdle,
}

// row is a row of the matrix.
type row struct {
	name  string
	cells string
}

func rowOf(name string, judge func(smtp.Stage) Verdict) row {
	var cells strings.Builder
	paces := map[Pace]bool{}
	for _, stage := range stages {
		v := judge(stage)
		fmt.Fprintf(&cells, "%-9s", inShort(stage, v))
		paces[v.Pace] = paces[v.Pace] || v.Action == Retry && !betweenMessages(stage)
	}
	for _, p := range []Pace{PaceGreylisting, PaceLimit, PaceStorage, PaceReputation} {
		if paces[p] {
			cells.WriteString(" " + p.String())
		}
	}
	return row{name, strings.TrimSpace(cells.String())}
}

func codeRows() (rows []row) {
	for _, code := range codes {
		rows = append(rows, rowOf(code.String(), func(stage smtp.Stage) Verdict { return Judge(stage, reply.Reply{Code: code}) }))
	}
	return append(rows, rowOf("no reply", func(stage smtp.Stage) Verdict { return JudgeFailure(stage, errors.New("connection reset")) }))
}

func reasonRows(code reply.Code) (rows []row) {
	for _, reason := range classify.Reasons() {
		told := classify.Result{Reason: reason, Advice: reason.Default(code.Class()), Evidence: classify.Evidence{Rule: &classify.Rule{}}}
		rows = append(rows, rowOf(reason.String(), func(stage smtp.Stage) Verdict { return judge(stage, reply.Reply{Code: code}, told) }))
	}
	return rows
}

// inRows writes rows down; those that say the same stand in one.
func inRows(rows []row) string {
	var b strings.Builder
	head := ""
	for _, stage := range stages {
		head += fmt.Sprintf("%-9s", stage)
	}
	var order []string
	names := map[string][]string{}
	for _, r := range rows {
		if names[r.cells] == nil {
			order = append(order, r.cells)
		}
		names[r.cells] = append(names[r.cells], r.name)
	}
	b.WriteString("\n  " + strings.TrimSpace(head) + "\n")
	for _, cells := range order {
		fmt.Fprintf(&b, "\n%s\n  %s\n", wrapped(names[cells]), cells)
	}
	return b.String()
}

// wrapped joins words to lines.
func wrapped(words []string) string {
	text, width := "", 0
	for _, w := range words {
		switch {
		case width+len(w) > 85:
			text += "\n" + w
			width = len(w)
		case text == "":
			text, width = w, len(w)
		default:
			text += " " + w
			width += 1 + len(w)
		}
	}
	return text
}

func inShort(stage smtp.Stage, v Verdict) string {
	s := v.Action.String()
	switch {
	case v.Split:
		s = "split"
	case v.Action == Retry && betweenMessages(stage):
		return "anew"
	case v.Action == Retry && !v.Charge:
		s = "wait"
	}
	if v.NextHost && v.Action != Done {
		s += ">"
	}
	if v.Fresh {
		s += "*"
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
			case v.Action != Done && v.NextHost && (betweenMessages(stage) || stage == smtp.StageContent || v.Split), beforeMail(stage) && v.Action != Done && !v.NextHost:
				t.Errorf("%s: the next host is tried before the content", name)
			case v.Fresh && (!ofMail(stage) || v.Action != Retry):
				t.Errorf("%s: a new connection is for a transaction", name)
			case v.Charge && (code/100 == 4 || betweenMessages(stage) && v.Action != Done):
				t.Errorf("%s: charged for a wait that was named, or for nothing that was attempted", name)
			case v.Action == Bounce && !v.Charge, code/100 == 5 && !v.Charge && !betweenMessages(stage):
				t.Errorf("%s: a refusal for good is charged", name)
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
			t.Errorf("%s: %s", text, inShort(smtp.StageAUTH, v))
		}
	}
	if v := JudgeFailure(smtp.StageAUTH, saying("tls-required")); v.Action != Retry || v.Scope != ScopeHost {
		t.Error(inShort(smtp.StageAUTH, v))
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
