package relay

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound"
	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/profile"
	"github.com/weirmail/weir/internal/outbound/retry"
	"github.com/weirmail/weir/internal/outbound/route"
)

// buildOutbound builds the room that delivers.
func (r *Relay) buildOutbound(ctx context.Context, ids *mail.IDSource) (*outbound.Outbound, error) {
	cfg := r.config
	table, err := r.buildTable(ctx)
	if err != nil {
		return nil, err
	}
	r.table = table
	sessions, err := r.openReports(ctx, ids)
	if err != nil {
		return nil, err
	}
	general, err := r.hopTLS("[delivery]", cfg.Delivery.HopTLS)
	if err != nil {
		return nil, err
	}
	name := cfg.Delivery.EHLO
	if name == "" {
		name = cfg.Hostname
	}
	signer, err := r.openSigner()
	if err != nil {
		return nil, err
	}
	r.peers = r.openPeers()
	return outbound.New(outbound.Options{
		Hostname:  cfg.Hostname,
		Signer:    signer,
		Languages: noticeLanguages(cfg.Notices),
		Spool:     r.store,
		Router:    table,
		Attempt: attempt.Options{
			LocalName:    name,
			DialFrom:     dialFrom,
			SendEightBit: cfg.Delivery.EightBit == config.EightBitSend,
			Lockout:      &attempt.Lockout{},
			Peers:        r.peers,
			TLS:          general,
		},
		Timetable: retry.Timetable{
			First:       cfg.Retry.First,
			Max:         cfg.Retry.Max,
			Expire:      cfg.Retry.Expire,
			DelayNotice: cfg.Retry.DelayNotice,
		},
		Sessions:     sessions,
		Notes:        r.store,
		IDs:          ids,
		Events:       r.events,
		Connections:  cfg.Delivery.Connections,
		Transactions: cfg.Delivery.TransactionsPerConnection,
		Age:          cfg.Delivery.ConnectionAge,
		Idle:         cfg.Delivery.Idle,
	}), nil
}

// buildTable builds the table of routes.
func (r *Relay) buildTable(ctx context.Context) (*route.Table, error) {
	cfg := r.config
	resolver, err := dns.New(dns.Options{Servers: cfg.DNS.Servers, Validating: validating(cfg.DNS.Validating)})
	if err != nil {
		return nil, fmt.Errorf("preparing to ask the DNS (key servers of [dns] sets whom): %w", err)
	}
	r.resolver = resolver
	profiles, err := profilesOf(cfg)
	if err != nil {
		return nil, err
	}
	o := route.Options{
		Direct:   cfg.Deliver == config.DeliverDirect,
		TLS:      tlsPolicy(cfg.Delivery.TLS),
		Hostname: cfg.Hostname,
		Own:      ownAddresses(cfg),
		Resolver: resolver,
		Profiles: profiles,
		Sources:  cfg.Delivery.SourceAddress,
	}
	if err := r.askDomains(ctx, &o, resolver); err != nil {
		return nil, err
	}
	o.IPv4Only, o.IPv6Only = onlyOneKind(cfg.Delivery.SourceAddress)
	if err := r.addHops(&o); err != nil {
		return nil, err
	}
	if r.inbox != nil && len(o.Default) == 0 {
		o.Default = []route.NextHop{r.inbox.nextHop()}
		o.TLS = route.TLSOff
	}
	return route.New(o), nil
}

func validating(v config.Validating) dns.Validating {
	switch v {
	case config.ValidatingYes:
		return dns.ValidatingYes
	case config.ValidatingNo:
		return dns.ValidatingNo
	}
	return dns.ValidatingAuto
}

// addHops adds the servers that the configuration names.
func (r *Relay) addHops(o *route.Options) (err error) {
	cfg := r.config
	if o.Default, err = r.nextHops(config.NamedServer{Server: &cfg.Server}); err != nil {
		return err
	}
	if o.Backup, err = r.backup("", cfg.Fallback); err != nil {
		return err
	}
	for i := range cfg.Routes {
		c := &cfg.Routes[i]
		key := fmt.Sprintf("route[%d]", i)
		rule := route.Rule{To: c.Domains(), From: c.From, TLS: o.TLS}
		if c.TLS != "" {
			rule.TLS = tlsPolicy(c.TLS)
		}
		if rule.NextHops, err = r.nextHops(config.NamedServer{Key: key, Server: &c.Server}); err != nil {
			return err
		}
		if err := r.addTLS(rule.NextHops, key, c.HopTLS); err != nil {
			return err
		}
		if rule.Backup, err = r.backup(key+".", c.Fallback); err != nil {
			return err
		}
		o.Rules = append(o.Rules, rule)
	}
	return nil
}

// backup returns the servers that take the place of others, each with the TLS of
// its own.
func (r *Relay) backup(key string, list []config.Fallback) (all []route.NextHop, err error) {
	for i := range list {
		f := &list[i]
		hops, err := r.nextHops(config.NamedServer{Key: fmt.Sprintf("%sfallback[%d]", key, i), Server: &f.Server})
		if err != nil {
			return nil, err
		}
		policy := tlsPolicy(r.config.Delivery.TLS)
		if f.TLS != "" {
			policy = tlsPolicy(f.TLS)
		}
		for k := range hops {
			hops[k].TLS = &policy
		}
		all = append(all, hops...)
	}
	return all, nil
}

// nextHops returns the servers of a place in the configuration, with how the relay
// signs in to them.
func (r *Relay) nextHops(s config.NamedServer) ([]route.NextHop, error) {
	login, err := r.logins.of(s)
	if err != nil {
		return nil, fmt.Errorf("signing in to the server of %q: %w", s.Key, err)
	}
	var all []route.NextHop
	for _, h := range s.Hops() {
		n := route.NextHop{Implicit: h.Implicit, MX: h.MX, Host: h.Host, Port: h.Port, Socket: h.Socket, Login: login}
		if h.Protocol == config.ProtocolLMTP {
			n.Protocol = route.LMTP
		}
		if login != nil && h.OnThisMachine() {
			open := *login
			open.AllowPlainText = true
			n.Login = &open
		}
		all = append(all, n)
	}
	return all, nil
}

// smarthostProfiles are what is known of the limits of the providers that the
// configuration names.
func smarthostProfiles(cfg *config.Config) (all []profile.Profile) {
	for _, s := range cfg.Servers() {
		c, ok := s.Smarthost.Choice()
		if !ok {
			continue
		}
		p := c.Provider
		limits := profile.Limits{Connections: p.Connections, Pace: p.PerSecond(), Messages: p.PerConnection, Recipients: p.Recipients}
		if limits != (profile.Limits{}) {
			all = append(all, profile.Profile{Name: "smarthost-" + p.ID, Hosts: []string{c.Host}, Limits: limits})
		}
	}
	return all
}

func tlsPolicy(p config.TLSPolicy) route.TLSPolicy {
	switch p {
	case config.TLSOff:
		return route.TLSOff
	case config.TLSEncrypted:
		return route.TLSEncrypted
	case config.TLSVerified:
		return route.TLSVerified
	case config.TLSDANE:
		return route.TLSDANE
	case config.TLSOpportunistic:
		return route.TLSOpportunistic
	}
	return route.TLSAuto
}

// smtpPort is where mail exchangers listen.
const smtpPort = "25"

// ownAddresses are those by which other servers reach this relay: a record
// that leads there is a loop. A relay that does not listen on port 25 is
// reached by nobody's records.
func ownAddresses(cfg *config.Config) []netip.Addr {
	var own []netip.Addr
	for _, l := range cfg.Listeners {
		network, address := l.Network()
		host, port, err := net.SplitHostPort(address)
		if network != "tcp" || err != nil || port != smtpPort {
			continue
		}
		if addr, err := netip.ParseAddr(host); err == nil && !addr.IsUnspecified() {
			own = append(own, addr.Unmap())
			continue
		}
		own = append(own, interfaceAddresses()...)
	}
	return own
}

// interfaceAddresses are all addresses of this machine, as far as it tells.
func interfaceAddresses() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var addrs []netip.Addr
	for _, a := range all {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			addrs = append(addrs, prefix.Addr().Unmap())
		}
	}
	return addrs
}

// onlyOneKind tells whether the source addresses leave only one kind of
// connection possible.
func onlyOneKind(sources []netip.Addr) (four, six bool) {
	if len(sources) == 0 {
		return false, false
	}
	has4 := slices.ContainsFunc(sources, func(a netip.Addr) bool { return a.Unmap().Is4() })
	has6 := slices.ContainsFunc(sources, func(a netip.Addr) bool { return !a.Unmap().Is4() })
	return has4 && !has6, has6 && !has4
}

// dialFrom makes a connection from an address of this machine, or from the one
// that the system chooses where it is not valid.
func dialFrom(ctx context.Context, source netip.Addr, network, address string) (net.Conn, error) {
	d := net.Dialer{KeepAlive: 30 * time.Second}
	if source.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	return d.DialContext(ctx, network, address)
}
