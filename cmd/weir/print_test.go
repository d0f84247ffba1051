package main

import (
	"bytes"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
)

// noon is the time at which everything is printed.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// printed holds what is printed against a golden file.
func printed(t *testing.T, name string, write func(w io.Writer) error) {
	t.Helper()
	var got bytes.Buffer
	if err := write(&got); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "print", name+".txt")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// calm is a relay with time to spare.
func calm() *api.Status {
	measured := int64(25 << 20)
	return &api.Status{
		Version: "1.2.3", Hostname: "mx.example.org", Started: noon.Add(-5 * time.Hour), State: api.StateServing,
		Spool: api.Spool{Messages: 12, Bytes: 3 << 20, Leased: 2, Held: 1},
		Listeners: []api.Listener{
			{Name: "public", Address: "192.0.2.1:25", Protocol: "smtp", TLS: "starttls", State: api.StateServing, Connections: 14},
			{Name: "submission", Address: "192.0.2.1:465", Protocol: "smtp", TLS: "implicit", State: api.StateServing, Connections: 3},
		},
		Admission: &api.Admission{
			Pressure: 0.4, Deciding: "memory",
			Signals: []api.Signal{
				{Name: "load", Reason: "load", Value: 0.25, Unit: "ms", Limit: 5, Hard: 25, Source: "built in", Pressure: 0.05, Effective: 0.05},
				{Name: "memory", Reason: "memory", Value: 164 << 20, Unit: "bytes", Limit: 410 << 20, Hard: 471 << 20, Source: "memory.max of the control group", Pressure: 0.4, Effective: 0.4},
				{Name: "disk", Reason: "disk", Value: 40 << 30, Unit: "bytes", Limit: 1200 << 20, Hard: 100 << 20, Source: "size of the file system", Pressure: 0, Effective: 0},
				{Name: "queue", Reason: "queue", Value: 12, Unit: "messages", Source: "no limit is set"},
				{Name: "storage", Reason: "storage", Value: 8, Unit: "ms", Limit: 1000, Hard: 10000, Source: "8 times the median of 2.1 ms, at least 1 s", Pressure: 0.01, Effective: 0.01},
				{Name: "accept-queue", Reason: "connections", Unavailable: "TCP_INFO is not there on this system"},
			},
			Slots: api.Slots{
				Limit: 64, Used: 7, Room: 192, PeakRate: 812.4, Search: "steady",
				Classes: []api.ClassSlots{{Class: "submission", Used: 3}, {Class: "known"}, {Class: "unknown", Used: 4}},
			},
			Sessions: api.Sessions{Open: 17, Limit: 4000},
			Ledgers: []api.Ledger{
				{Name: "memory", Unit: "bytes", Charged: 12 << 20, Budget: 281 << 20, Measured: &measured},
				{Name: "disk", Unit: "bytes", Charged: 3 << 20},
			},
			Counts: api.Counts{
				Classes: []api.ClassCounts{{Class: "control"}, {Class: "submission", Admitted: 210}, {Class: "unknown", Admitted: 1780, Waited: 3}},
			},
		},
	}
}

// pressedHard is a relay under load that sends a part away.
func pressedHard() *api.Status {
	s := calm()
	a := s.Admission
	a.Pressure, a.Deciding = 1.3, "load"
	a.Signals[0].Value, a.Signals[0].Pressure, a.Signals[0].Effective = 4, 0.8, 1.3
	a.Slots.Used, a.Slots.Waiting, a.Slots.Room, a.Slots.Standing, a.Slots.Search = 64, 20, 24, true, "growing"
	a.Counts.Refused = []api.Refused{
		{Point: "accept", Class: "unknown", Reason: "connections", Count: 31},
		{Point: "accept", Class: "unknown", Reason: "load", Count: 5120},
		{Point: "MAIL", Class: "known", Reason: "load", Count: 2},
	}
	a.Counts.Unheard, a.Counts.Unspoken = 3, 17
	a.Counts.AcceptPaused, a.Counts.RefusalCPU = api.Duration(1400*time.Millisecond), 0.083
	return s
}

func TestStatusIsReadable(t *testing.T) {
	inMaintenance := calm()
	inMaintenance.State, inMaintenance.Problem = api.StateMaintenance, "the relay is in maintenance"
	inMaintenance.Drains = []api.Drain{
		{From: noon.Add(-time.Minute), Until: noon.Add(6*time.Hour + 30*time.Minute), Text: "new disk"},
		{Listener: "submission", From: noon.Add(14 * time.Hour), Until: noon.Add(15 * time.Hour), Window: true},
	}
	inMaintenance.Listeners[0].State, inMaintenance.Listeners[1].State = api.StateMaintenance, api.StateMaintenance
	onePart := calm()
	onePart.Drains = []api.Drain{{Listener: "public", From: noon.Add(-48 * time.Hour)}}
	onePart.Listeners[0].State = api.StateMaintenance
	observing := pressedHard()
	observing.Admission.Observe = true
	observing.Admission.Counts.Refused, observing.Admission.Counts.Observed = nil, 5153
	full := calm()
	full.Admission.Pressure, full.Admission.Deciding = 2, "disk"
	full.Admission.Signals[2].Value, full.Admission.Signals[2].Pressure, full.Admission.Signals[2].Effective = 60<<20, 2, 2
	nearly := calm()
	nearly.Admission.Pressure = 0.94
	bare := calm()
	bare.Admission, bare.State, bare.Listeners = nil, api.StateStopping, nil
	starting := calm()
	starting.Admission, starting.State, starting.Problem, starting.Started = nil, api.StateStarting, "the relay is starting", noon
	broken := calm()
	broken.Problem = "the spool takes no more mail: write db/000042.log: input/output error"
	secured := calm()
	secured.Admission = nil
	secured.Listeners[0].ProxyRefused = 2
	secured.Certificates = []api.Certificate{
		{File: "/etc/weir/tls/fullchain.pem", Names: []string{"mx.example.org", "mail.example.org"}, Expires: noon.Add(60 * 24 * time.Hour)},
		{File: "/etc/weir/tls/old.pem", Names: []string{"old.example.org"}, Expires: noon.Add(-time.Hour), Problem: "reading the certificate: open /etc/weir/tls/old.pem: no such file or directory"},
		{Names: []string{"localhost", "127.0.0.1"}, Expires: noon.Add(90 * 24 * time.Hour)},
	}
	for _, test := range []struct {
		name   string
		status *api.Status
		code   int
	}{
		{"status-certificates", secured, exitOK},
		{"status-calm", calm(), exitOK},
		{"status-pressed", pressedHard(), exitWarning},
		{"status-nearly", nearly, exitOK},
		{"status-full", full, exitWarning},
		{"status-observing", observing, exitWarning},
		{"status-maintenance", inMaintenance, exitWarning},
		{"status-listener", onePart, exitWarning},
		{"status-starting", starting, exitWarning},
		{"status-stopping", bare, exitCritical},
		{"status-broken", broken, exitCritical},
	} {
		printed(t, test.name, func(w io.Writer) error { return writeStatus(w, test.status, noon) })
		if got := healthOf(test.status); got != test.code {
			t.Errorf("%s ends with %d, want %d", test.name, got, test.code)
		}
	}
}

// refused is a refusal because of load.
func refused() api.Decision {
	return api.Decision{
		ID: "7gq2k9xa", Count: 1, Time: noon.Add(-9 * time.Hour), Client: netip.MustParseAddr("192.0.2.7"),
		Net: netip.MustParsePrefix("192.0.2.0/24"), Class: "unknown", Listener: "public", Point: "accept",
		Verdict: api.VerdictRefuse, Reason: "load", Rule: "the pressure sends away a part of this class",
		Measure: &api.Measure{Name: "share of the class", Value: 0.62, Unit: "share"},
		Reply:   "421 4.3.2 mx.example.org Service busy, closing channel; reason=load retry=75s id=7gq2k9xa\r\n",
		Signals: []api.Signal{
			{Name: "load", Reason: "load", Value: 31, Unit: "ms", Limit: 5, Hard: 25, Source: "built in", Pressure: 2, Effective: 2},
			{Name: "memory", Reason: "memory", Value: 164 << 20, Unit: "bytes", Limit: 410 << 20, Hard: 471 << 20, Pressure: 0.4, Effective: 0.4},
		},
		Pressure: 2, Deciding: "load", RetrySeconds: 75,
	}
}

func TestRefusalsAreExplainedInPlainWords(t *testing.T) {
	fallen := refused()
	fallen.Count, fallen.Pressure = 4210, 1.2
	fallen.Signals[0].Value, fallen.Signals[0].Pressure, fallen.Signals[0].Effective = 2, 0.4, 1.2
	disk := refused()
	disk.Reply = strings.Replace(disk.Reply, "reason=load", "reason=disk", 1)
	disk.Reason, disk.Point, disk.Deciding, disk.Session = "disk", "MAIL", "disk", "01KJZ0AB"
	disk.Rule, disk.Measure = "the pressure is at its hard limit", nil
	disk.Signals = []api.Signal{{Name: "disk", Reason: "disk", Value: 60 << 20, Unit: "bytes", Limit: 1200 << 20, Hard: 100 << 20, Source: "size of the file system", Pressure: 2, Effective: 2}}
	drained := refused()
	drained.Reason, drained.Measure, drained.RetrySeconds = "maintenance", nil, 23400
	drained.Rule, drained.Reply = "the listener is in maintenance until 2026-11-24T18:30:00Z: new disk", ""
	rate := refused()
	rate.Reply = ""
	rate.Reason, rate.Point, rate.Rule, rate.Pressure, rate.Deciding = "client-rate", "RCPT", "the limit of recipients is used up", 0.4, "memory"
	rate.Measure, rate.Verdict, rate.Time = &api.Measure{Name: "recipients", Value: 1201, Limit: 1000}, api.VerdictObserve, noon.Add(-50*time.Hour)
	memory := refused()
	memory.Reply = strings.Replace(memory.Reply, "reason=load", "reason=memory", 1)
	memory.Reason, memory.Rule, memory.Pressure = "memory", "the memory for sessions is promised to others", 0.9
	memory.Measure, memory.Deciding = &api.Measure{Name: "memory promised", Value: 225 << 20, Limit: 281 << 20, Unit: "bytes"}, "memory"
	waited := refused()
	waited.Rule, waited.Pressure = "no slot came free in time, and others wait for one too", 0.84
	waited.Measure = &api.Measure{Name: "slots in use", Value: 64, Limit: 64}
	waited.Signals[0].Value, waited.Signals[0].Pressure, waited.Signals[0].Effective = 4.2, 0.84, 0.84
	local := refused()
	local.Reply = "421 4.4.2 mx.example.org Timeout, closing channel; reason=idle id=7gq2k9xa"
	local.Client, local.Net, local.Point, local.Reason, local.RetrySeconds = netip.Addr{}, netip.Prefix{}, "between", "idle", 0
	local.Rule, local.Measure, local.Class = "nothing was said for 10 s \x1b[31m", nil, "control"
	local.Session = "01KJZ0AB"
	everyone := drained
	everyone.Client, everyone.Net, everyone.Point = netip.Addr{}, netip.Prefix{}, "between"
	another := fallen
	another.Client, another.RetrySeconds = netip.MustParseAddr("198.51.100.9"), 82
	third := another
	third.Client, third.Time = netip.MustParseAddr("2001:db8::9"), third.Time.Add(time.Second)
	for name, all := range map[string][]api.Decision{
		"why-load": {refused()}, "why-fallen": {fallen}, "why-disk": {disk}, "why-maintenance": {drained},
		"why-observed": {rate}, "why-memory": {memory}, "why-local": {local}, "why-everyone": {everyone}, "why-waited": {waited},
		"why-many": {disk, fallen, another, third, memory},
	} {
		printed(t, name, func(w io.Writer) error { return writeDecisions(w, all, noon) })
	}
}

func TestAMaintenanceIsAnnounced(t *testing.T) {
	for name, d := range map[string]api.Drain{
		"drain-open":     {From: noon},
		"drain-until":    {From: noon, Until: noon.Add(20 * time.Hour)},
		"drain-listener": {From: noon, Until: noon.Add(time.Hour), Listener: "public"},
	} {
		printed(t, name, func(w io.Writer) error { return writeDrain(w, &d, noon) })
	}
}

func TestWhatSendersAskForIsShown(t *testing.T) {
	ids := mail.NewIDSource(bytes.NewReader(bytes.Repeat([]byte{1}, 64)))
	id, err := ids.Next(noon)
	if err != nil {
		t.Fatal(err)
	}
	later, late, priority := noon.Add(36*time.Hour), noon.Add(37*time.Hour), -4
	held := &api.Message{
		ID: id, Arrived: noon.Add(-time.Hour), Sender: "ada@example.org", Size: 2048, Due: &later,
		HoldUntil: &later, DeliverBy: &late, ReturnIfLate: true, Priority: &priority, RequireTLS: true,
		Client: "192.0.2.7", HELO: "client.example.org", Protocol: "ESMTPS",
		Recipients: []api.Recipient{{Address: "bob@example.net", State: "waiting", Due: &later}},
	}
	printed(t, "queue-wishes", func(w io.Writer) error {
		list := newMessageList(w, false, noon)
		if err := list.add(held); err != nil {
			return err
		}
		if err := list.end(true); err != nil {
			return err
		}
		released := *held
		released.ReturnIfLate = false
		if err := writeMessage(w, held, noon); err != nil {
			return err
		}
		return writeMessage(w, &released, later)
	})
}
