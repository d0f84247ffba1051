package smtpclient

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirmail/weir/smtptest"
)

// onPort is a connection to a port.
type onPort struct {
	net.Conn
	port int
}

func (c onPort) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: c.port} }

// TestWrongTLSMode: each way round the error says what the port speaks and what to
// write.
func TestWrongTLSMode(t *testing.T) {
	for name, c := range map[string]struct {
		mode   TLSMode
		port   int
		script string // "" for a server that waits for a handshake
		says   string
		within time.Duration
	}{
		"plain text to a TLS port, an alert":       {TLSOpportunistic, 8465, "S: \\x15\\x03\\x01\\0\\x02\\x02\\x32\\c\nC: <eof>\n", "port 8465 speaks TLS from the first byte: write smtps:// for it", 0},
		"plain text to port 465, and silence":      {TLSRequired, 465, "", "servers speak TLS from the first byte on port 465: write smtps://", silence},
		"plain text to port 465, and a close":      {TLSNone, 465, "close\n", "servers speak TLS from the first byte on port 465: write smtps://", 0},
		"TLS to a port of plain text":              {TLSImplicit, 587, "S: 220 mx ESMTP\ndrain\n", "port 587 begins in plain text: write smtp:// for it, which uses STARTTLS", 0},
		"TLS to a port of plain text that is full": {TLSImplicit, 587, "S: 421 4.3.2 busy\ndrain\n", "port 587 begins in plain text", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := New(t.Context(), onPort{dialScript(t, c.script), c.port}, Options{TLS: c.mode})
				var e *TLSModeError
				if !errors.As(err, &e) || !strings.Contains(err.Error(), c.says) || e.Port != c.port || e.Implicit != (c.mode != TLSImplicit) || e.Reason() != "tls-failed" {
					t.Errorf("%v", err)
				}
				if took := time.Since(began); took > c.within {
					t.Errorf("found out after %v", took)
				}
			})
		})
	}
}

func dialScript(t *testing.T, script string) net.Conn {
	if script != "" {
		return smtptest.NewPipeServer(t, script).Dial()
	}
	ours, theirs := smtptest.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- tls.Server(theirs, smtptest.NewCA(t).ServerConfig("mx")).Handshake(); theirs.Close() }()
	t.Cleanup(func() {
		ours.Close()
		if err := <-ended; err == nil {
			t.Error("there was a handshake")
		}
	})
	return ours
}

// TestRightTLSModeOnPort465: a server that greets in plain text there is taken.
func TestRightTLSModeOnPort465(t *testing.T) {
	server := smtptest.NewPipeServer(t, "S: 220 mx\nC: EHLO *\nS: 250 mx\n"+quitted)
	client, err := New(t.Context(), onPort{server.Dial(), 465}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Quit(t.Context()); err != nil {
		t.Error(err)
	}
}
