package smtpclient

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/xdg-go/scram"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

// scramServer is a server that knows bob, as far as AUTH.
type scramServer struct {
	mechanisms string
	maxVersion uint16 // of TLS
	refuse     string // a mechanism answered with 504
	mute       bool   // its last message is 235, without the proof
	liar       bool   // its proof is wrong
	challenge  string // in place of its first message

	line *bufio.ReadWriter
	said []string // by the client in AUTH
}

// talk plays the server until QUIT.
func (s *scramServer) talk(t *testing.T, config *tls.Config) (client *smtptest.Conn, ended <-chan struct{}) {
	ours, theirs := smtptest.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer theirs.Close()
		config.MaxVersion = s.maxVersion
		conn := tls.Server(theirs, config)
		s.line = bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn))
		s.say("220 mx")
		for {
			verb, args, _ := strings.Cut(s.hear(), " ")
			switch verb {
			case "EHLO":
				s.say("250-mx\r\n250 AUTH " + s.mechanisms)
			case "AUTH":
				state := conn.ConnectionState()
				s.auth(t, &state, args)
			default:
				s.say("221 bye")
				return
			}
		}
	}()
	return ours, done
}

func (s *scramServer) say(line string) {
	s.line.WriteString(line + "\r\n")
	s.line.Flush()
}

func (s *scramServer) hear() string {
	line, err := s.line.ReadString('\n')
	if err != nil {
		return "QUIT"
	}
	return strings.TrimRight(line, "\r\n")
}

func (s *scramServer) auth(t *testing.T, state *tls.ConnectionState, args string) {
	mechanism, initial, _ := strings.Cut(args, " ")
	if mechanism == s.refuse {
		s.say("504 5.5.4 not here")
		return
	}
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) {
		c, err := scram.SHA256.NewClient("bob", testPassword, "")
		if err != nil {
			return scram.StoredCredentials{}, err
		}
		return c.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt", Iters: 4096})
	})
	if err != nil {
		t.Error(err)
		return
	}
	var binding scram.ChannelBinding
	if state.Version == tls.VersionTLS13 && strings.Contains(s.mechanisms, SCRAMSHA256Plus) {
		binding, _ = scram.NewTLSExporterBinding(state)
	}
	s.exchange(server.NewConversationWithChannelBinding(binding), initial)
}

func (s *scramServer) exchange(talk *scram.ServerConversation, response string) {
	for {
		message, _ := base64.StdEncoding.DecodeString(response)
		s.said = append(s.said, string(message))
		challenge, err := talk.Step(string(message))
		switch {
		case s.challenge != "":
			challenge = s.challenge
		case err != nil && strings.HasPrefix(challenge, "e="):
		case err != nil:
			s.say("535 5.7.8 wrong")
			return
		case talk.Done() && s.mute:
			s.say("235 in")
			return
		case talk.Done() && s.liar:
			challenge = "v=" + b64("something else")
		}
		s.say("334 " + b64(challenge))
		response = s.hear()
		switch {
		case response == "*":
			s.say("501 5.7.0 cancelled")
			return
		case err != nil:
			s.say("535 5.7.8 wrong")
			return
		case talk.Done() && talk.Valid():
			s.say("235 in")
			return
		}
	}
}

// TestSCRAM: with the channel bound where it can be, and never without the proof of
// the server.
func TestSCRAM(t *testing.T) {
	const all = "PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS"
	for name, c := range map[string]struct {
		server   scramServer
		password string
		begins   string // the client's first message
		by       string
		fails    string
	}{
		"bound":                    {server: scramServer{mechanisms: all}, begins: "p=tls-exporter,,n=bob,", by: SCRAMSHA256Plus},
		"TLS 1.2":                  {server: scramServer{mechanisms: all, maxVersion: tls.VersionTLS12}, begins: "n,,n=bob,", by: SCRAMSHA256},
		"PLUS is not offered":      {server: scramServer{mechanisms: "SCRAM-SHA-256"}, begins: "y,,n=bob,", by: SCRAMSHA256},
		"PLUS is refused":          {server: scramServer{mechanisms: all, refuse: SCRAMSHA256Plus}, begins: "n,,n=bob,", by: SCRAMSHA256},
		"the wrong password":       {server: scramServer{mechanisms: all}, password: "wrong", begins: "p=", fails: "535 5.7.8 wrong: cannot sign in: refused SCRAM-SHA-256-PLUS (the server says: invalid-proof)"},
		"no proof":                 {server: scramServer{mechanisms: all, mute: true}, begins: "p=", fails: "accepts without proof"},
		"a wrong proof":            {server: scramServer{mechanisms: all, liar: true}, begins: "p=", fails: "does not prove that it knows the password"},
		"no message of SCRAM":      {server: scramServer{mechanisms: all, challenge: "hello"}, begins: "p=", fails: "is not one of SCRAM"},
		"too few iterations":       {server: scramServer{mechanisms: all, challenge: "r=x,s=c2FsdA==,i=1"}, begins: "p=", fails: "is not one of SCRAM, or asks for too few iterations"},
		"too many iterations":      {server: scramServer{mechanisms: all, challenge: "r=x,s=c2FsdA==,i=2000000000"}, begins: "p=", fails: "more than 1000000 iterations"},
		"far too many iterations":  {server: scramServer{mechanisms: all, challenge: "r=x,s=c2FsdA==,i=99999999999999999999"}, begins: "p=", fails: "more than 1000000 iterations"},
		"a password of any script": {server: scramServer{mechanisms: all}, password: "\U0001F511", begins: "p=", fails: "535 5.7.8 wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, ended := c.server.talk(t, smtptest.NewCA(t).ServerConfig("mx"))
			password := testPassword
			if c.password != "" {
				password = c.password
			}
			transcript := &Transcript{}
			client, err := New(t.Context(), conn, Options{TLS: TLSImplicit, Login: &Login{Username: "bob", Password: giving(password)}, Transcript: transcript})
			checkSignIn(t, client, err, c.by, c.fails, "")
			<-ended
			if len(c.server.said) == 0 || !strings.HasPrefix(c.server.said[0], c.begins) {
				t.Errorf("the client said %q, want one that begins %s", c.server.said, c.begins)
			}
			if strings.Contains(transcript.String(), b64("n=bob")) || strings.Contains(transcript.String(), "334 c") {
				t.Errorf("the exchange is in the transcript:\n%s", transcript)
			}
		})
	}
}

// TestRefusedMechanismsAreTold, also where the client gets in after all.
func TestRefusedMechanismsAreTold(t *testing.T) {
	server := scramServer{mechanisms: "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", refuse: SCRAMSHA256Plus}
	conn, ended := server.talk(t, smtptest.NewCA(t).ServerConfig("mx"))
	client, err := New(t.Context(), conn, Options{TLS: TLSImplicit, Login: &Login{Username: "bob", Password: giving(testPassword)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(client.Refused()); got != "[{SCRAM-SHA-256-PLUS 504 5.5.4 not here}]" {
		t.Error(got)
	}
	if err := client.Quit(t.Context()); err != nil {
		t.Error(err)
	}
	<-ended
}

// FuzzChallenges plays any challenges and replies to each of the mechanisms: they are
// gone through within bounds, and nothing is signed in by but a 2yz reply.
func FuzzChallenges(f *testing.F) {
	for _, seed := range []string{
		"235 in\n", "334 \n334 \n235 in\n", "334 " + b64("r=abc,s=c2FsdA==,i=4096") + "\n334 " + b64("v=abc") + "\n235 x\n",
		"334 ====\n501 x\n", "334-a\n334 b\n501 x\n", "504 x\n504 x\n504 x\n504 x\n504 x\n504 x\n504 x\n", "535 5.7.8 x\n535 x\n535 x\n",
		"334 " + b64(`{"status":"401"}`) + "\n535 x\n", "421 x\n", "354 x\n", strings.Repeat("334 YQ==\n", 30), "334 " + b64("e=other-error") + "\n235 x\n",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, replies string, token bool) {
		ours, theirs := smtptest.Pipe()
		theirs.Write([]byte("220 mx\r\n250-mx\r\n250 AUTH EXTERNAL SCRAM-SHA-256 SCRAM-SHA-256-PLUS OAUTHBEARER XOAUTH2 PLAIN LOGIN\r\n" + replies))
		theirs.CloseWrite()
		defer theirs.Close()
		login := &Login{Username: "bob", Password: giving(testPassword), External: true, AllowPlainText: true}
		if token {
			login.Token = giving(testToken)
		}
		transcript := &Transcript{}
		client, err := New(t.Context(), ours, Options{Login: login, Transcript: transcript})
		noSecret(t, transcript.String())
		if err == nil {
			if client.Mechanism() == "" || !strings.Contains(replies, "2") {
				t.Errorf("signed in by %q with %q", client.Mechanism(), replies)
			}
			client.Close()
			return
		}
		var e *Error
		if !errors.As(err, &e) || !e.Closed || e.Stage != smtp.StageAUTH && e.Stage != smtp.StageEHLO {
			t.Errorf("%#v", err)
		}
		noSecret(t, err.Error())
	})
}
