package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/xdg-go/scram"
)

// TestOfferedMechanismsFitTheChannel: passwords and tokens never in plain text, and
// nothing that nobody could check.
func TestOfferedMechanismsFitTheChannel(t *testing.T) {
	_, bound := handshake(t, nil, func(c *tls.Config) { c.ClientAuth = tls.VerifyClientCertIfGiven })
	certificates, _ := NewCertificates(NameDNS, nil)
	all := func(o *Options) { o.Certificates, o.Tokens = certificates, tokens{} }
	for _, test := range []struct {
		name    string
		channel *Channel
		options func(*Options)
		want    string
	}{
		{"in plain text", &Channel{}, all, ""},
		{"in plain text, allowed", &Channel{}, func(o *Options) { all(o); o.WithoutTLS = []string{SCRAMSHA256, PLAIN, LOGIN} }, "SCRAM-SHA-256"},
		{"local", private, all, "SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN"},
		{"TLS", bound, all, "SCRAM-SHA-256-PLUS SCRAM-SHA-256 EXTERNAL OAUTHBEARER XOAUTH2 PLAIN LOGIN"},
		{"TLS, expected", &Channel{Private: true, Expected: true}, all, "SCRAM-SHA-256-PLUS SCRAM-SHA-256 EXTERNAL OAUTHBEARER XOAUTH2 PLAIN LOGIN"},
		{"TLS, passwords alone", bound, nil, "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN"},
		{"TLS, chosen", bound, func(o *Options) { all(o); o.Mechanisms = []string{PLAIN, EXTERNAL} }, "EXTERNAL PLAIN"},
		{"TLS, no verifiers", bound, func(o *Options) { o.Directory = passwordsOnly{} }, "PLAIN LOGIN"},
		{"TLS, nothing", bound, func(o *Options) { o.Directory = nil }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.options)
			offered := w.Mechanisms(test.channel)
			if got := strings.Join(offered, " "); got != test.want {
				t.Errorf("offered %q, want %q", got, test.want)
			}
			if test.channel.Expected {
				return
			}
			for _, name := range append(Mechanisms(), "CRAM-MD5") {
				if begun := w.Begin(t.Context(), name, test.channel) != nil; begun != slices.Contains(offered, name) {
					t.Errorf("%s begins: %v", name, begun)
				}
			}
		})
	}
}

// passwordsOnly is a directory that knows no verifiers.
type passwordsOnly struct{}

func (passwordsOnly) Check(context.Context, Credentials) (Identity, error) {
	return Identity{}, denied("", "nobody")
}

// tokens knows the tokens that are names.
type tokens struct{ fail error }

func (tk tokens) CheckToken(_ context.Context, token string) (Identity, error) {
	if tk.fail != nil {
		return Identity{}, tk.fail
	}
	if name, ok := strings.CutPrefix(token, "good-"); ok {
		return Identity{Account: name}, nil
	}
	return Identity{}, denied("", "the token is not active")
}

func (tokens) Scope() string { return "mail" }

// TestExchanges: what clients send, and what they are by it. Without an account the
// error is of the kind that is named.
func TestExchanges(t *testing.T) {
	disabled := quick("eve", "secret", true)
	disabled.Disabled = true
	w := newWorld(t, func(o *Options) { o.Tokens = tokens{} }, quick("ada@example.org", "pässword", false), quick("bob", "secret", false), disabled)
	b := func(s string) []byte { return []byte(s) }
	for _, test := range []struct {
		name, mechanism string
		responses       [][]byte
		account         string
		kind            Kind
	}{
		{"right", PLAIN, [][]byte{b("\x00bob\x00secret")}, "bob", 0},
		{"asked for", PLAIN, [][]byte{nil, b("\x00bob\x00secret")}, "bob", 0},
		{"any case", PLAIN, [][]byte{b("\x00Ada@Example.ORG\x00pässword")}, "ada@example.org", 0},
		{"decomposed", PLAIN, [][]byte{b("\x00ada@example.org\x00pa\u0308ssword")}, "ada@example.org", 0},
		{"for itself", PLAIN, [][]byte{b("BOB\x00bob\x00secret")}, "bob", 0},
		{"for another", PLAIN, [][]byte{b("ada@example.org\x00bob\x00secret")}, "", Denied},
		{"wrong password", PLAIN, [][]byte{b("\x00bob\x00Secret")}, "", Denied},
		{"no account", PLAIN, [][]byte{b("\x00rob\x00secret")}, "", Denied},
		{"disabled", PLAIN, [][]byte{b("\x00eve\x00secret")}, "", Denied},
		{"empty password", PLAIN, [][]byte{b("\x00bob\x00")}, "", Malformed},
		{"empty", PLAIN, [][]byte{b("")}, "", Malformed},
		{"one NUL", PLAIN, [][]byte{b("bob\x00secret")}, "", Malformed},
		{"three NULs", PLAIN, [][]byte{b("\x00bob\x00secret\x00")}, "", Malformed},
		{"long password", PLAIN, [][]byte{b("\x00bob\x00" + strings.Repeat("x", 1025))}, "", Malformed},
		{"no UTF-8", PLAIN, [][]byte{b("\x00b\xffb\x00secret")}, "", Malformed},
		{"right", LOGIN, [][]byte{nil, b("bob"), b("secret")}, "bob", 0},
		{"name with the command", LOGIN, [][]byte{b("bob"), b("secret")}, "bob", 0},
		{"empty initial response", LOGIN, [][]byte{b(""), b("bob"), b("secret")}, "bob", 0},
		{"wrong password", LOGIN, [][]byte{nil, b("bob"), b("sesame")}, "", Denied},
		{"empty name", LOGIN, [][]byte{nil, b(""), b("secret")}, "", Malformed},
		{"right", OAUTHBEARER, [][]byte{b("n,a=bob,\x01host=h\x01port=587\x01auth=Bearer good-bob\x01\x01")}, "bob", 0},
		{"unnamed", OAUTHBEARER, [][]byte{nil, b("n,,\x01auth=bearer good-bob\x01\x01")}, "bob", 0},
		{"of no file", OAUTHBEARER, [][]byte{b("n,,\x01auth=Bearer good-carol\x01\x01")}, "carol", 0},
		{"disabled", OAUTHBEARER, [][]byte{b("n,,\x01auth=Bearer good-eve\x01\x01"), b("\x01")}, "", Denied},
		{"for another", OAUTHBEARER, [][]byte{b("n,a=ada,\x01auth=Bearer good-bob\x01\x01"), b("\x01")}, "", Denied},
		{"bad token", OAUTHBEARER, [][]byte{b("n,,\x01auth=Bearer bad\x01\x01"), b("\x01")}, "", Denied},
		{"no header", OAUTHBEARER, [][]byte{b("auth=Bearer good-bob\x01\x01")}, "", Malformed},
		{"no token", OAUTHBEARER, [][]byte{b("n,,\x01host=h\x01\x01")}, "", Malformed},
		{"two tokens", OAUTHBEARER, [][]byte{b("n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01")}, "", Malformed},
		{"basic", OAUTHBEARER, [][]byte{b("n,,\x01auth=Basic good-bob\x01\x01")}, "", Malformed},
		{"a line end in the token", OAUTHBEARER, [][]byte{b("n,,\x01auth=Bearer good-bob\r\nx\x01\x01")}, "", Malformed},
		{"not ended", OAUTHBEARER, [][]byte{b("n,,\x01auth=Bearer good-bob\x01")}, "", Malformed},
		{"right", XOAUTH2, [][]byte{b("user=bob\x01auth=Bearer good-bob\x01\x01")}, "bob", 0},
		{"for another", XOAUTH2, [][]byte{b("user=ada\x01auth=Bearer good-bob\x01\x01"), b("")}, "", Denied},
		{"bad token", XOAUTH2, [][]byte{b("user=bob\x01auth=Bearer bad\x01\x01"), b("")}, "", Denied},
		{"no user", XOAUTH2, [][]byte{b("auth=Bearer good-bob\x01\x01")}, "", Malformed},
	} {
		t.Run(test.mechanism+" "+test.name, func(t *testing.T) {
			_, who, err := w.talk(private, test.mechanism, test.responses...)
			if kindOf(err) != test.kind || who.Account != test.account {
				t.Fatalf("%+v, %v; want the account %q, or the kind %d", who, err, test.account, test.kind)
			}
			if err == nil && (who.Mechanism != test.mechanism || !slices.Equal(who.Senders, Senders{SelfSender})) {
				t.Errorf("%+v", who)
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "good-") || strings.Contains(err.Error(), "rob")) {
				t.Errorf("the error tells what was sent: %v", err)
			}
		})
	}
}

// TestABadTokenIsExplained: by a challenge, before the failure.
func TestABadTokenIsExplained(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Tokens = tokens{} })
	for mechanism, want := range map[string]string{
		OAUTHBEARER: `{"status":"invalid_token","schemes":"bearer","scope":"mail"}`,
		XOAUTH2:     `{"status":"401","schemes":"bearer","scope":"mail"}`,
	} {
		message := map[string]string{OAUTHBEARER: "n,,\x01", XOAUTH2: "user=a\x01"}[mechanism] + "auth=Bearer bad\x01\x01"
		challenges, _, err := w.talk(private, mechanism, []byte(message), []byte("\x01"))
		if kindOf(err) != Denied || len(challenges) != 1 || challenges[0] != want {
			t.Errorf("%s: %q, %v", mechanism, challenges, err)
		}
	}
	w = newWorld(t, func(o *Options) { o.Tokens = tokens{fail: unavailable("nobody answers", nil)} })
	if _, _, err := w.talk(private, OAUTHBEARER, []byte("n,,\x01auth=Bearer x\x01\x01")); kindOf(err) != Unavailable {
		t.Errorf("%v", err)
	}
}

// TestWrongNamesCostWhatWrongPasswordsDo: as many computations, and the same kind of
// failure.
func TestWrongNamesCostWhatWrongPasswordsDo(t *testing.T) {
	disabled := quick("eve", "secret", true)
	disabled.Disabled = true
	onlySCRAM := quick("sam", "secret", true)
	onlySCRAM.password = nil
	w := newWorld(t, nil, quick("bob", "secret", true), disabled, &User{Name: "nothing"}, onlySCRAM)
	for _, name := range []string{"bob", "nobody", "eve", "nothing", "sam", "x@example.org"} {
		before := w.hasher.runs.Load()
		_, _, err := w.talk(private, PLAIN, []byte("\x00"+name+"\x00wrong"))
		if kindOf(err) != Denied {
			t.Errorf("%s: %v", name, err)
		}
		if n := w.hasher.runs.Load() - before; n != 1 {
			t.Errorf("%s: %d computations, want 1", name, n)
		}
	}
	// The dummy is of the kind that most accounts are.
	if kind := workOf(w.file.now().likely); kind != "argon2id 8 1 1" {
		t.Errorf("the work for nobody is %s", kind)
	}
}

// scramClient runs the library's client against the service.
func scramClient(t *testing.T, w *world, ch *Channel, mechanism, name, password string, talk func(*scram.Client) *scram.ClientConversation) (Identity, error) {
	t.Helper()
	client, err := scram.SHA256.NewClient(name, password, "")
	if err != nil {
		t.Fatal(err)
	}
	conversation := talk(client)
	e := w.Begin(t.Context(), mechanism, ch)
	if e == nil {
		t.Fatalf("%s is not offered", mechanism)
	}
	challenge := ""
	for range 4 {
		response, err := conversation.Step(challenge)
		if err != nil {
			return Identity{}, err
		}
		next, done, err := e.Next([]byte(response))
		if err != nil {
			return Identity{}, err
		}
		if done {
			if !conversation.Valid() {
				t.Error("the client does not believe the server")
			}
			return e.Identity(), nil
		}
		challenge = string(next)
		if conversation.Done() {
			break
		}
	}
	// The server's proof is answered with nothing.
	if _, done, err := e.Next([]byte{}); err != nil || !done {
		return Identity{}, err
	}
	return e.Identity(), nil
}

func unbound(c *scram.Client) *scram.ClientConversation { return c.NewConversation() }

func TestSCRAM(t *testing.T) {
	disabled := quick("eve", "secret", true)
	disabled.Disabled = true
	w := newWorld(t, nil, quick("bob", "secret", true), quick("plain", "secret", false), quick("zoë", "pässword", true), disabled)
	for _, test := range []struct {
		name, password, account string
	}{
		{"bob", "secret", "bob"},
		{"Bob", "secret", "bob"},
		{"zoe\u0308", "pa\u0308ssword", "zoë"},
		{"bob", "wrong", ""},
		{"nobody", "secret", ""},
		{"plain", "secret", ""}, // has no verifier
		{"eve", "secret", ""},
	} {
		who, err := scramClient(t, w, private, SCRAMSHA256, test.name, test.password, unbound)
		if who.Account != test.account || (test.account == "") != (kindOf(err) == Denied) {
			t.Errorf("%s with %s: %+v, %v", test.name, test.password, who, err)
		}
	}
}

// TestNobodyLooksLikeSomebodyToSCRAM: the salt of an account that does not exist is
// always the same, is no other's, and comes with the iterations of the others.
func TestNobodyLooksLikeSomebodyToSCRAM(t *testing.T) {
	w := newWorld(t, nil, quick("bob", "secret", true), quick("plain", "x", false))
	first := func(w *world, name string) string {
		e := w.Begin(t.Context(), SCRAMSHA256, private)
		challenge, _, err := e.Next([]byte("n,,n=" + name + ",r=nonce"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, rest, _ := strings.Cut(string(challenge), ",s=")
		return rest
	}
	seen := map[string]bool{}
	for _, name := range []string{"bob", "nobody", "plain", "somebody"} {
		salt := first(w, name)
		if !strings.HasSuffix(salt, ",i=4096") || len(salt) != len(first(w, "bob")) {
			t.Errorf("%s: %q", name, salt)
		}
		if seen[salt] || salt != first(w, name) || name != "bob" && salt != first(newWorld(t, nil, quick("bob", "secret", true)), name) {
			t.Errorf("the salt of %s is another's, or not always the same", name)
		}
		seen[salt] = true
	}
}

func TestSCRAMIsBoundToTheConnection(t *testing.T) {
	mine, server := handshake(t, nil, nil)
	server.EndPoint = []byte("hash of the certificate")
	others, _ := handshake(t, nil, nil)
	w := newWorld(t, nil, quick("bob", "secret", true))
	exporter := func(ch *Channel) scram.ChannelBinding {
		b, err := scram.NewTLSExporterBinding(ch.TLS)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	endPoint := func(data string) scram.ChannelBinding {
		return scram.ChannelBinding{Type: scram.ChannelBindingTLSServerEndpoint, Data: []byte(data)}
	}
	bound := func(b scram.ChannelBinding) func(*scram.Client) *scram.ClientConversation {
		return func(c *scram.Client) *scram.ClientConversation { return c.NewConversationWithChannelBinding(b) }
	}
	for _, test := range []struct {
		name, mechanism string
		talk            func(*scram.Client) *scram.ClientConversation
		kind            Kind
	}{
		{"exporter", SCRAMSHA256Plus, bound(exporter(mine)), 0},
		{"end point", SCRAMSHA256Plus, bound(endPoint("hash of the certificate")), 0},
		{"somebody between", SCRAMSHA256Plus, bound(exporter(others)), Denied},
		{"another certificate", SCRAMSHA256Plus, bound(endPoint("another")), Denied},
		{"unbound with PLUS", SCRAMSHA256Plus, unbound, Malformed},
		{"bound without PLUS", SCRAMSHA256, bound(exporter(mine)), Malformed},
		{"unbound", SCRAMSHA256, unbound, 0},
		{"a kind that is not possible", SCRAMSHA256Plus, bound(scram.NewTLSUniqueBinding([]byte("x"))), Malformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			who, err := scramClient(t, w, server, test.mechanism, "bob", "secret", test.talk)
			if kindOf(err) != test.kind || (err == nil) != (who.Account == "bob") {
				t.Errorf("%+v, %v", who, err)
			}
		})
	}
}

// TestTheBindingIsNotBargainedAway: a client that says that it would have used PLUS,
// had it been offered, has been lied to where it was.
func TestTheBindingIsNotBargainedAway(t *testing.T) {
	_, server := handshake(t, nil, nil)
	w := newWorld(t, nil, quick("bob", "secret", true))
	first := []byte("y,,n=bob,r=nonce")
	if _, _, err := w.Begin(t.Context(), SCRAMSHA256, server).Next(first); kindOf(err) != Denied {
		t.Errorf("where PLUS is offered: %v", err)
	}
	if _, _, err := w.Begin(t.Context(), SCRAMSHA256, private).Next(first); err != nil {
		t.Errorf("where it is not: %v", err)
	}
	without := newWorld(t, func(o *Options) { o.Mechanisms = []string{SCRAMSHA256} }, quick("bob", "secret", true))
	if _, _, err := without.Begin(t.Context(), SCRAMSHA256, server).Next(first); err != nil {
		t.Errorf("where it is not wanted: %v", err)
	}
}

// TestTheProofOfTheServerIsPartOfTheExchange: before the client has it nobody is
// anybody.
func TestTheProofOfTheServerIsPartOfTheExchange(t *testing.T) {
	w := newWorld(t, nil, quick("bob", "secret", true))
	client, _ := scram.SHA256.NewClient("bob", "secret", "")
	talk := client.NewConversation()
	e := w.Begin(t.Context(), SCRAMSHA256, private)
	first, _ := talk.Step("")
	challenge, _, err := e.Next([]byte(first))
	if err != nil {
		t.Fatal(err)
	}
	proof, err := talk.Step(string(challenge))
	if err != nil {
		t.Fatal(err)
	}
	if _, done, err := e.Next([]byte(proof)); done || err != nil || e.Identity().Account != "" {
		t.Errorf("done %v, %v, %+v", done, err, e.Identity())
	}
	if _, done, err := e.Next([]byte("more")); done || kindOf(err) != Malformed {
		t.Errorf("a message behind the last: %v, %v", done, err)
	}
}

func TestEXTERNAL(t *testing.T) {
	_, ch := handshake(t, nil, func(c *tls.Config) { c.ClientAuth = tls.VerifyClientCertIfGiven })
	_, none := handshake(t, func(c *tls.Config) { c.Certificates = nil }, func(c *tls.Config) { c.ClientAuth = tls.VerifyClientCertIfGiven })
	disabled := quick("printer.example.org", "x", false)
	disabled.Disabled = true
	for _, test := range []struct {
		name    string
		part    CertificateName
		prints  map[string]string
		users   []*User
		authzid string
		account string
	}{
		{"by host name", NameDNS, nil, nil, "", "printer.example.org"},
		{"by common name", NameCommon, nil, nil, "", "smtptest"},
		{"for itself", NameDNS, nil, nil, "Printer.Example.org", "printer.example.org"},
		{"for another", NameDNS, nil, nil, "ada", ""},
		{"no such name", NameEmail, nil, nil, "", ""},
		{"disabled", NameDNS, nil, []*User{disabled}, "", ""},
		{"by fingerprint", "", map[string]string{fingerprint(ch): "printer"}, nil, "", "printer"},
		{"fingerprint before name", NameDNS, map[string]string{fingerprint(ch): "printer"}, nil, "", "printer"},
		{"another fingerprint", "", map[string]string{strings.Repeat("00", 32): "printer"}, nil, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := NewCertificates(test.part, test.prints)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, func(o *Options) { o.Certificates = c }, test.users...)
			_, who, err := w.talk(ch, EXTERNAL, nil, []byte(test.authzid))
			if who.Account != test.account || (test.account == "") != (kindOf(err) == Denied) {
				t.Errorf("%+v, %v", who, err)
			}
			if offered := w.Mechanisms(none); slices.Contains(offered, EXTERNAL) {
				t.Errorf("without a certificate %v are offered", offered)
			}
		})
	}
	for _, text := range []string{"", "00", strings.Repeat("zz", 32), strings.Repeat("00", 33)} {
		if _, err := NewCertificates(NameDNS, map[string]string{text: "a"}); err == nil {
			t.Errorf("%q is taken for a fingerprint", text)
		}
	}
}

func fingerprint(ch *Channel) string {
	raw := ch.TLS.PeerCertificates[0].Raw
	return printOf(raw)
}

// TestAnAccountOfTheFileBringsItsSenders, however it was shown.
func TestAnAccountOfTheFileBringsItsSenders(t *testing.T) {
	u := quick("bob", "secret", true)
	u.Senders = Senders{"@example.org"}
	w := newWorld(t, func(o *Options) { o.Tokens = tokens{} }, u)
	for mechanism, message := range map[string]string{PLAIN: "\x00bob\x00secret", XOAUTH2: "user=bob\x01auth=Bearer good-bob\x01\x01"} {
		_, who, err := w.talk(private, mechanism, []byte(message))
		if err != nil || !slices.Equal(who.Senders, u.Senders) {
			t.Errorf("%s: %+v, %v", mechanism, who, err)
		}
	}
	if who, err := w.Vouched("BOB", ""); err != nil || !slices.Equal(who.Senders, u.Senders) {
		t.Errorf("vouched for: %+v, %v", who, err)
	}
}

// TestBusyHashingFailsForNow: the client is not told that its password is wrong.
func TestBusyHashingFailsForNow(t *testing.T) {
	w := newWorld(t, nil, quick("bob", "secret", false))
	if err := w.hasher.slots.Acquire(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	w.hasher.wait = 1 // a nanosecond
	_, _, err := w.talk(private, PLAIN, []byte("\x00bob\x00secret"))
	var e *Error
	if !errors.As(err, &e) || e.Kind != Busy || w.hasher.runs.Load() != 0 {
		t.Errorf("%v, %d computations", err, w.hasher.runs.Load())
	}
	w.hasher.slots.Release(1)
	w.hasher.wait = 1e9
	if _, _, err := w.talk(private, PLAIN, []byte("\x00bob\x00secret")); err != nil {
		t.Error(err)
	}
}
