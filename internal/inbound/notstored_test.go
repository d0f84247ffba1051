package inbound

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/internal/spool"
)

func TestWhatTheStoreCannotDoHasARecordInEveryMode(t *testing.T) {
	closed := make(chan struct{})
	close(closed)
	for name, test := range map[string]struct {
		plan   func(*plan)
		reason admission.Reason
		point  admission.Point
		rule   string
	}{
		"full":   {storing(spool.ErrFull).plan, admission.ReasonDisk, admission.PointContent, "no room"},
		"fault":  {storing(errors.New("the disk is on fire")).plan, admission.ReasonStoreFailed, admission.PointContent, "the disk is on fire"},
		"failed": {func(p *plan) { p.room.Failed = closed }, admission.ReasonStorage, admission.PointAccept, "takes no mail"},
	} {
		for _, observe := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				var journal *admission.Journal
				h := build(t, func(p *plan) {
					test.plan(p)
					p.admission.Observe, journal = observe, p.admission.Journal
				})
				var said string
				if test.point == admission.PointAccept {
					said = h.client("421 ").last
				} else {
					r := h.greeted()
					r.send("Subject: x\r\n\r\n", "45")
					said = r.last
				}
				_, word, _ := strings.Cut(strings.TrimSpace(said), " id=")
				id, ok := admission.ParseID(word)
				if !ok || !strings.Contains(said, " retry=") {
					t.Fatalf("no number, or no time, in %q", said)
				}
				found := journal.Find(2, func(r *admission.Record) bool { return r.ID == id })
				if len(found) != 1 {
					t.Fatalf("%d records of %s", len(found), word)
				}
				if r := found[0]; r.Reason != test.reason || r.Point != test.point || r.Observed || !strings.Contains(r.Rule, test.rule) || !r.Client.IsLoopback() || r.Retry == 0 {
					t.Errorf("%+v", r)
				}
			})
		}
	}
}

func TestSessionsBeforeAMaintenanceAreToldOfOneMessage(t *testing.T) {
	h := build(t, nil)
	if answer := h.client("220 ").offers(); strings.Contains(answer, "MAILMAX=1 ") {
		t.Errorf("%q with no maintenance ahead", answer)
	}
	from := h.clock().Add(90 * time.Second)
	if err := h.lifecycle.Drain(admission.Drain{From: from, Until: from.Add(time.Hour)}, h.clock()); err != nil {
		t.Fatal(err)
	}
	if answer := h.client("220 ").offers(); !strings.Contains(answer, "MAILMAX=1 ") {
		t.Errorf("%q a minute and a half before a maintenance", answer)
	}
}

// offers says EHLO and returns the whole answer, each line with a space behind it.
func (r *room) offers() string {
	r.t.Helper()
	if _, err := io.WriteString(r.nc, "EHLO client.test\r\n"); err != nil {
		r.t.Fatal(err)
	}
	var all strings.Builder
	for {
		line, err := r.in.ReadString('\n')
		if err != nil {
			r.t.Fatal(err)
		}
		all.WriteString(strings.TrimSuffix(line, "\r\n") + " ")
		if len(line) < 4 || line[3] != '-' {
			return all.String()
		}
	}
}
