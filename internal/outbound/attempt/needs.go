package attempt

import (
	"fmt"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// need is something that a message asks of a peer. It returns what is missing in
// words, and the status that says so; the words are empty where nothing is.
type need func(c *Connection, m *Message, caps smtp.Capabilities) (missing string, status reply.Status)

// needs are all of them. What a peer does not have is found here, before anything
// is said, and a message that cannot be changed goes back.
var needs = [...]need{needProtection, needRoom, needTime, needBinary, needUTF8, needEightBit}

// missingFor names the first thing that the message needs and the peer does not
// have.
func (c *Connection) missingFor(m *Message, caps smtp.Capabilities) (missing string, status reply.Status) {
	for _, need := range needs {
		if missing, status := need(c, m, caps); missing != "" {
			return missing, status
		}
	}
	return "", reply.Status{}
}

// needProtection: RFC 8689. The session was looked at when it was opened; this is
// for a session that was opened for other mail.
func needProtection(c *Connection, m *Message, _ smtp.Capabilities) (string, reply.Status) {
	if !m.Envelope.RequireTLS || m.Local || c.Target.RequireTLS {
		return "", reply.Status{}
	}
	return "the sender requires TLS on the whole way, which this connection does not give", reply.NewStatus(7, 30)
}

// needRoom: RFC 1870 section 6.1. What is larger than the peer says would be sent
// in vain.
func needRoom(_ *Connection, m *Message, caps smtp.Capabilities) (string, reply.Status) {
	most, _ := caps.Size()
	if size := m.Content.Size(); most > 0 && size > most {
		return fmt.Sprintf("the message has %d octets, and the next hop takes at most %d", size, most), reply.NewStatus(3, 4)
	}
	return "", reply.Status{}
}

// needTime: RFC 2852 section 4.1.4. A message that is to come back when it is late
// goes only to those who see to that, and have time enough. Who delivers it for
// good need not.
func needTime(c *Connection, m *Message, caps smtp.Capabilities) (string, reply.Status) {
	by, now := m.Envelope.DeliverBy, c.now()
	if by.Mode != smtp.DeliverByReturn || m.Final && !by.Returns(now) {
		return "", reply.Status{}
	}
	least, offered := caps.DeliverBy()
	left := by.Left(now)
	switch {
	case by.Returns(now): // it took long to get here
		return "the time in which the message was to be delivered is over", reply.NewStatus(4, 7)
	case !offered:
		return "the message is to come back if it is late, and the next hop, which does not offer DELIVERBY, would not see to that", reply.NewStatus(3, 3)
	case left < int64(least.Seconds()):
		return fmt.Sprintf("the message has %d s left to be delivered, and the next hop wants at least %.0f s", left, least.Seconds()), reply.NewStatus(4, 7)
	}
	return "", reply.Status{}
}

// needBinary: RFC 3030 section 3. Weir does not rewrite messages.
func needBinary(_ *Connection, m *Message, caps smtp.Capabilities) (string, reply.Status) {
	if m.Envelope.Body != smtp.BodyBinaryMIME || caps.Has("BINARYMIME") && caps.Has("CHUNKING") {
		return "", reply.Status{}
	}
	return "the message is binary, and the next hop does not offer BINARYMIME", reply.NewStatus(6, 3)
}

// needUTF8: RFC 6531 section 3.5.
func needUTF8(_ *Connection, m *Message, caps smtp.Capabilities) (string, reply.Status) {
	if !m.Envelope.SMTPUTF8 || !beyondASCII(m) || caps.Has("SMTPUTF8") {
		return "", reply.Status{}
	}
	return "the message needs SMTPUTF8, which the next hop does not offer", reply.NewStatus(6, 7)
}

// needEightBit: RFC 6152 section 3. A message that nobody would get back goes as
// it is: most servers take it, and the RFC's other way would lose it.
func needEightBit(c *Connection, m *Message, caps smtp.Capabilities) (string, reply.Status) {
	e := m.Envelope
	if !e.EightBit || e.Body == smtp.BodyBinaryMIME || c.eightBit || e.ReversePath.IsNull() || caps.Has("8BITMIME") {
		return "", reply.Status{}
	}
	return "the message has letters beyond ASCII that are not encoded, and the next hop, which does not offer 8BITMIME, may break them", reply.NewStatus(6, 3)
}

// beyondASCII tells whether something of the message is beyond ASCII, so that
// the wish for SMTPUTF8 cannot be dropped (RFC 6531 section 3.5).
func beyondASCII(m *Message) bool {
	if m.Envelope.EightBit || !m.Envelope.ReversePath.IsASCII() {
		return true
	}
	for _, i := range m.Recipients {
		if !m.Envelope.Recipients[i].Path.IsASCII() {
			return true
		}
	}
	return false
}
