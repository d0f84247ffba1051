package classify

import (
	"errors"
	"testing"

	"github.com/weirmail/weir/reply"
)

func TestReasonsAreAClosedListOf51(t *testing.T) {
	all := Reasons()
	if len(all) != 51 {
		t.Fatalf("%d reasons", len(all))
	}
	seen := map[string]bool{}
	for _, r := range all {
		if r.String() == "" || seen[r.String()] {
			t.Errorf("reason %d: %q is empty or there twice", r, r)
		}
		seen[r.String()] = true
		if got, err := ParseReason(r.String()); got != r || err != nil {
			t.Errorf("%s is read as %s, %v", r, got, err)
		}
		if r.Family() == FamilyNone || r.Family().String() == "" {
			t.Errorf("%s has no family", r)
		}
	}
	if _, err := ParseReason("busy"); !errors.Is(err, ErrUnknownReason) {
		t.Errorf("busy: %v", err)
	}
	if r := Reason(200); r.String() != "" || r.Family() != FamilyNone {
		t.Errorf("beyond the list: %s", r)
	}
}

func TestNothingIsRepeatedUnchangedAfterARefusalOfProtocolAccessOrSize(t *testing.T) {
	for _, r := range Reasons() {
		f := r.Family()
		if f != FamilyProtocol && f != FamilyAccess && f != FamilyContent {
			continue
		}
		if a := r.Default(reply.ClassPermanent); a.Action.Retries() || a.Then.Retries() {
			t.Errorf("%s: %s, then %s", r, a.Action, a.Then)
		}
	}
}

func TestATransientReplyIsAlwaysTriedAgain(t *testing.T) {
	for _, r := range Reasons() {
		a := r.Default(reply.ClassTransient)
		if r != ReasonExpired && !a.Action.Retries() && !a.Then.Retries() && a.Then != ActionReputation && r != ReasonContentSpam {
			t.Errorf("%s: %s, then %s", r, a.Action, a.Then)
		}
	}
}
