package smtpserver

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// ask is something a client may ask for, and what the answer to EHLO says where it
// may.
type ask struct {
	before  string // commands that have to succeed before, each with its CRLF
	command string
	offered func(caps smtp.Capabilities) bool
}

func keyword(words ...string) func(smtp.Capabilities) bool {
	return func(caps smtp.Capabilities) bool {
		for _, w := range words {
			if !caps.Has(w) {
				return false
			}
		}
		return true
	}
}

func never(smtp.Capabilities) bool { return false }

func mechanism(name string) func(smtp.Capabilities) bool {
	return func(caps smtp.Capabilities) bool { return slices.Contains(caps.Auth(), name) }
}

// asks are all that the extensions of a server bring, and some that no server has.
func asks() (list []ask) {
	for parameter, offered := range map[string]func(smtp.Capabilities) bool{
		"SIZE=10":         keyword("SIZE"),
		"BODY=7BIT":       keyword("8BITMIME"),
		"BODY=8BITMIME":   keyword("8BITMIME"),
		"BODY=BINARYMIME": keyword("BINARYMIME", "CHUNKING"),
		"BODY=HOLOGRAM":   never,
		"SMTPUTF8":        keyword("SMTPUTF8"),
		"RET=HDRS":        keyword("DSN"),
		"ENVID=x":         keyword("DSN"),
		"AUTH=<>":         keyword("AUTH"),
		"REQUIRETLS":      keyword("REQUIRETLS"),
		"BY=120;R":        keyword("DELIVERBY"),
		"BY=-5;N":         keyword("DELIVERBY"),
		"HOLDFOR=60":      keyword("FUTURERELEASE"),
		"MT-PRIORITY=-3":  keyword("MT-PRIORITY"),
		"MAGIC":           never,
		"MAGIC=1":         never,
		"NOTIFY=NEVER":    never,
		"XFOO=bar":        never,
	} {
		list = append(list, ask{"", "MAIL FROM:<a@x.test> " + parameter, offered})
	}
	for parameter, offered := range map[string]func(smtp.Capabilities) bool{
		"NOTIFY=NEVER":              keyword("DSN"),
		"ORCPT=rfc822;a@b.test":     keyword("DSN"),
		"SIZE=10":                   never,
		"MAGIC=1":                   never,
		"RRVS=2014-04-03T23:01:00Z": never,
	} {
		list = append(list, ask{"MAIL FROM:<a@x.test>\r\n", "RCPT TO:<b@y.test> " + parameter, offered})
	}
	for _, name := range []string{"ECHO", "LAST", "BROKEN", "TLS-ONLY", "PLAIN", "MAGIC"} {
		list = append(list, ask{"", "AUTH " + name + " " + b64("shut"), mechanism(name)})
	}
	return append(
		list,
		ask{"MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n", "BDAT 0 LAST", keyword("CHUNKING")},
		ask{"", "XCLIENT PORT=7", keyword("XCLIENT")},
		ask{"", "BURL imap://x.test/ LAST", never},
		ask{"", "ETRN x.test", never},
		ask{"", "EXPN list", never},
		ask{"", "XFORWARD NAME=x.test", never},
	)
}

// walker is a client that asks for things at random.
type walker struct {
	t      *testing.T
	random *rand.Rand
	conn   net.Conn
	in     *bufio.Reader
	caps   smtp.Capabilities // what the last hello offered; nothing after HELO
	trail  []string
}

// say sends a command and returns the reply.
func (w *walker) say(command string) reply.Reply {
	w.t.Helper()
	w.trail = append(w.trail, command)
	if _, err := io.WriteString(w.conn, command+"\r\n"); err != nil {
		w.fatal(err)
	}
	return w.hear()
}

func (w *walker) hear() reply.Reply {
	w.t.Helper()
	var lines []string
	for {
		line, err := w.in.ReadString('\n')
		if err != nil {
			w.fatal(err)
		}
		lines = append(lines, strings.TrimSuffix(line, "\r\n"))
		if line[3] == ' ' {
			break
		}
	}
	r, err := reply.Parse(strings.Join(lines, "\r\n") + "\r\n")
	if err != nil {
		w.fatal(err)
	}
	return r
}

func (w *walker) fatal(why any) {
	w.t.Helper()
	w.t.Fatalf("%v\nafter:\n%s", why, strings.Join(w.trail, "\n"))
}

// hello moves the session into another state: EHLO, HELO, behind TLS, authenticated.
func (w *walker) hello() {
	w.say("RSET")
	switch w.random.IntN(6) {
	case 0:
		w.say("HELO c.test")
		w.caps = smtp.Capabilities{}
	case 1:
		if !w.caps.Has("STARTTLS") {
			return
		}
		if r := w.say("STARTTLS"); r.Code != reply.ServiceReady {
			w.fatal(r)
		}
		w.conn = tls.Client(w.conn, &tls.Config{InsecureSkipVerify: true})
		w.in = bufio.NewReader(w.conn)
		w.caps = smtp.Capabilities{}
	case 2:
		if len(w.caps.Auth()) == 0 { // the first mechanism is one that works
			return
		}
		if r := w.say("AUTH " + w.caps.Auth()[0] + " " + b64("open")); r.Code != reply.AuthSucceeded && r.Code != reply.BadSequence {
			w.fatal(r)
		}
		w.ehlo() // there is more to have now
	default:
		w.ehlo()
	}
}

func (w *walker) ehlo() {
	r := w.say("EHLO c.test")
	if r.Code != reply.OK {
		w.fatal(r)
	}
	w.caps = smtp.ParseCapabilities(r.Lines[1:])
}

// ask asks for one thing, and looks whether the answer is what EHLO promised.
func (w *walker) ask(a ask) {
	w.say("RSET")
	for _, command := range strings.SplitAfter(a.before, "\r\n") {
		if command != "" && !w.say(strings.TrimSuffix(command, "\r\n")).Code.Completed() {
			return // there was no EHLO behind STARTTLS yet
		}
	}
	r := w.say(a.command)
	said := fmt.Sprintf("%s: %s", a.command, r)
	offered := a.offered(w.caps)
	switch r.Code {
	case reply.CommandUnrecognized, reply.CommandNotImplemented, reply.ParameterNotImplemented, reply.ParametersUnrecognized:
		if offered {
			w.fatal("offered, and refused as unknown: " + said)
		}
	case reply.BadSequence: // before EHLO, or a second AUTH
	default:
		if !offered {
			w.fatal("not offered, and taken: " + said)
		}
	}
	if r.Code == reply.ServiceReady {
		w.caps = smtp.Capabilities{} // XCLIENT begins the session anew
	}
	if r.Code == reply.AuthChallenge {
		w.say("*")
	}
}

// TestWhatIsOfferedIsWhatIsTaken walks sessions at random, before and behind TLS,
// authenticated or not, and asks for everything.
func TestWhatIsOfferedIsWhatIsTaken(t *testing.T) {
	all := asks()
	for seed := range uint64(30) {
		s := &Server{
			TLS:    testTLS(t),
			Limits: Limits{Errors: 1 << 20, Commands: 1 << 20},
			Offers: Offers{
				RequireTLS: seed%2 == 0, DeliverBy: seed%5 == 0, Priority: seed%7 == 0,
				FutureRelease: time.Duration(seed%3) * time.Hour,
				XCLIENT:       func(net.Addr) bool { return seed%4 == 0 },
			},
		}
		client, ended := serve(s, &doorman{tlsOnly: seed%3 == 0})
		w := &walker{t: t, random: rand.New(rand.NewPCG(seed, 1)), conn: client, in: bufio.NewReader(client)}
		w.hear()
		for range 120 {
			if w.random.IntN(8) == 0 {
				w.hello()
				continue
			}
			w.ask(all[w.random.IntN(len(all))])
		}
		client.Close()
		<-ended
	}
}
