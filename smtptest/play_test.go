package smtptest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// recorder is a testing.TB that keeps what is reported.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	reports  []string
	cleanups []func()
}

func (r *recorder) Helper()                   {}
func (r *recorder) Name() string              { return "dialogue" }
func (r *recorder) Cleanup(f func())          { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Error(args ...any)         { r.report(fmt.Sprint(args...)) }
func (r *recorder) Errorf(f string, a ...any) { r.report(fmt.Sprintf(f, a...)) }

func (r *recorder) report(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(r.reports, s)
}

// end runs the cleanups and returns all reports.
func (r *recorder) end() string {
	for _, f := range r.cleanups {
		f()
	}
	return strings.Join(r.reports, "\n")
}

func TestBothSidesPlayOneFile(t *testing.T) {
	text, err := os.ReadFile("testdata/transaction.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, start := range map[string]func(testing.TB, string) *Server{
		"over TCP": NewServer, "in memory": NewPipeServer,
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, string(text))
			c := Client{
				Dial: func(context.Context) (net.Conn, error) { return s.Dial(), nil },
				TLS:  s.CA().ClientConfig(ServerName),
			}
			c.Play(t, Load(t, "testdata/transaction.txt"))
			s.Wait()
			want := []string{
				"Subject: dots\r\n\r\n.\r\n..two\r\n\x00\t*\r\n",
				"Subject: chunks\r\n\r\nan open end" + string(step{size: 100}.message()),
			}
			got := s.Messages()
			if len(got) != 2 || string(got[0]) != want[0] || string(got[1]) != want[1] {
				t.Errorf("messages %q, want %q", got, want)
			}
		})
	}
}

// TestServerReportsDeviation checks that a client that does something else than
// the dialogue is reported, with the line.
func TestServerReportsDeviation(t *testing.T) {
	for name, c := range map[string]struct{ dialogue, client, want string }{
		"another command":        {"C: QUIT\nS: 221 bye\n", "NOOP\r\n", `dialogue:1: got "NOOP", want "QUIT"`},
		"a bare LF":              {"C: QUIT\n", "QUIT\n", "stands alone"},
		"a bare CR":              {"C: QUIT*\n", "QUIT\rQUIT\r\n", "stands alone"},
		"the end of all":         {"C: QUIT\n", "QU", `waiting for C: QUIT: EOF after "QU"`},
		"more than the dialogue": {"C: QUIT\n", "QUIT\r\nNOOP\r\n", `behind it came "NOOP\r\n"`},
		"not the end":            {"C: <eof>\n", "NOOP\r\n", `dialogue:1: behind it came "NOOP\r\n"`},
		"a message cut short":    {"C: <data>\n", "Subject: a\r\n", "12 octets into the message"},
		"a message of LF lines":  {"C: <data>\n", "a\r\n.\n", "stands alone"},
		"another size":           {"C: <data 5>\n", "a\r\n.\r\n", "got 3 octets of content, want 5"},
		"another line":           {"C: <data>\n| a\n| c\n", "a\r\nb\r\n.\r\n", `line "b\r\n", want "c"`},
		"a line too many":        {"C: <data>\n| a\n", "a\r\nb\r\n.\r\n", `line "b" is one too many`},
		"a line too few":         {"C: <data>\n| a\n| b\n", "a\r\n.\r\n", `ends before the line "b"`},
		"dots not stuffed":       {"C: <data>\n| ..a\n", "..a\r\n.\r\n", `line ".a\r\n", want "..a"`},
		"no BDAT":                {"C: <bdat>\n", "DATA\r\n", `got "DATA", want BDAT`},
		"BDAT of nonsense":       {"C: <bdat>\n", "BDAT x\r\n", "not a size"},
		"BDAT with more words":   {"C: <bdat>\n", "BDAT 1 LAST NOT\r\n", "neither BDAT size"},
		"BDAT, not the last":     {"C: <bdat last>\n", "BDAT 1\r\nx", "want <bdat last>"},
		"BDAT, the last":         {"C: <bdat more>\n", "BDAT 1 LAST\r\nx", "want <bdat more>"},
		"BDAT cut short":         {"C: <bdat>\n", "BDAT 5 LAST\r\nabc", "3 of 5 octets into the chunk"},
		"BDAT with a line end":   {"C: <bdat>\n| a\\c\n", "BDAT 3 LAST\r\na\r\n", `line "a\r\n", want "a\\c"`},
		"commands before TLS":    {"C: STARTTLS\nS: 220 go\nstarttls\n", "STARTTLS\r\nNOOP\r\n", "6 octets in plain text"},
		"no handshake":           {"starttls\n", "NOOP\r\nNOOP\r\n", "starttls came out otherwise"},
		"no connection at all":   {"S: 220 a\n--- connection the other\nS: 220 b\n", "", `the connection "the other" never came`},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{}
			s := NewPipeServer(r, c.dialogue)
			conn := s.Dial().(*Conn)
			if _, err := io.WriteString(conn, c.client); err != nil {
				t.Fatal(err)
			}
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Fatal(err)
			}
			if got := r.end(); !strings.Contains(got, c.want) {
				t.Errorf("reported %q, want %q in it", got, c.want)
			}
		})
	}
}

func TestServerReportsConnectionTooMany(t *testing.T) {
	r := &recorder{}
	s := NewServer(r, "S: 220 a\nclose\n")
	for range 2 {
		conn := s.Dial()
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	if got := r.end(); !strings.Contains(got, "connection 2 came, the dialogue has 1") {
		t.Errorf("reported %q", got)
	}
}

// TestClientReportsDeviation is the same for a server under test.
func TestClientReportsDeviation(t *testing.T) {
	for name, c := range map[string]struct{ dialogue, server, want string }{
		"another reply":      {"S: 220 *\nC: QUIT\n", "554 no\r\n", `dialogue:1: got "554 no", want "220 *"`},
		"a whole reply":      {"S: <reply 250*>\n", "550-no\r\n550 no\r\n", `got the reply "550-no\n550 no"`},
		"half a reply":       {"S: <reply 250*>\n", "250-no\r\n", "waiting for S: <reply 250*>: EOF"},
		"the end of all":     {"S: 220 *\n", "", "waiting for S: 220 *: EOF"},
		"not the end":        {"S: 421 *\nS: <eof>\n", "421 a\r\n250 b\r\n", `behind it came "250 b\r\n"`},
		"text before TLS":    {"S: 220 *\nstarttls\n", "220 go\r\n250 injected\r\n", "14 octets in plain text"},
		"no wish to refuse":  {"starttls fails\n", "421 no\r\n", ""},
		"nothing to deviate": {"S: 220 *\nC: QUIT\nS: 221 *\nS: <eof>\n", "220 a\r\n221 b\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse("dialogue", c.dialogue)
			if err != nil {
				t.Fatal(err)
			}
			ours, theirs := Pipe()
			if _, err := io.WriteString(theirs, c.server); err != nil {
				t.Fatal(err)
			}
			if err := theirs.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			r := &recorder{TB: t}
			Client{Dial: func(context.Context) (net.Conn, error) { return ours, nil }}.Play(r, d)
			if got := r.end(); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
				t.Errorf("reported %q, want %q in it", got, c.want)
			}
		})
	}
}

func TestStartTLSRefuse(t *testing.T) {
	s := NewPipeServer(t, "starttls refuse\n--- connection\nstarttls fails\n")
	err := tls.Client(s.Dial(), s.CA().ClientConfig(ServerName)).Handshake()
	if err == nil || !strings.Contains(err.Error(), "remote error") {
		t.Errorf("refuse: got %v, want an alert", err)
	}
	var unknown *tls.CertificateVerificationError
	err = tls.Client(s.Dial(), &tls.Config{ServerName: ServerName, RootCAs: NewCA(t).Pool()}).Handshake()
	if !errors.As(err, &unknown) {
		t.Errorf("fails: got %v, want a certificate error", err)
	}
	s.Wait()
}

func TestResetIsSeenAsReset(t *testing.T) {
	for name, start := range map[string]func(testing.TB, string) *Server{
		"over TCP": NewServer, "in memory": NewPipeServer,
	} {
		conn := start(t, "C: QUIT\nreset\n").Dial()
		if _, err := io.WriteString(conn, "QUIT\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: got %v, want a reset", name, err)
		}
		conn.Close()
	}
}

func TestStallLastsUntilTheTestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipeServer(t, "S: 220 mx\nwait 5m\nS: 220 late\nstall\n")
		conn := s.Dial()
		defer conn.Close()
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		got, err := io.ReadAll(conn)
		if string(got) != "220 mx\r\n220 late\r\n" || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %q, %v", got, err)
		}
		if d := time.Since(begun); d != 10*time.Minute {
			t.Errorf("the stall ended after %v", d)
		}
		s.Close()
	})
}

func TestExpiredCertificate(t *testing.T) {
	ca := NewCA(t)
	s := NewPipeServer(t, "starttls fails\n")
	s.UseTLS(&tls.Config{Certificates: []tls.Certificate{ca.IssueExpired(ServerName, "127.0.0.1")}})
	err := tls.Client(s.Dial(), ca.ClientConfig(ServerName)).Handshake()
	if err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("got %v, want an expired certificate", err)
	}
	s.Wait()
}
