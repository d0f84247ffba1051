package inbound

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xdg-go/scram"

	"github.com/weirmail/weir/internal/inbound/admission"
	"github.com/weirmail/weir/internal/inbound/auth"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpserver"
	"github.com/weirmail/weir/smtptest"
)

func plainOf(name, password string) string {
	return base64.StdEncoding.EncodeToString([]byte("\x00" + name + "\x00" + password))
}

// accounts is a service that knows bob, whose password is secret and who may send as
// @bob.test, and ada@example.org, who may send as herself.
func accounts(t *testing.T, change func(*auth.Options)) *auth.Service {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users")
	err := auth.EditUsers(path, func(us *auth.Users) error {
		for _, u := range []*auth.User{{Name: "bob", Senders: auth.Senders{"@bob.test"}}, {Name: "ada@example.org"}} {
			if err := u.SetPassword("secret", true); err != nil {
				return err
			}
			if err := us.Add(u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	file, err := auth.OpenUserFile(auth.UserFileOptions{Path: path, Hasher: auth.NewHasher(0, 0), Secret: []byte("x"), Report: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	o := auth.Options{Directory: file, Senders: auth.Senders{auth.SelfSender}}
	if change != nil {
		change(&o)
	}
	return auth.New(o)
}

// withAccounts is a house whose clients may send to nobody before they have shown who
// they are.
func withAccounts(t *testing.T) func(*plan) {
	return func(p *plan) {
		p.room.Policy = NewPolicy(nil, nil)
		p.listener.Auth, p.listener.TLS = accounts(t, nil), smtptest.NewCA(t).ServerConfig("relay.test")
	}
}

// encrypted is a client that has said EHLO behind STARTTLS.
func (h *house) encrypted() *room {
	h.t.Helper()
	r := h.greeted()
	r.startTLS()
	return r
}

func (r *room) startTLS() {
	r.t.Helper()
	r.say("STARTTLS", "220 ")
	r.encrypt()
	r.say("EHLO client.test", "250 ")
}

// submission is a room that takes mail from accounts alone.
func submission(t *testing.T, change func(*Options, *Listener)) *room {
	t.Helper()
	r := enter(t, func(o *Options, l *Listener) {
		o.Policy = NewPolicy(nil, nil)
		l.Auth, l.AuthRequired, l.TLS = accounts(t, nil), true, smtptest.NewCA(t).ServerConfig("relay.test")
		if change != nil {
			change(o, l)
		}
	})
	r.say("EHLO client.test", "250 ")
	return r
}

// TestSubmission: the way of a mail client, with what it hears where it goes astray.
func TestSubmission(t *testing.T) {
	r := submission(t, nil)
	r.say("MAIL FROM:<ada@example.org>", "530 5.7.0 Authentication required, use STARTTLS first; reason=auth-required")
	r.say("AUTH PLAIN "+plainOf("ada@example.org", "secret"), "504 5.5.4 ")
	r.startTLS()
	r.say("MAIL FROM:<ada@example.org>", "530 5.7.0 Authentication required; reason=auth-required")
	r.say("AUTH PLAIN "+plainOf("ada@example.org", "wrong"), "535 5.7.8 ")
	r.say("AUTH PLAIN "+plainOf("nobody", "secret"), "535 5.7.8 ")
	r.say("AUTH PLAIN eA==", "501 5.5.2 Not a message of PLAIN: ")
	r.say("AUTH PLAIN "+plainOf("Ada@Example.org", "secret"), "235 2.7.0 ")
	r.say("AUTH PLAIN "+plainOf("bob", "secret"), "503 5.5.1 ")
	r.say("MAIL FROM:<eve@example.org>", "553 5.7.1 Account ada@example.org may not send as <eve@example.org>, but as: ada@example.org; reason=sender-rejected")
	r.say("MAIL FROM:<>", "553 5.7.1 ")
	r.send("Subject: x\r\n\r\n", "250 2.0.0 ")
	e, content := r.spool.only(t)
	if e.Origin.Protocol != "ESMTPSA" || !strings.Contains(content, " with ESMTPSA id ") || e.Origin.Account != "ada@example.org" {
		t.Errorf("the origin is %+v", e.Origin)
	}
	r.say("QUIT", "221 ")
	r.events.mu.Lock()
	defer r.events.mu.Unlock()
	var told []string
	for _, e := range r.events.signedIn {
		told = append(told, fmt.Sprint(e.Mechanism, " ", e.Account, " ", e.Failed, " ", e.Problem))
		if e.Listener != "test" || e.Session == "" || !e.Client.IsValid() {
			t.Errorf("told %+v", e)
		}
	}
	if want := []string{
		"PLAIN ada@example.org true the password is wrong", "PLAIN  true there is no such account",
		"PLAIN  true the message is not one of PLAIN: two NULs part it", "PLAIN ada@example.org false ",
	}; !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
}

// TestAnAccountMaySendToAnywhere, and others may still send to the domains that mail is
// taken for, where no account is required.
func TestAnAccountMaySendToAnywhere(t *testing.T) {
	r := submission(t, func(o *Options, l *Listener) {
		l.AuthRequired, o.Policy = false, NewPolicy(nil, []string{"example.com"})
	})
	r.startTLS()
	r.say("MAIL FROM:<ada@bob.test>", "250 ")
	r.say("RCPT TO:<x@example.net>", "550 5.7.1 ")
	r.say("RCPT TO:<x@example.com>", "250 ")
	r.say("AUTH PLAIN "+plainOf("bob", "secret"), "503 ") // not in a transaction
	r.say("RSET", "250 ")
	r.say("AUTH PLAIN "+plainOf("bob", "secret"), "235 ")
	r.say("MAIL FROM:<ada@bob.test>", "250 ")
	r.say("RCPT TO:<x@example.net>", "250 ")
}

// TestSCRAMBeforeTLSIsForgottenBehindIt: where SCRAM is allowed in plain text; behind
// the handshake the client is nobody.
func TestSCRAMBeforeTLSIsForgottenBehindIt(t *testing.T) {
	r := submission(t, func(_ *Options, l *Listener) {
		l.Auth = accounts(t, func(o *auth.Options) { o.WithoutTLS = []string{auth.SCRAMSHA256} })
	})
	r.say("AUTH PLAIN "+plainOf("bob", "secret"), "504 ")
	r.scram(auth.SCRAMSHA256, nil)
	r.say("MAIL FROM:<a@bob.test>", "250 ")
	r.say("RSET", "250 ")
	r.startTLS()
	r.say("MAIL FROM:<a@bob.test>", "530 ")
	state := r.nc.(*tls.Conn).ConnectionState()
	binding, err := scram.NewTLSExporterBinding(&state)
	if err != nil {
		t.Fatal(err)
	}
	r.scram(auth.SCRAMSHA256Plus, &binding)
	r.say("MAIL FROM:<a@bob.test>", "250 ")
}

// scram signs bob in by the client of the library.
func (r *room) scram(mechanism string, binding *scram.ChannelBinding) {
	r.t.Helper()
	client, err := scram.SHA256.NewClient("bob", "secret", "")
	if err != nil {
		r.t.Fatal(err)
	}
	talk := client.NewConversation()
	if binding != nil {
		talk = client.NewConversationWithChannelBinding(*binding)
	}
	line, challenge := "AUTH "+mechanism+" ", ""
	for !talk.Done() {
		response, err := talk.Step(challenge)
		if err != nil {
			r.t.Fatal(err)
		}
		if talk.Done() && response == "" {
			break
		}
		said := r.say(line+base64.StdEncoding.EncodeToString([]byte(response)), "334 ")
		text, err := base64.StdEncoding.DecodeString(said[len("334 "):])
		if err != nil {
			r.t.Fatal(err)
		}
		line, challenge = "", string(text)
	}
	if !talk.Valid() {
		r.t.Error("the server has not shown who it is")
	}
	r.say("", "235 ")
}

// TestACancelledProofIsNobody: the client takes back what it had all but finished.
func TestACancelledProofIsNobody(t *testing.T) {
	r := submission(t, nil)
	r.startTLS()
	r.say("AUTH LOGIN", "334 VXNlcm5hbWU6")
	r.say(base64.StdEncoding.EncodeToString([]byte("bob")), "334 UGFzc3dvcmQ6")
	r.say("*", "501 5.7.0 ")
	r.say("MAIL FROM:<a@bob.test>", "530 ")
	r.say("AUTH LOGIN", "334 ")
	r.say(base64.StdEncoding.EncodeToString([]byte("bob")), "334 ")
	r.say(base64.StdEncoding.EncodeToString([]byte("secret")), "235 ")
	r.say("MAIL FROM:<a@bob.test>", "250 ")
}

// TestWhoComesByALocalSocketNeedsNoTLS.
func TestWhoComesByALocalSocketNeedsNoTLS(t *testing.T) {
	r := enterOn(t, "unix", filepath.Join(t.TempDir(), "smtp"), func(_ *Options, l *Listener) {
		l.Auth, l.AuthRequired = accounts(t, nil), true
	})
	r.say("EHLO localhost", "250 ")
	r.say("MAIL FROM:<a@bob.test>", "530 ")
	r.say("AUTH PLAIN "+plainOf("bob", "secret"), "235 ")
	r.say("MAIL FROM:<a@bob.test>", "250 ")
}

// TestEXTERNAL: a certificate that the handshake has verified is an account.
func TestEXTERNAL(t *testing.T) {
	ca := smtptest.NewCA(t)
	certificates, err := auth.NewCertificates(auth.NameDNS, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := submission(t, func(_ *Options, l *Listener) {
		l.TLS = ca.ServerConfig("relay.test")
		l.TLS.ClientAuth, l.TLS.ClientCAs = tls.VerifyClientCertIfGiven, ca.Pool()
		l.Auth = auth.New(auth.Options{Certificates: certificates, Senders: auth.Senders{auth.AnySender}})
	})
	r.say("AUTH EXTERNAL =", "504 ")
	r.say("STARTTLS", "220 ")
	config := ca.ClientConfig("relay.test")
	config.Certificates = []tls.Certificate{ca.Issue("printer.example.org")}
	secure := tls.Client(r.nc, config)
	r.nc = secure
	r.in.Reset(secure)
	r.say("EHLO client.test", "250 ")
	r.say("AUTH EXTERNAL =", "235 ")
	r.send("x\r\n", "250 ")
	if e, _ := r.spool.only(t); e.Origin.Account != "printer.example.org" {
		t.Errorf("the origin is %+v", e.Origin)
	}
}

// TestTheLoginOfATrustedProxyCounts as if it had been checked here.
func TestTheLoginOfATrustedProxyCounts(t *testing.T) {
	r := enter(t, func(o *Options, l *Listener) {
		o.Policy = NewPolicy(nil, nil)
		l.Offers = smtpserver.Offers{XCLIENT: func(net.Addr) bool { return true }}
		l.Auth, l.AuthRequired = accounts(t, nil), true
	})
	r.say("EHLO proxy.test", "250 ")
	r.say("MAIL FROM:<a@bob.test>", "530 ")
	r.say("XCLIENT ADDR=192.0.2.7 LOGIN=bob", "220 ")
	r.say("EHLO client.test", "250 ")
	r.say("MAIL FROM:<a@example.org>", "553 ")
	r.say("MAIL FROM:<a@bob.test>", "250 ")
	r.say("RSET", "250 ")
	r.say("XCLIENT LOGIN=[UNAVAILABLE]", "220 ")
	r.say("EHLO client.test", "250 ")
	r.say("MAIL FROM:<a@bob.test>", "530 ")
}

// TestAccountsAreAdmittedAsSubmission, and their failures are counted and recorded.
func TestAccountsAreAdmittedAsSubmission(t *testing.T) {
	h := build(t, func(p *plan) {
		withAccounts(t)(p)
		p.admission.Limits.Account.Messages = oneAnHour
		p.admission.Limits.Client.FailedAuth = admission.Rate{Count: 2, Per: time.Hour}
	})
	r := h.encrypted()
	r.say("AUTH PLAIN "+plainOf("bob", "wrong"), "535 ")
	r.say("AUTH PLAIN "+plainOf("bob", "secret"), "235 ")
	for _, want := range []string{"250 ", "451 4.7.1 "} {
		r.say("MAIL FROM:<a@bob.test>", want)
		if want == "250 " {
			r.say("RCPT TO:<x@example.net>", "250 ")
			r.say("DATA", "354 ")
			r.say("x\r\n.", "250 ")
		}
	}
	records := h.admission.Decisions(1, func(*admission.Record) bool { return true })
	if len(records) != 1 || records[0].Class != admission.ClassSubmission || records[0].Name != "the account's messages in a time" {
		t.Errorf("recorded %+v", records)
	}
	r.say("QUIT", "221 ")
	r = h.encrypted()
	r.say("AUTH PLAIN "+plainOf("bob", "wrong"), "535 ")
	r.say("AUTH PLAIN "+plainOf("bob", "wrong"), "421 4.7.0 ")
	records = h.admission.Decisions(1, func(*admission.Record) bool { return true })
	if len(records) != 1 || records[0].Point != admission.PointAUTH {
		t.Errorf("recorded %+v", records)
	}
}

// TestCrowdedHashingIsTold: by a temporary reply with a record, not as a failure.
func TestCrowdedHashingIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"busy":        {&auth.Error{Kind: auth.Busy, Why: "x"}, "454 4.7.0 Authentication busy"},
		"unavailable": {&auth.Error{Kind: auth.Unavailable, Why: "the directory", Err: context.DeadlineExceeded}, "454 4.7.0 Authentication is not possible"},
		"unknown":     {context.DeadlineExceeded, "454 4.7.0 Authentication is not possible"},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t, func(p *plan) {
				withAccounts(t)(p)
				p.listener.Auth = auth.New(auth.Options{Directory: failing{test.err}})
				p.admission.Limits.Client.FailedAuth = oneAnHour
			})
			r := h.encrypted()
			for range 3 {
				r.say("AUTH PLAIN "+plainOf("bob", "secret"), test.want)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Check(context.Context, auth.Credentials) (auth.Identity, error) {
	return auth.Identity{}, f.err
}

// TestTheKeywordSaysWhoWasAuthenticated: those of RFC 3848 and RFC 6531.
func TestTheKeywordSaysWhoWasAuthenticated(t *testing.T) {
	for want, c := range map[string][5]bool{
		"SMTP": {false, false, true, false, true}, "ESMTPA": {true, false, false, false, true}, "ESMTPSA": {true, false, true, false, true},
		"LMTPA": {true, true, false, false, true}, "LMTPSA": {true, true, true, false, true}, "UTF8SMTPA": {true, false, false, true, true},
		"UTF8SMTPSA": {true, false, true, true, true}, "UTF8LMTPA": {true, true, false, true, true}, "UTF8LMTPSA": {true, true, true, true, true},
	} {
		if got := protocol(c[0], c[1], c[2], c[3], c[4]); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestTheSubmitterIsTheAccountsOwn: AUTH= of MAIL is believed as far as the account may
// send as that.
func TestTheSubmitterIsTheAccountsOwn(t *testing.T) {
	own, other := smtp.Path{Local: "a", Domain: "bob.test"}, smtp.Path{Local: "a", Domain: "example.org"}
	s := &session{as: &auth.Identity{Account: "bob", Senders: auth.Senders{"@bob.test"}}, trusted: true}
	if got := s.submitter(&own); *got != own {
		t.Errorf("its own: %v", got)
	}
	if got := s.submitter(&other); !got.IsNull() {
		t.Errorf("another's: %v", got)
	}
	if got := s.submitter(nil); got != nil {
		t.Errorf("nobody's: %v", got)
	}
}

// TestStandingsOfClients: who may send as anybody, who as some, and who as nobody.
func TestStandingsOfClients(t *testing.T) {
	bound := &auth.Identity{Account: "bob", Senders: auth.Senders{"@bob.test"}}
	anybody := &auth.Identity{Account: "app", Senders: auth.Senders{"<>", "*"}}
	for _, test := range []struct {
		name string
		as   *auth.Identity
		near bool // of a trusted network
		want mail.Standing
	}{
		{"a stranger", nil, false, mail.Stranger},
		{"a client of a trusted network", nil, true, mail.Trusted},
		{"an account with senders of its own", bound, false, mail.Bound},
		{"the same in a trusted network", bound, true, mail.Bound},
		{"an account that may send as anybody", anybody, false, mail.Trusted},
	} {
		s := &session{as: test.as, trusted: test.near}
		if got := s.standing(); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// TestRepliesToAccountsAreASCII, whatever the account is called.
func TestRepliesToAccountsAreASCII(t *testing.T) {
	s := &session{listener: &Listener{}, as: &auth.Identity{Account: "zoë", Senders: auth.Senders{"zoë@example.org"}}}
	err := s.mayUse(smtp.Path{Local: "é", Domain: "example.org"})
	refused, ok := err.(*smtpserver.Refusal)
	if !ok || refused.Row.Code != reply.MailboxNameNotAllowed || strings.ContainsFunc(refused.Error(), func(r rune) bool { return r > '~' }) {
		t.Errorf("%v", err)
	}
}
