package smtpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtptest"
)

// provocation is a dialogue that makes a server say a row.
type provocation struct {
	input   string
	session func() Session
	server  func(s *Server)
}

const (
	ehlo     = "EHLO c.test\r\n"
	envelope = ehlo + "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n"
)

func provocations() map[string]provocation {
	long := strings.Repeat("x", 600)
	return map[string]provocation{
		"greeting":             {},
		"greeting-lmtp":        {server: func(s *Server) { s.LMTP = true }},
		"helo-ok":              {input: "HELO c.test\r\n"},
		"ehlo-ok":              {input: ehlo},
		"mail-ok":              {input: envelope},
		"rcpt-ok":              {input: envelope},
		"data-go":              {input: envelope + "DATA\r\n.\r\n"},
		"queued":               {input: envelope + "DATA\r\n.\r\nQUIT\r\n"},
		"chunk-ok":             {input: envelope + "BDAT 3\r\nab\r\nBDAT 0 LAST\r\n"},
		"rset-ok":              {input: "RSET\r\n"},
		"noop-ok":              {input: "NOOP what ever\r\n"},
		"quit-ok":              {input: "QUIT\r\n"},
		"help":                 {input: "HELP\r\n"},
		"vrfy":                 {input: "VRFY postmaster\r\n"},
		"starttls-go":          {input: "EHLO c.test\r\nSTARTTLS\r\n", server: withTLS},
		"too-many-commands":    {input: strings.Repeat("NOOP\r\n", 3), server: func(s *Server) { s.Limits.Commands = 2 }},
		"endless-line":         {input: "NOOP " + strings.Repeat("x", 2<<20)},
		"endless-content":      {input: envelope + "BDAT 9999 LAST\r\n" + long, server: func(s *Server) { s.Limits.MessageSize = 100 }},
		"chunk-lost":           {input: envelope + "BDAT many LAST\r\n"},
		"input-behind-data":    {input: ehlo + "DATA\r\nRSET\r\n"},
		"not-tls":              {input: ehlo, server: func(s *Server) { s.ImplicitTLS, s.TLS = true, &tls.Config{} }},
		"not-smtp":             {input: "POST / HTTP/1.1\r\nHost: mx.test\r\n\r\n" + envelope},
		"nul-content":          {input: envelope + "DATA\r\na\x00b\r\n.\r\n"},
		"too-many-errors":      {input: strings.Repeat("BAD\r\n", 3), server: func(s *Server) { s.Limits.Errors = 2 }},
		"session-limit":        {input: envelope + "DATA\r\n.\r\nMAIL FROM:<>\r\n", server: func(s *Server) { s.Limits.Transactions = 1 }},
		"internal-fault":       {input: envelope, session: func() Session { return &recorder{panics: true} }},
		"session-fault":        {input: envelope, session: func() Session { return &recorder{mailErr: errors.New("x")} }},
		"too-many-rcpt":        {input: envelope + "RCPT TO:<c@y.test>\r\n", server: func(s *Server) { s.Limits.Recipients = 1 }},
		"unknown-command":      {input: "WHATEVER x\r\n"},
		"line-too-long":        {input: "NOOP " + long + "\r\n"},
		"bare-newline-command": {input: "NOOP\n"},
		"input-behind-bare-lf": {input: "NOOP\nNOOP\r\n"},
		"control-in-command":   {input: "NOOP \x00\r\n"},
		"syntax":               {input: ehlo + "MAIL TO:<a@b.test>\r\n"},
		"no-arguments":         {input: "RSET now\r\n"},
		"helo-syntax":          {input: "EHLO\r\n"},
		"sender-syntax":        {input: ehlo + "MAIL FROM:<a@@b>\r\n"},
		"recipient-syntax":     {input: envelope + "RCPT TO:<>\r\n"},
		"parameter-value":      {input: ehlo + "MAIL FROM:<a@x.test> SIZE=many\r\n"},
		"not-implemented":      {input: "EXPN list\r\n"},
		"bad-sequence":         {input: "MAIL FROM:<a@x.test>\r\n"},
		"unsupported-parameter": {
			input: ehlo + "MAIL FROM:<a@x.test> MAGIC=1\r\n",
		},
		"unrecognized-parameter": {input: ehlo + "MAIL FROM:<a@x.test> MAGIC=1\r\n", server: with555},
		"unsupported-value":      {input: ehlo + "MAIL FROM:<a@x.test> BODY=HOLOGRAM\r\n"},
		"unrecognized-value":     {input: ehlo + "MAIL FROM:<a@x.test> BODY=HOLOGRAM\r\n", server: with555},
		"no-recipients": {
			input:   envelope + "DATA\r\n",
			session: func() Session { return &recorder{rcptErr: Refuse(ReplyNeedsUTF8)} },
		},
		"too-large":             {input: ehlo + "MAIL FROM:<a@x.test> SIZE=9999999\r\n", server: func(s *Server) { s.Limits.MessageSize = 100 }},
		"bare-newline-content":  {input: envelope + "DATA\r\na\nb\r\n.\r\n"},
		"needs-smtputf8":        {input: ehlo + "MAIL FROM:<\u00fc@x.test>\r\n"},
		"auth-challenge":        {input: ehlo + "AUTH ECHO\r\n", session: withAUTH},
		"auth-ok":               {input: ehlo + "AUTH ECHO b3Blbg==\r\n", session: withAUTH},
		"auth-unavailable":      {input: ehlo + "AUTH BROKEN\r\n", session: withAUTH},
		"auth-base64":           {input: ehlo + "AUTH ECHO x\r\n", session: withAUTH},
		"auth-cancelled":        {input: ehlo + "AUTH ECHO\r\n*\r\n", session: withAUTH},
		"auth-line-too-long":    {input: ehlo + "AUTH ECHO\r\n" + strings.Repeat("x", 13000) + "\r\n", session: withAUTH},
		"unsupported-mechanism": {input: ehlo + "AUTH MAGIC\r\n", session: withAUTH},
		"auth-failed":           {input: ehlo + "AUTH ECHO eA==\r\n", session: withAUTH},
		"plaintext-behind-starttls": {
			input: ehlo + "STARTTLS\r\nNOOP\r\n", server: withTLS,
		},
	}
}

func withAUTH() Session { return &doorman{} }

func with555(s *Server) { s.UnrecognizedParameter = reply.ParametersUnrecognized }

func withTLS(s *Server) { s.TLS = &tls.Config{} }

// The rows that need more than input are provoked by tests of their own.
var provokedElsewhere = map[string]string{
	"shutdown": "TestShutdownTellsIdleSessions",
	"idle":     "TestIdleSessionsHearWhy",
	// Whether the server looks before the end of the connection has arrived is
	// chance where both are sent together.
	"client-gone": "TestNothingIsTakenFromOneThatHasGone",
	"slow":        "TestSlowPeers",
}

func TestEveryRowIsProvoked(t *testing.T) {
	all := provocations()
	for _, row := range Replies() {
		if _, ok := provokedElsewhere[row.Name]; ok {
			continue
		}
		p, ok := all[row.Name]
		if !ok {
			t.Errorf("no dialogue provokes the row %s", row.Name)
			continue
		}
		delete(all, row.Name)
		t.Run(row.Name, func(t *testing.T) {
			session := Session(&recorder{})
			if p.session != nil {
				session = p.session()
			}
			s := &Server{}
			if p.server != nil {
				p.server(s)
			}
			var mu sync.Mutex
			said := map[*Row]bool{}
			s.Hooks.Reply = func(_ *Conn, e ReplyEvent) {
				mu.Lock()
				defer mu.Unlock()
				said[e.Row] = true
			}
			out := play(t, s, session, p.input)
			if !said[row] {
				t.Fatalf("not said; the server answered:\n%s", out)
			}
			for other := range said {
				if !listed(other) {
					t.Errorf("the reply %s is in no table", other.Name)
				}
			}
		})
	}
	for name := range all {
		t.Errorf("a dialogue for %s, which is no row", name)
	}
}

func listed(row *Row) bool {
	for _, r := range Replies() {
		if r == row {
			return true
		}
	}
	return false
}

func TestRowsAreComplete(t *testing.T) {
	names := map[string]bool{}
	for _, row := range Replies() {
		if names[row.Name] {
			t.Errorf("two rows are named %s", row.Name)
		}
		names[row.Name] = true
		if row.RFC == "" || row.When == "" || row.Advice == "" {
			t.Errorf("%s: no section, no occasion or no advice", row.Name)
		}
		refuses := row.Code.Transient() || row.Code.Permanent()
		if refuses != (row.Reason != "") || refuses != strings.Contains(row.Text, "reason="+row.Reason) {
			t.Errorf("%s: a refusal and its reason go together", row.Name)
		}
		if refuses && row.Status.IsZero() {
			t.Errorf("%s: no enhanced status code", row.Name)
		}
		if row.Code == 421 && !strings.HasPrefix(row.Text, "{host} ") {
			t.Errorf("%s: the first word of a 421 is the host (RFC 5321 section 4.2)", row.Name)
		}
		if wire := row.Reply("mx.example.org", "1", "2").Append(nil); len(wire) > 200 && row.Name != "help" {
			t.Errorf("%s: %d octets", row.Name, len(wire))
		}
	}
}

func Test421And221CloseAndNothingElseDoes(t *testing.T) {
	for name, p := range provocations() {
		session := Session(&recorder{})
		if p.session != nil {
			session = p.session()
		}
		s := &Server{}
		if p.server != nil {
			p.server(s)
		}
		if name == "starttls-go" {
			continue // what follows is TLS
		}
		out := play(t, s, session, p.input+"NOOP after\r\nNOOP after\r\nQUIT\r\n")
		lines := strings.Split(strings.TrimSuffix(out, "\r\n"), "\r\n")
		last := lines[len(lines)-1]
		if !strings.HasPrefix(last, "421 ") && !strings.HasPrefix(last, "221 ") {
			t.Errorf("%s: the last reply is %q", name, last)
		}
		for _, line := range lines[:len(lines)-1] {
			if strings.HasPrefix(line, "421") || strings.HasPrefix(line, "221") {
				t.Errorf("%s: the session went on after %q", name, line)
			}
		}
	}
}

// serve runs a session on a connection in memory.
func serve(s *Server, session Session) (client *smtptest.Conn, ended <-chan struct{}) {
	s.Hostname = "mx.test"
	return serveWith(s, func(_ context.Context, c *Conn) (Session, error) {
		if choosy, ok := session.(*choosy); ok {
			choosy.conn = c
		}
		return session, nil
	})
}

// serveWith is serve with a session of its own for each beginning.
func serveWith(s *Server, begin func(context.Context, *Conn) (Session, error)) (client *smtptest.Conn, ended <-chan struct{}) {
	s.NewSession = begin
	client, server := smtptest.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ServeConn(server)
	}()
	return client, done
}

func TestIdleSessionsHearWhy(t *testing.T) {
	for name, input := range map[string]string{
		"after the greeting":        "",
		"in the middle of a line":   "EHL",
		"in the middle of content":  envelope + "DATA\r\nsome",
		"in the middle of a chunk":  envelope + "BDAT 10\r\nsome",
		"between chunks":            envelope + "BDAT 4\r\nsome",
		"in a transaction, waiting": envelope,
	} {
		synctest.Test(t, func(t *testing.T) {
			client, ended := serve(&Server{}, &recorder{})
			go io.Copy(client, strings.NewReader(input))
			began := time.Now()
			out, err := io.ReadAll(client)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < 3*time.Minute || took > 6*time.Minute {
				t.Errorf("%s: after %v", name, took)
			}
			if !strings.HasSuffix(string(out), "421 4.4.2 mx.test Timeout, closing channel; reason=idle\r\n") {
				t.Errorf("%s: %q", name, out)
			}
			<-ended
		})
	}
}

func TestShutdownLetsATransactionFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{}
		r := &recorder{}
		client, ended := serve(s, r)
		var out strings.Builder
		read := make(chan struct{})
		go func() {
			defer close(read)
			io.Copy(&out, client)
		}()
		io.WriteString(client, envelope)
		synctest.Wait()
		stopped := make(chan error)
		go func() { stopped <- s.Shutdown(t.Context()) }()
		synctest.Wait()
		io.WriteString(client, "DATA\r\n")
		time.Sleep(time.Minute) // virtual
		io.WriteString(client, "hello\r\n.\r\n")
		<-ended
		<-read
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		if got := codes(out.String()); got != "220 250 250 250 354 250 421" {
			t.Errorf("got %s", got)
		}
	})
}

func TestCloseEndsATransactionWith421(t *testing.T) {
	for name, input := range map[string]string{
		"idle": ehlo, "transaction": envelope, "content": envelope + "DATA\r\nhalf", "chunk": envelope + "BDAT 100\r\nhalf",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &Server{}
			r := &recorder{}
			client, ended := serve(s, r)
			var out strings.Builder
			read := make(chan struct{})
			go func() {
				defer close(read)
				io.Copy(&out, client)
			}()
			io.WriteString(client, input)
			synctest.Wait()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			<-ended
			<-read
			if !strings.HasSuffix(out.String(), "421 4.3.2 mx.test Service shutting down, closing channel; reason=shutdown\r\n") {
				t.Errorf("%s: %q", name, out.String())
			}
			if len(r.content) > 0 {
				t.Errorf("%s: a message was taken", name)
			}
		})
	}
}
