package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"syscall"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/inbound"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpserver"
)

// inboundListener translates one listener of the configuration.
func inboundListener(cfg *config.Config, l *config.Listener, certificate *tls.Config) inbound.Listener {
	in := inbound.Listener{
		Name:  l.Label(),
		Class: classOf(l),
		LMTP:  l.Protocol == config.ProtocolLMTP,
		Limits: smtpserver.Limits{
			MessageSize:  int64(cfg.SMTP.MaxMessageSize),
			Recipients:   cfg.SMTP.MaxRecipients,
			Errors:       noLimit(cfg.SMTP.MaxErrors),
			Transactions: cfg.SMTP.MaxTransactions,
		},
		Timeouts: smtpserver.Timeouts{Command: cfg.SMTP.CommandTimeout, Block: cfg.SMTP.DataTimeout},
	}
	if cfg.SMTP.BareNewline == config.BareNewlineNormalize {
		in.LineEnding = smtp.NormalizeBare
	}
	if l.TLS != config.ListenerTLSOff {
		in.TLS = certificate
		in.Implicit = l.TLS == config.ListenerTLSImplicit
	}
	return in
}

// noLimit turns the 0 of the configuration, which means no limit, into one.
func noLimit(n int) int {
	if n == 0 {
		return math.MaxInt
	}
	return n
}

// loadTLS reads the certificate that listeners show. It returns nil where the
// configuration names none.
func loadTLS(c *config.TLS) (*tls.Config, error) {
	if c.Certificate == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate (keys certificate and key of [tls]): %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}, nil
}

// listen opens a listener. The socket of a relay that was killed is taken
// over; one that somebody listens on is not.
func listen(network, address string) (net.Listener, error) {
	// A client that has gone is noticed by the time-outs of the protocol: what
	// the kernel would ask of it costs five system calls a connection.
	config := net.ListenConfig{KeepAlive: -1}
	l, err := config.Listen(context.Background(), network, address)
	if network != "unix" {
		return l, err
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	if nc, dialErr := net.Dial(network, address); dialErr == nil {
		nc.Close()
		return nil, err
	}
	if err := os.Remove(address); err != nil {
		return nil, fmt.Errorf("removing a socket that nobody listens on: %w", err)
	}
	return net.Listen(network, address)
}
