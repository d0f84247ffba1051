package admin

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
)

// bulkOf does an action and returns the result without its sample.
func bulkOf(t *testing.T, q *memory, action api.Action, body string) (api.BulkResult, []api.Message) {
	t.Helper()
	res, answer := ask(t, Handler(options(q)), "POST", "/v1/queue/"+string(action), body)
	if res.StatusCode != 200 {
		t.Fatalf("%s %s: %s, %s", action, body, res.Status, answer)
	}
	var r api.BulkResult
	if err := json.Unmarshal([]byte(answer), &r); err != nil {
		t.Fatal(err)
	}
	sample := r.Sample
	r.Sample = nil
	return r, sample
}

func held(q *memory) (n int) {
	for _, e := range q.messages {
		if e.Held {
			n++
		}
	}
	return n
}

func TestBulkChangesWhatTheFilterChooses(t *testing.T) {
	const n = 3*bulkPage + 7 // several pages, the last one not full
	for _, test := range []struct {
		action api.Action
		body   string
		want   api.BulkResult
		holds  func(*memory) bool
	}{
		{
			api.ActionHold, `{"all":true}`,
			api.BulkResult{Matched: n, Bytes: 1000 * n, Changed: n - n/5},
			func(q *memory) bool { return held(q) == n },
		},
		{
			api.ActionRelease, `{"filter":{"held":true}}`,
			api.BulkResult{Matched: n / 5, Bytes: 1000 * (n / 5), Changed: n / 5},
			func(q *memory) bool { return held(q) == 0 },
		},
		{
			api.ActionRetry, `{"filter":{"recipient":"@d1.example.org","older_than":"1m"}}`,
			api.BulkResult{Matched: n / 3, Bytes: 1000 * (n / 3), Changed: n / 3},
			func(q *memory) bool { return true },
		},
		{
			api.ActionRemove, `{"filter":{"sender":"sender8@example.com"}}`,
			api.BulkResult{Matched: 1, Bytes: 1000, Changed: 1},
			func(q *memory) bool { return len(q.messages) == n-1 },
		},
		{
			api.ActionRemove, `{"all":true}`,
			api.BulkResult{Matched: n, Bytes: 1000 * n, Changed: n},
			func(q *memory) bool { return len(q.messages) == 0 },
		},
	} {
		q := filled(n)
		test.want.Action = test.action
		got, sample := bulkOf(t, q, test.action, test.body)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.action, test.body, diff)
		}
		if !test.holds(q) || sample != nil {
			t.Errorf("%s %s: the queue is not as it has to be", test.action, test.body)
		}
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	q := filled(bulkPage + 10)
	got, sample := bulkOf(t, q, api.ActionRemove, `{"all":true,"dry_run":true}`)
	want := api.BulkResult{Action: api.ActionRemove, DryRun: true, Matched: bulkPage + 10, Bytes: 1000 * (bulkPage + 10), Changed: bulkPage + 10}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(sample) != bulkSample || sample[0].ID != numbered(0) {
		t.Errorf("%d in the sample, beginning with %v", len(sample), sample[0].ID)
	}
	if q.changes > 0 || len(q.messages) != bulkPage+10 {
		t.Error("the queue was changed")
	}
}

func TestBulkLeavesAloneWhatArrivesMeanwhile(t *testing.T) {
	q := filled(bulkPage)
	late := *q.messages[0]
	late.ID = numbered(2 * 3600)
	q.onChange = func(n int) {
		if n == 1 {
			q.messages = append(q.messages, &late)
		}
	}
	got, _ := bulkOf(t, q, api.ActionRemove, `{"all":true}`)
	if got.Changed != bulkPage || len(q.messages) != 1 {
		t.Errorf("changed %d, left %d", got.Changed, len(q.messages))
	}
}

func TestBulkGivesUpOnABrokenQueue(t *testing.T) {
	q := filled(3 * bulkPage)
	q.broken = true
	got, _ := bulkOf(t, q, api.ActionHold, `{"all":true}`)
	if got.Failed != bulkFailures || q.changes != bulkFailures || got.Problem != errBroken.Error() || got.Changed != 0 {
		t.Errorf("%+v after %d changes", got, q.changes)
	}
}

func TestBulkDoesNotMindMessagesThatLeave(t *testing.T) {
	q := filled(10)
	q.onChange = func(n int) {
		if n == 1 {
			q.messages = q.messages[:5]
		}
	}
	got, _ := bulkOf(t, q, api.ActionRetry, `{"all":true}`)
	if got.Matched != 10 || got.Changed != 5 || got.Failed != 0 {
		t.Errorf("%+v", got)
	}
}

func TestBulkStopsWhenTheClientLeaves(t *testing.T) {
	q := filled(3 * bulkPage)
	ctx, cancel := context.WithCancel(t.Context())
	q.onChange = func(n int) {
		if n == 10 {
			cancel()
		}
	}
	r := httptest.NewRequestWithContext(ctx, "POST", "/v1/queue/hold", strings.NewReader(`{"all":true}`))
	r.Header.Set("Content-Type", "application/json")
	Handler(options(q)).ServeHTTP(httptest.NewRecorder(), r)
	if q.changes != 10 || q.scans > 2*bulkPage {
		t.Errorf("%d changes, %d messages seen", q.changes, q.scans)
	}
}

func TestListStopsWhenTheClientLeaves(t *testing.T) {
	q := filled(1000)
	ctx, cancel := context.WithCancel(t.Context())
	o := options(q)
	o.Queue = &leaving{q, func(n int) {
		if n == 3 {
			cancel()
		}
	}}
	Handler(o).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/v1/queue", nil))
	if q.scans > 5 {
		t.Errorf("%d messages were looked at", q.scans)
	}
}

// leaving is a queue that tells how far a scan is.
type leaving struct {
	*memory
	at func(n int)
}

func (l *leaving) Scan(ctx context.Context, after mail.ID, each func(*mail.Envelope) bool) error {
	n := 0
	return l.memory.Scan(ctx, after, func(e *mail.Envelope) bool {
		n++
		l.at(n)
		return each(e)
	})
}
