package auth

import "context"

// Begin begins an exchange by a mechanism that is offered on the channel; it returns
// nil for any other. The context is that of the whole exchange.
func (s *Service) Begin(ctx context.Context, mechanism string, ch *Channel) Exchange {
	if !s.offers(mechanism, ch) {
		return nil
	}
	b := base{service: s, ctx: ctx, mechanism: mechanism, channel: ch}
	switch mechanism {
	case PLAIN:
		return &plain{base: b}
	case LOGIN:
		return &login{base: b}
	case SCRAMSHA256, SCRAMSHA256Plus:
		return newSCRAMExchange(b)
	case EXTERNAL:
		return &external{base: b}
	case OAUTHBEARER, XOAUTH2:
		return &bearer{base: b}
	}
	return nil
}

// base is what all mechanisms have.
type base struct {
	service   *Service
	ctx       context.Context
	mechanism string
	channel   *Channel
	who       Identity
}

// Identity returns who the client is.
func (b *base) Identity() Identity { return b.who }

// checkPassword asks the directory.
func (b *base) checkPassword(authzid, authcid, password string) error {
	if err := checkPassword(password); err != nil {
		return malformed(err.Error())
	}
	name, err := PrepareName(authcid)
	if err != nil {
		return malformed(err.Error())
	}
	who, err := b.service.options.Directory.Check(b.ctx, Credentials{Name: name, Password: password, Client: b.channel.Client})
	if err != nil {
		return err
	}
	if !actsFor(authzid, name) {
		return denied(who.Account, "the account may not act for another")
	}
	b.who = b.service.complete(who, b.mechanism)
	return nil
}
