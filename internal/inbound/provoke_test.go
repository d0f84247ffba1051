package inbound

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtpserver"
	"github.com/weirmail/weir/smtptest"
)

// house is the whole room with its admission, and many clients on loopback.
type house struct {
	t         *testing.T
	server    *smtpserver.Server
	admission *admission.Controller
	lifecycle *admission.Lifecycle
	budgets   admission.Budgets
	plan      plan
	address   string
	knocked   chan struct{} // one for each visitor that the door has heard

	mu   sync.Mutex
	now  time.Time
	said map[*smtpserver.Row]bool
}

// plan is what is different about a house.
type plan struct {
	room      Options
	listener  Listener
	admission admission.Options
	state     admission.State
}

// build opens a house. All clients are strangers who may send to anywhere.
func build(t *testing.T, change func(*plan)) *house {
	t.Helper()
	h := raise(t, change)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.address = l.Addr().String()
	h.open(l)
	return h
}

// raise builds a house that is not open yet.
func raise(t *testing.T, change func(*plan)) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), said: map[*smtpserver.Row]bool{}}
	h.lifecycle = admission.NewLifecycle(nil)
	p := plan{
		room: Options{
			Hostname: "relay.test", Spool: &stored{}, Policy: NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, nil),
			IDs: mail.NewIDSource(rand.Reader), Events: (&heard{}).listener(), Now: h.clock,
		},
		listener: Listener{Name: "test", Class: admission.ClassUnknown},
		admission: admission.Options{
			Lifecycle: h.lifecycle, Journal: &admission.Journal{}, Compose: Compose("relay.test"), Random: func(b []byte) { rand.Read(b) },
		},
		state: admission.Serving,
	}
	if change != nil {
		change(&p)
	}
	h.lifecycle.Set(p.state)
	h.admission = admission.New(p.admission, h.now)
	p.room.Admission = h.admission
	h.server = New(p.room).Server(p.listener)
	h.plan = p
	h.listen()
	return h
}

// watched is a door that tells when it has decided about a visitor.
type watched struct {
	smtpserver.Door
	knocked chan<- struct{}
}

func (w *watched) Knock(v *smtpserver.Visitor) {
	w.Door.Knock(v)
	w.knocked <- struct{}{}
}

// listen notes every reply, those of sessions and those at the door.
func (h *house) listen() {
	note := func(row *smtpserver.Row) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.said[row] = true
	}
	h.knocked = make(chan struct{})
	h.server.Door = &watched{h.server.Door, h.knocked}
	reply, refused := h.server.Hooks.Reply, h.server.Hooks.Refused
	h.server.Hooks.Reply = func(c *smtpserver.Conn, e smtpserver.ReplyEvent) {
		note(e.Row)
		reply(c, e)
	}
	h.server.Hooks.Refused = func(v *smtpserver.Visitor, r smtpserver.Refused, heard smtpserver.Heard) {
		note(r.Row)
		refused(v, r, heard)
	}
}

// open lets clients in.
func (h *house) open(l net.Listener) {
	done := make(chan error, 1)
	go func() { done <- h.server.Serve(l) }()
	h.t.Cleanup(func() {
		h.server.Close()
		if err := <-done; !errors.Is(err, smtpserver.ErrServerClosed) {
			h.t.Error(err)
		}
	})
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// tick lets time pass, and says what the sensors measure.
func (h *house) tick(d time.Duration, readings admission.Readings) {
	h.mu.Lock()
	h.now = h.now.Add(d)
	now := h.now
	h.mu.Unlock()
	h.admission.Tick(&readings, h.budgets, now)
}

// press puts one signal at its hard limit.
func (h *house) press(id admission.SignalID) {
	var r admission.Readings
	r[id] = admission.Reading{Value: 2, Target: 1, Hard: 2}
	h.tick(0, r)
}

// client connects somebody, who hears a greeting or why there is none.
func (h *house) client(hears string) *room {
	h.t.Helper()
	r := h.dial()
	r.hear(hears)
	return r
}

// dial connects somebody who has not listened yet.
func (h *house) dial() *room {
	h.t.Helper()
	nc, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	<-h.knocked
	return &room{t: h.t, nc: nc, in: bufio.NewReader(nc)}
}

// greeted is a client that has said EHLO.
func (h *house) greeted() *room {
	h.t.Helper()
	r := h.client("220 ")
	r.say("EHLO client.test", "250 ")
	return r
}

// isOver tells whether the connection is at its end, as it is behind a 421.
func (r *room) isOver() bool {
	_, err := r.in.ReadByte()
	return err == io.EOF
}

// heardRow tells whether the last reply was that of a row, on the wire.
func (r *room) heardRow(row *smtpserver.Row) {
	r.t.Helper()
	before, rest, _ := strings.Cut(row.Text, "{")
	if before == "" {
		_, rest, _ = strings.Cut(rest, "}")
		before, _, _ = strings.Cut("relay.test"+rest, "{")
	}
	want := reply.New(row.Code, row.Status, before).String()
	if !strings.HasPrefix(r.last, want) || !strings.Contains(r.last, "reason="+row.Reason) {
		r.t.Errorf("heard %q, want %q", r.last, row.Text)
	}
}

// goesOn fails where the session has ended.
func (r *room) goesOn() {
	r.t.Helper()
	r.say("NOOP", "250 ")
}

// notes is a memory of greylisting that forgets everything.
type notes struct{ admission.Memory }

func (notes) Get(context.Context, []byte) ([]byte, bool, error)                { return nil, false, nil }
func (notes) Set(context.Context, []byte, []byte) error                        { return nil }
func (notes) Each(context.Context, []byte, func(key, value []byte) bool) error { return nil }

func greylist(t *testing.T, closes bool) *Greylist {
	t.Helper()
	standing, err := admission.LoadStanding(t.Context(), notes{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &Greylist{
		List: admission.NewGreylist(notes{}, standing, admission.GreylistOptions{}), Standing: standing, Closes: closes,
	}
}

// stuck is a spool that has the whole message and takes its time.
type stuck struct {
	stored
	begun, finish chan struct{}
}

func (s *stuck) Put(ctx context.Context, e *mail.Envelope, content io.Reader) error {
	err := s.stored.Put(ctx, e, content)
	s.begun <- struct{}{}
	<-s.finish
	return err
}

const (
	aMail = "MAIL FROM:<ada@example.org>"
	aRcpt = "RCPT TO:<bob@example.net>"
)

// provocation makes the room say a row. What it returns heard it last.
type provocation struct {
	plan  func(*plan)
	start func(h *house) *room
}

// pressed is what a stranger hears at the door while one signal is at its limit.
func pressed(id admission.SignalID) provocation {
	return provocation{start: func(h *house) *room {
		h.press(id)
		return h.client("421 ")
	}}
}

// limited is a provocation where each client has a limit.
func limited(l admission.Limits, start func(h *house) *room) provocation {
	return provocation{plan: func(p *plan) { p.admission.Limits.Client = l }, start: start}
}

// storing is a provocation where the spool fails.
func storing(err error) provocation {
	return provocation{
		plan: func(p *plan) { p.room.Spool = &stored{fail: err} },
		start: func(h *house) *room {
			r := h.greeted()
			r.send("Subject: x\r\n\r\n", "45")
			return r
		},
	}
}

// putOff is a provocation where the recipient is greylisted.
func putOff(t *testing.T, closes bool) provocation {
	return provocation{
		plan: func(p *plan) {
			p.room.Greylist = greylist(t, closes)
			p.room.Policy = NewPolicy(nil, []string{"example.net"})
		},
		start: func(h *house) *room {
			r := h.greeted()
			r.say(aMail, "250 ")
			r.say(aRcpt, "4")
			return r
		},
	}
}

// promised is a provocation where a ledger has room for the session alone.
func promised(b admission.Budgets) provocation {
	return provocation{start: func(h *house) *room {
		h.budgets = b
		h.tick(0, admission.Readings{})
		r := h.greeted()
		r.say(aMail, "45")
		return r
	}}
}

var oneAnHour = admission.Rate{Count: 1, Per: time.Hour}

func provocations(t *testing.T) map[string]provocation {
	return map[string]provocation{
		"relay-denied": {
			plan: func(p *plan) { p.room.Policy = NewPolicy(nil, nil) },
			start: func(h *house) *room {
				r := h.greeted()
				r.say(aMail, "250 ")
				r.say(aRcpt, "550 ")
				return r
			},
		},
		"auth-required": {
			plan: func(p *plan) { withAccounts(t)(p); p.listener.AuthRequired = true },
			start: func(h *house) *room {
				r := h.encrypted()
				r.say(aMail, "530 ")
				return r
			},
		},
		"sender-not-owned": {
			plan: withAccounts(t),
			start: func(h *house) *room {
				r := h.encrypted()
				r.say("AUTH PLAIN "+plainOf("bob", "secret"), "235 ")
				r.say(aMail, "553 ")
				return r
			},
		},
		"auth-malformed": {
			plan: withAccounts(t),
			start: func(h *house) *room {
				r := h.encrypted()
				r.say("AUTH PLAIN eA==", "501 ")
				return r
			},
		},
		"client-failed-auth": {
			plan: func(p *plan) { withAccounts(t)(p); p.admission.Limits.Client.FailedAuth = oneAnHour },
			start: func(h *house) *room {
				r := h.encrypted()
				r.say("AUTH PLAIN "+plainOf("bob", "wrong"), "535 5.7.8 ")
				r.say("AUTH PLAIN "+plainOf("bob", "secret"), "421 ")
				return r
			},
		},
		"auth-busy": {
			plan: withAccounts(t),
			start: func(h *house) *room {
				r := h.encrypted()
				h.press(admission.SignalMemory)
				r.say("AUTH PLAIN "+plainOf("bob", "secret"), "454 ")
				return r
			},
		},
		"routing-loop": {start: func(h *house) *room {
			r := h.greeted()
			r.send(strings.Repeat("Received: from a by b\r\n", 101)+"\r\n", "554 ")
			return r
		}},
		"storage-full": storing(spool.ErrFull),
		"store-failed": storing(errors.New("the disk is on fire")),
		"storage-fault": {
			plan: func(p *plan) {
				failed := make(chan struct{})
				close(failed)
				p.room.Failed = failed
			},
			start: func(h *house) *room { return h.client("421 ") },
		},
		"busy-load":        {plan: oneSlot, start: overload},
		"busy-memory":      pressed(admission.SignalMemory),
		"busy-disk":        pressed(admission.SignalDisk),
		"busy-storage":     pressed(admission.SignalFault),
		"busy-queue":       pressed(admission.SignalQueue),
		"busy-connections": pressed(admission.SignalSessions),
		"relay-starting": {
			plan:  func(p *plan) { p.state = admission.Starting },
			start: func(h *house) *room { return h.client("421 ") },
		},
		"relay-maintenance": {start: func(h *house) *room {
			if err := h.lifecycle.Drain(admission.Drain{}, h.clock()); err != nil {
				h.t.Fatal(err)
			}
			return h.client("421 ")
		}},
		"relay-shutdown": {start: func(h *house) *room {
			r := h.client("220 ")
			h.lifecycle.Set(admission.Stopping)
			if err := h.server.Shutdown(h.t.Context()); err != nil {
				h.t.Error(err)
			}
			r.hear("421 ")
			return r
		}},
		"client-connections": limited(admission.Limits{Connections: 1}, func(h *house) *room {
			h.client("220 ")
			return h.client("421 ")
		}),
		"client-connect-rate": limited(admission.Limits{ConnectionRate: oneAnHour}, func(h *house) *room {
			h.client("220 ")
			return h.client("421 ")
		}),
		"client-rate": limited(admission.Limits{Messages: oneAnHour}, func(h *house) *room {
			r := h.greeted()
			r.send("Subject: x\r\n\r\n", "250 ")
			r.say(aMail, "451 ")
			return r
		}),
		"client-refused-recipients": {
			plan: func(p *plan) {
				p.admission.Limits.Client.Unknown = oneAnHour
				p.room.Policy = NewPolicy(nil, nil)
			},
			start: func(h *house) *room {
				r := h.greeted()
				r.say(aMail, "250 ")
				r.say(aRcpt, "550 ")
				r.say(aRcpt, "421 ")
				return r
			},
		},
		"tls-busy": {
			plan: func(p *plan) { p.listener.TLS = smtptest.NewCA(t).ServerConfig("relay.test") },
			start: func(h *house) *room {
				h.budgets.Memory = 50 << 10
				h.tick(0, admission.Readings{})
				r := h.greeted()
				r.say("STARTTLS", "454 ")
				return r
			},
		},
		"hold-busy": {
			plan: func(p *plan) { p.listener.Offers.FutureRelease = time.Hour },
			start: func(h *house) *room {
				r := h.greeted()
				var busy admission.Readings
				busy[admission.SignalQueue] = admission.Reading{Value: 0.9, Target: 1, Hard: 2}
				h.tick(0, busy)
				r.say("MAIL FROM:<ada@example.org> HOLDFOR=60", "455 ")
				return r
			},
		},
		"greylisted":         putOff(t, false),
		"greylisted-closing": putOff(t, true),
		"disk-promised":      promised(admission.Budgets{Disk: 1 << 10}),
		"memory-promised":    promised(admission.Budgets{Memory: 60 << 10}),
	}
}

func oneSlot(p *plan) {
	p.admission.Slots = 1
	p.room.Spool = &stuck{begun: make(chan struct{}), finish: make(chan struct{})}
}

// overload is the way to be refused for load: processors that are late are a reason
// only where more comes than the slots and the waiting room can take.
func overload(h *house) *room {
	spool := h.plan.room.Spool.(*stuck)
	holder := h.greeted()
	holder.say(aMail, "250 ")
	holder.say(aRcpt, "250 ")
	holder.say("DATA", "354 ")
	io.WriteString(holder.nc, "x\r\n.\r\n")
	<-spool.begun
	h.t.Cleanup(func() {
		close(spool.finish)
		holder.hear("250 ")
	})
	late := h.dial()
	h.tick(3*time.Second, admission.Readings{})
	late.hear("421 ")
	h.press(admission.SignalLoad)
	return h.client("421 ")
}

// TestEveryRowOfThePolicyIsProvoked: each is said by a whole room to a client, closes
// the connection where it is a 421 and only then, and nothing is said that is in no
// table.
func TestEveryRowOfThePolicyIsProvoked(t *testing.T) {
	all := provocations(t)
	for _, row := range Replies() {
		p, ok := all[row.Name]
		if !ok {
			t.Errorf("nothing provokes the row %s", row.Name)
			continue
		}
		delete(all, row.Name)
		t.Run(row.Name, func(t *testing.T) {
			h := build(t, p.plan)
			r := p.start(h)
			r.t = t
			r.heardRow(row)
			if row.Code == reply.ServiceNotAvailable {
				if !r.isOver() {
					t.Error("the connection is open")
				}
			} else {
				r.goesOn()
			}
			h.checkSaid(row)
		})
	}
	for name := range all {
		t.Errorf("a provocation of %s, which is no row", name)
	}
}

// checkSaid looks for a row among what was said, and for what is in no table.
func (h *house) checkSaid(row *smtpserver.Row) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	known := append(smtpserver.Replies(), Replies()...)
	for said := range h.said {
		if !slices.Contains(known, said) {
			h.t.Errorf("the reply %s is in no table", said.Name)
		}
	}
	if !h.said[row] {
		h.t.Errorf("not said; what was is %v", h.said)
	}
}
