package dns

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// ednsSize is the size of an answer that passes every network unfragmented.
const ednsSize = 1232

// readSize has room for what servers send that do not care.
const readSize = 4096

// refusal is an answer that answers nothing, such as SERVFAIL. The next server
// may know better; to ask the same one again is of no use.
type refusal struct{ what string }

// Error returns what the server said.
func (r *refusal) Error() string { return "the server says " + r.what }

// exchange asks one server: by UDP, and by TCP where the answer does not fit.
// A server that does not understand EDNS is asked without (RFC 6891 section
// 7).
func (r *Resolver) exchange(ctx context.Context, name string, kind uint16, server string) (*dns.Msg, error) {
	m := new(dns.Msg)
	m.SetQuestion(name, kind)
	m.SetEdns0(ednsSize, false)
	m.AuthenticatedData = r.validates // asks whether the answer was checked (RFC 6840 section 5.7)
	in, err := r.exchangeAny(ctx, m, server)
	if err == nil && (in.Rcode == dns.RcodeFormatError || in.Rcode == dns.RcodeNotImplemented || in.Rcode == dns.RcodeBadVers) {
		m.Extra = nil
		in, err = r.exchangeAny(ctx, m, server)
	}
	if err != nil {
		return nil, err
	}
	return in, check(in)
}

// exchangeAny asks by UDP, and by TCP where the answer does not fit.
func (r *Resolver) exchangeAny(ctx context.Context, m *dns.Msg, server string) (*dns.Msg, error) {
	for _, network := range []string{"udp", "tcp"} {
		in, err := r.exchangeOne(ctx, m, network, server)
		if err != nil || !in.Truncated {
			return in, err
		}
	}
	return nil, &refusal{"that the answer is too long, even by TCP"}
}

// exchangeOne asks over a socket of its own, so that also its port is random
// (RFC 5452 section 9.2), and waits until the answer comes.
func (r *Resolver) exchangeOne(ctx context.Context, m *dns.Msg, network, server string) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	var dialer net.Dialer
	nc, err := dialer.DialContext(ctx, network, server)
	if err != nil {
		return nil, cause(err, network)
	}
	defer nc.Close()
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	conn := &dns.Conn{Conn: nc, UDPSize: readSize}
	m.Id = uint16(rand.Uint32()) // ChaCha8, which cannot be guessed
	if err := conn.WriteMsg(m); err != nil {
		return nil, cause(err, network)
	}
	in, err := receive(conn, m)
	if err != nil {
		return nil, cause(err, network)
	}
	return in, nil
}

// receive waits for the answer to a question. What is no answer to it is
// passed over: whoever guesses is not to end the wait for the right one.
func receive(conn *dns.Conn, m *dns.Msg) (*dns.Msg, error) {
	for {
		text, err := conn.ReadMsgHeader(nil)
		if err != nil {
			if errors.Is(err, dns.ErrShortRead) {
				continue
			}
			return nil, err
		}
		in := new(dns.Msg)
		err = in.Unpack(text)
		if (err == nil || in.Truncated) && answers(in, m) {
			return in, nil // where it is cut in the middle of a record, TCP has it all
		}
	}
}

// answers holds an answer against its question.
func answers(in, m *dns.Msg) bool {
	if !in.Response || in.Id != m.Id {
		return false
	}
	if len(in.Question) == 0 {
		// Some servers leave it out where they did not understand it.
		return in.Rcode == dns.RcodeFormatError || in.Rcode == dns.RcodeNotImplemented
	}
	asked, got := m.Question[0], in.Question[0]
	return len(in.Question) == 1 && got.Qtype == asked.Qtype && got.Qclass == asked.Qclass && strings.EqualFold(got.Name, asked.Name)
}

// check tells answers from refusals. A server that does not recurse and names
// others in place of an answer is of no use to a stub.
func check(in *dns.Msg) error {
	switch {
	case in.Rcode != dns.RcodeSuccess && in.Rcode != dns.RcodeNameError:
		return &refusal{rcode(in.Rcode)}
	case in.Rcode == dns.RcodeSuccess && len(in.Answer) == 0 && !in.Authoritative && !in.RecursionAvailable:
		return &refusal{"that it does not ask others"}
	}
	return nil
}

func rcode(code int) string {
	if s, ok := dns.RcodeToString[code]; ok {
		return s
	}
	return fmt.Sprintf("code %d", code)
}

// cause says in words why a server gave no answer. What the library says names
// addresses and ports of this machine, which nobody needs.
func cause(err error, network string) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("no answer by %s in time", strings.ToUpper(network))
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return fmt.Errorf("no answer by %s: %w", strings.ToUpper(network), err)
}
