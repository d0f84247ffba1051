package mail

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
	"time"
)

func TestIDsGrowWithinAMillisecond(t *testing.T) {
	source := NewIDSource(rand.Reader)
	now := time.UnixMilli(1_700_000_000_123)
	last := ID{}
	for range 1000 {
		id, err := source.Next(now)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Compare(id[:], last[:]) <= 0 {
			t.Fatalf("%v does not follow %v", id, last)
		}
		if !id.Time().Equal(now) {
			t.Fatalf("time %v, want %v", id.Time(), now)
		}
		last = id
	}
}

func TestIDRoundTrip(t *testing.T) {
	id, err := NewIDSource(rand.Reader).Next(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseID(id.String())
	if err != nil || got != id {
		t.Errorf("%v, %v; want %v", got, err, id)
	}
	for _, bad := range []string{"", "x", id.String() + "0", "../../../../../../../etc/x", "ZZZZZZZZZZZZZZZZZZZZZZZZZZ"} {
		if _, err := ParseID(bad); !errors.Is(err, ErrBadID) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
