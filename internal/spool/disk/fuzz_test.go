package disk

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// everything is an envelope with all that one can have.
func everything() *mail.Envelope {
	at := time.Date(2026, 11, 24, 8, 0, 0, 123456789, time.UTC)
	return &mail.Envelope{
		ID: mail.ID{1, 2, 3}, Arrived: at, ReversePath: smtp.Path{Local: "a b", Domain: "example.org"},
		Ret: smtp.RetHeaders, EnvID: "env+id", Body: smtp.Body8BitMIME, SMTPUTF8: true, RequireTLS: true, EightBit: true,
		Size: 12345, Held: true,
		Auth: &smtp.Path{Local: "carol", Domain: "example.org"}, TLSOptional: true,
		DeliverBy: mail.Deadline{At: at.Add(2 * time.Hour), Mode: smtp.DeliverByReturn, Trace: true},
		HoldUntil: at.Add(time.Minute), Priority: -9, HasPriority: true,
		Origin: mail.Origin{Client: netip.MustParseAddr("2001:db8::1%eth0"), HELO: "client.test", Protocol: "ESMTPS", Session: "s1", Account: "ada@example.org", Standing: mail.Bound},
		Recipients: []mail.Recipient{
			{Path: smtp.Path{Local: "Postmaster"}},
			{
				Path: smtp.Path{Local: "ü", Domain: "[IPv6:2001:db8::2]"}, Notify: smtp.NotifySuccess | smtp.NotifyDelay,
				Original: smtp.OriginalRecipient{Type: "rfc822", Address: "x@example.net"},
				Progress: mail.Progress{
					State: mail.Waiting, Due: at.Add(time.Hour), Attempts: 3, DelayNotified: true, DeadlineNotified: true,
					Last: mail.Attempt{
						At: at, Host: "mx.example.net", Address: "192.0.2.1:25", Stage: smtp.StageRCPT,
						Reply: reply.Reply{Code: reply.LocalError, Status: reply.NewStatus(7, 1), Lines: []string{"come", "back"}}, Problem: "none", Reason: "greylisting",
					},
				},
			},
		},
	}
}

func compare(a, b any) string {
	return cmp.Diff(a, b, cmpopts.EquateComparable(netip.Addr{}), cmp.AllowUnexported(reply.Status{}))
}

func TestARecordHoldsTheWholeEnvelope(t *testing.T) {
	for name, e := range map[string]*mail.Envelope{
		"everything": everything(),
		"nothing":    {Recipients: []mail.Recipient{}},
	} {
		got, p, err := decodeEnvelope(e.ID, appendEnvelope(nil, e, place{large: true, crc: 77}))
		if err != nil || p != (place{large: true, crc: 77}) {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
		if diff := compare(e, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// FuzzRecords: what is not a record gives an error, and what is one is written
// again as it was.
func FuzzRecords(f *testing.F) {
	f.Add(appendEnvelope(nil, everything(), place{}))
	f.Add(appendEnvelope(nil, &mail.Envelope{}, place{large: true}))
	f.Add(appendEnvelope(nil, &mail.Envelope{Auth: &smtp.Path{}, DeliverBy: mail.Deadline{Mode: smtp.DeliverByNotify}}, place{}))
	f.Add(appendEnvelope([]byte{}, everything(), place{})[:1])
	f.Add([]byte{recordVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add(appendProgress([]byte{recordVersion}, &everything().Recipients[1].Progress))
	f.Fuzz(func(t *testing.T, record []byte) {
		var p mail.Progress
		_ = decodeProgress(record, &p)
		_, _ = decodeHeld(record)
		_, _ = decodeHead(record)
		e, at, err := decodeEnvelope(mail.ID{9}, record)
		if err != nil {
			return
		}
		again := appendEnvelope(nil, e, at)
		second, at2, err := decodeEnvelope(mail.ID{9}, again)
		if err != nil || at != at2 || compare(e, second) != "" {
			t.Fatalf("%v: %s", err, compare(e, second))
		}
	})
}

// FuzzFormat: the file of the version never does harm.
func FuzzFormat(f *testing.F) {
	f.Add([]byte("weir spool\nversion 1 since 2026-11-24T08:00:00Z\n"))
	f.Add([]byte("weir spool\nversion 99999999999999999999 since\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if version, ok := parseFormat(text); ok && (version < 1 || !bytes.HasPrefix(text, []byte(formatTitle))) {
			t.Errorf("version %d of %q", version, text)
		}
	})
}
