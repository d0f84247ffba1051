package auth

import (
	"strings"

	"github.com/xdg-go/scram"
)

// scramExchange is SCRAM-SHA-256 (RFC 5802, RFC 7677). The one with PLUS is bound to
// the TLS connection, so that nobody in between can pass it on.
type scramExchange struct {
	base
	plus    bool
	talk    *scram.ServerConversation
	account Identity
	real    bool // the account is one that may be used
	proved  bool // the last message of the server is sent
}

func newSCRAMExchange(b base) *scramExchange {
	return &scramExchange{base: b, plus: b.mechanism == SCRAMSHA256Plus}
}

// Next takes the client's first message, its proof, and that it has heard the proof of
// the server.
func (s *scramExchange) Next(response []byte) ([]byte, bool, error) {
	switch {
	case response == nil:
		return []byte{}, false, nil
	case s.proved:
		if len(response) > 0 {
			return nil, false, malformed("there is a message after the last")
		}
		s.who = s.service.complete(s.account, s.mechanism)
		return nil, true, nil
	case s.talk == nil:
		if err := s.begin(string(response)); err != nil {
			return nil, false, err
		}
	}
	challenge, err := s.talk.Step(string(response))
	if err != nil {
		return nil, false, s.failure(challenge)
	}
	if s.talk.Done() {
		return s.finish(challenge)
	}
	return []byte(challenge), false, nil
}

// failure says what was wrong. The library's own error may have parts of what the
// client has sent.
func (s *scramExchange) failure(code string) error {
	switch code {
	case "":
		return malformed("the message is not one of SCRAM")
	case scram.ErrServerDoesSupportChannelBinding:
		return denied("", "the client was led to believe that there is no channel binding here")
	case scram.ErrChannelBindingsDontMatch:
		return denied(s.account.Account, "the client sees another TLS connection than this one")
	}
	return denied(s.account.Account, "the proof of the password is wrong")
}

// finish looks whose proof was right.
func (s *scramExchange) finish(challenge string) ([]byte, bool, error) {
	switch {
	case !s.talk.Valid() || !s.real:
		return nil, false, denied(s.account.Account, "the account is disabled, or not one for SCRAM")
	case !actsFor(s.talk.AuthzID(), s.account.Account):
		return nil, false, denied(s.account.Account, "the account may not act for another")
	}
	s.proved = true
	return []byte(challenge), false, nil
}

// begin looks at how the first message wants the exchange to be bound.
func (s *scramExchange) begin(first string) error {
	flag, _, _ := strings.Cut(first, ",")
	kind, bound := strings.CutPrefix(flag, "p=")
	if bound != s.plus {
		return malformed("channel binding is asked for with -PLUS, and only then")
	}
	server, err := scram.SHA256.NewServer(s.lookUp)
	if err != nil {
		return unavailable("SCRAM cannot be used", err)
	}
	if s.plus {
		binding, ok := bindingOf(s.channel, scram.ChannelBindingType(kind))
		if !ok {
			return malformed("the kind of channel binding is none that is possible here")
		}
		s.talk = server.NewConversationWithChannelBindingRequired(binding)
		return nil
	}
	// With "y" the client says that it would have used -PLUS, had it been offered.
	// Where it was, somebody has taken it out of the answer to EHLO.
	var binding scram.ChannelBinding
	if s.service.offers(SCRAMSHA256Plus, s.channel) {
		binding = anyBinding()
	}
	s.talk = server.NewConversationWithChannelBinding(binding)
	return nil
}

// lookUp finds the verifier of an account, or one that nobody has the password of.
func (s *scramExchange) lookUp(name string) (scram.StoredCredentials, error) {
	prepared, err := PrepareName(name)
	if err != nil {
		prepared = name // no account has it
	}
	var v SCRAMVerifier
	v, s.account, s.real = s.service.options.Directory.(Verifiers).Verifier(prepared)
	return scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(v.Salt), Iters: v.Iterations},
		StoredKey:  v.StoredKey, ServerKey: v.ServerKey,
	}, nil
}

// canBind tells whether there is a kind of channel binding for -PLUS.
func canBind(ch *Channel) bool {
	if ch.Expected {
		return true
	}
	_, exporter := bindingOf(ch, scram.ChannelBindingTLSExporter)
	_, endPoint := bindingOf(ch, scram.ChannelBindingTLSServerEndpoint)
	return exporter || endPoint
}

// bindingOf returns the channel binding of a kind. The exporter of RFC 9266 is unique
// with TLS 1.3, and before it with extended master secrets; the library refuses it
// otherwise.
func bindingOf(ch *Channel, kind scram.ChannelBindingType) (scram.ChannelBinding, bool) {
	switch {
	case ch.TLS == nil:
	case kind == scram.ChannelBindingTLSExporter:
		b, err := scram.NewTLSExporterBinding(ch.TLS)
		return b, err == nil
	case kind == scram.ChannelBindingTLSServerEndpoint && len(ch.EndPoint) > 0:
		return scram.ChannelBinding{Type: kind, Data: ch.EndPoint}, true
	}
	return scram.ChannelBinding{}, false
}

// anyBinding stands for the bindings that are offered, where none is used.
func anyBinding() scram.ChannelBinding {
	return scram.ChannelBinding{Type: scram.ChannelBindingTLSExporter, Data: []byte("offered")}
}
