package smtpserver

import (
	"context"
	"net"
	"strings"
	"testing"
)

// proxied is a session that remembers who its client was at the beginning.
type proxied struct {
	recorder
	who string
}

// playProxied runs input through a server that trusts its peer, and returns what it
// answered, and the sessions that began.
func playProxied(t *testing.T, trusted bool, input string) (out string, sessions []*proxied) {
	t.Helper()
	s := &Server{Hostname: "mx.test", Offers: Offers{XCLIENT: func(net.Addr) bool { return trusted }}}
	begin := func(_ context.Context, c *Conn) (Session, error) {
		p := &proxied{who: c.RemoteAddr().String() + " at " + c.LocalAddr().String()}
		if said, ok := c.XCLIENT(); ok {
			p.who += " as " + said.Login + " of " + said.Name
		}
		sessions = append(sessions, p)
		return p, nil
	}
	client, ended := serveWith(s, begin)
	for _, line := range strings.SplitAfter(input+"QUIT\r\n", "\r\n") {
		client.Write([]byte(line))
	}
	out = readUntil(t, client, "closing channel\r\n")
	client.Close()
	<-ended
	return out, sessions
}

func TestXCLIENTBeginsTheSessionOfAnother(t *testing.T) {
	out, sessions := playProxied(t, true, ehlo+"XCLIENT ADDR=192.0.2.7 PORT=4711\r\nMAIL FROM:<a@x.test>\r\n"+ehlo+
		"XCLIENT LOGIN=joe NAME=c.test DESTADDR=IPV6:2001:db8::1 DESTPORT=25\r\n"+envelope)
	if got := codes(out); got != "220 250 220 503 250 220 250 250 250 221" {
		t.Fatalf("%s\n%s", got, out)
	}
	if !strings.Contains(out, "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT\r\n") {
		t.Errorf("not offered:\n%s", out)
	}
	if len(sessions) != 3 || !strings.HasPrefix(sessions[1].who, "192.0.2.7:4711 at ") || sessions[2].who != "192.0.2.7:4711 at [2001:db8::1]:25 as joe of c.test" {
		for _, s := range sessions {
			t.Error(s.who)
		}
	}
	for i, s := range sessions {
		if !s.closed {
			t.Errorf("session %d was not closed", i)
		}
	}
}

func TestXCLIENTThatIsNotTaken(t *testing.T) {
	for rule, tc := range map[string]struct{ input, want string }{
		"before EHLO":        {"XCLIENT PORT=7\r\n", "503"},
		"in a transaction":   {envelope + "XCLIENT PORT=7\r\n", "250 250 250 503"},
		"nothing":            {ehlo + "XCLIENT\r\n", "250 501"},
		"unknown attributes": {ehlo + "XCLIENT COLOUR=blue\r\n", "250 501"},
	} {
		if out, sessions := playProxied(t, true, tc.input); codes(out) != "220 "+tc.want+" 221" || len(sessions) != 1 {
			t.Errorf("%s: %d sessions, %s", rule, len(sessions), out)
		}
	}
	if out, _ := playProxied(t, false, ehlo+"XCLIENT ADDR=192.0.2.7\r\n"); codes(out) != "220 250 502 221" || strings.Contains(out, "250 XCLIENT") {
		t.Errorf("from nobody who is trusted: %s", out)
	}
}

// TestAnUnavailableAddressIsNotThePeers: who is trusted because of its address does
// not lend it to somebody unknown.
func TestAnUnavailableAddressIsNotThePeers(t *testing.T) {
	_, sessions := playProxied(t, true, ehlo+"XCLIENT ADDR=[UNAVAILABLE]\r\n"+ehlo)
	if len(sessions) != 2 || !strings.HasPrefix(sessions[1].who, ":0 at ") {
		t.Errorf("%+v", sessions[len(sessions)-1].who)
	}
}
