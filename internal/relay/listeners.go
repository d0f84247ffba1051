package relay

import (
	"crypto/tls"
	"math"
	"net"
	"net/netip"
	"slices"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/inbound"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpserver"
)

// mailListener is a listener with those who may sign in on it.
func (r *Relay) mailListener(i int) inbound.Listener {
	l := &r.config.Listeners[i]
	in := inboundListener(r.config, l, r.certificates.shown[i])
	if l.OffersAuth() {
		in.Auth, in.AuthRequired = r.accounts, l.Auth == config.ListenerAuthRequired
		in.Certificate = r.certificates.only[i]
	}
	return in
}

// inboundListener translates one listener of the configuration. shown is nil where
// it does without TLS.
func inboundListener(cfg *config.Config, l *config.Listener, shown *tls.Config) inbound.Listener {
	in := inbound.Listener{
		Name:  l.Label(),
		Class: classOf(l),
		LMTP:  l.Protocol == config.ProtocolLMTP,

		Submission: l.Submits(),

		Limits: smtpserver.Limits{
			MessageSize:  int64(cfg.SMTP.MaxMessageSize),
			Recipients:   cfg.SMTP.MaxRecipients,
			Errors:       noLimit(cfg.SMTP.MaxErrors),
			Transactions: cfg.SMTP.MaxTransactions,
		},
		Timeouts: smtpserver.Timeouts{Command: cfg.SMTP.CommandTimeout, Block: cfg.SMTP.DataTimeout},
		Offers: smtpserver.Offers{
			RequireTLS:    true,
			DeliverBy:     true,
			Priority:      true,
			FutureRelease: cfg.SMTP.FutureRelease,
			DeliverByMin:  cfg.SMTP.DeliverByMin,
		},
		UnrecognizedParameter: reply.Code(cfg.SMTP.UnrecognizedParameter),
	}
	if len(l.XCLIENT) > 0 {
		in.Offers.XCLIENT = among(l.XCLIENT)
	}
	if cfg.SMTP.BareNewline == config.BareNewlineNormalize {
		in.LineEnding = smtp.NormalizeBare
	}
	if shown != nil {
		in.TLS = shown
		in.Implicit = l.ImplicitTLS()
	}
	return in
}

// among returns a function that tells whether a peer is of one of the networks.
func among(networks []netip.Prefix) func(net.Addr) bool {
	return func(peer net.Addr) bool {
		t, ok := peer.(*net.TCPAddr)
		if !ok {
			return false
		}
		addr := t.AddrPort().Addr().Unmap().WithZone("")
		return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
	}
}

// noLimit turns the 0 of the configuration, which means no limit, into one.
func noLimit(n int) int {
	if n == 0 {
		return math.MaxInt
	}
	return n
}
