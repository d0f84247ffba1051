package route

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/outbound/dane"
	"github.com/weirmail/weir/reply"
)

// Addresses returns the addresses of a host in the order in which they are to
// be tried: those of IPv6 and of IPv4 by turns (as RFC 8305 section 4 has
// them), so that a network without one of them costs one attempt only. The
// error is an [*Error], or that of the context.
func (t *Table) Addresses(ctx context.Context, h Host) ([]Address, error) {
	if h.Socket != "" {
		return []Address{{Network: "unix", Addr: h.Socket, Host: "localhost"}}, nil
	}
	addrs, err := t.lookup(ctx, h)
	if err != nil {
		return nil, err
	}
	if h.foreign {
		if addrs, err = t.allowed(h, addrs); err != nil {
			return nil, err
		}
	}
	ordered, err := t.ordered(h, addrs)
	if err != nil || !h.DANE {
		return ordered, err
	}
	return t.withTLSA(ctx, h, ordered)
}

// withTLSA adds what the DNS says of the certificate of a host. Where it cannot say,
// the host gets no mail: somebody may have taken the records away (RFC 7672 section
// 2.1.2).
func (t *Table) withTLSA(ctx context.Context, h Host, addresses []Address) ([]Address, error) {
	if t.options.Proofs == nil {
		return nil, &Error{
			Status: reply.NewStatus(7, 0), Reason: "local-error",
			Err: fmt.Errorf("TLSA records of the host %s are asked for (tls = \"dane\"), and no resolver is trusted to check signatures: see validating of [dns]", h.Name),
		}
	}
	set, err := t.options.Proofs.LookupTLSA(ctx, h.Name, h.Port)
	if err != nil {
		return nil, later(ctx, fmt.Errorf("the host %s is signed, but its TLSA records (DANE) cannot be had: %w", h.Name, err))
	}
	if len(set.Records) == 0 {
		return addresses, nil
	}
	policy := dane.New(h.Name, set)
	for i := range addresses {
		addresses[i].DANE = policy
	}
	return addresses, nil
}

// lookup returns all addresses of a host.
func (t *Table) lookup(ctx context.Context, h Host) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(h.Name); err == nil {
		return []netip.Addr{addr}, nil
	}
	addrs, err := t.options.Resolver.LookupAddr(ctx, h.Name)
	switch {
	case err == nil:
		return addrs, nil
	case !errors.Is(err, dns.ErrNotFound) && !errors.Is(err, dns.ErrNoData):
		return nil, later(ctx, err)
	case h.foreign:
		return nil, unroutable(fmt.Errorf("the host %s has no address in the DNS", h.Name))
	}
	// It is the operator's own: its mail waits until that is put right.
	return nil, &Error{
		Status: reply.NewStatus(4, 4), Reason: "dns-problem",
		Err: fmt.Errorf("next_hop: the host %s has no address in the DNS", h.Name),
	}
}

// allowed leaves out the addresses to which no stranger can send mail: nobody
// is to reach what listens on this machine alone, or this relay again, by a
// record of his own.
func (t *Table) allowed(h Host, addrs []netip.Addr) ([]netip.Addr, error) {
	left := make([]netip.Addr, 0, len(addrs))
	for _, a := range addrs {
		if !t.ours(a) && !unusable(a) {
			left = append(left, a)
		}
	}
	switch {
	case len(left) > 0:
		return left, nil
	case slices.ContainsFunc(addrs, t.ours):
		return nil, loop(fmt.Errorf("the host %s leads back to this relay: its address is %s", h.Name, addrs[0]))
	}
	return nil, unroutable(fmt.Errorf("the host %s has an address that no mail server can have", h.Name))
}

// ours reports that an address leads to this machine.
func (t *Table) ours(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsUnspecified() || a.Is4() && a.As4()[0] == 0 || t.isOwn(a)
}

// isOwn reports that others reach this relay by an address.
func (t *Table) isOwn(a netip.Addr) bool {
	return slices.ContainsFunc(t.options.Own, func(own netip.Addr) bool { return own.Unmap().WithZone("") == a.Unmap().WithZone("") })
}

// unusable reports that an address is not that of one host on the Internet:
// multicast, broadcast, and what is valid on one link only, such as the
// address from which machines in a cloud read their secrets.
func unusable(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsMulticast() || a.IsLinkLocalUnicast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// ordered shuffles the addresses of each kind and takes them by turns.
func (t *Table) ordered(h Host, addrs []netip.Addr) ([]Address, error) {
	var six, four []netip.Addr
	for _, a := range addrs {
		switch a = a.Unmap(); {
		case a.Is4() && !t.options.IPv6Only:
			four = append(four, a)
		case !a.Is4() && !t.options.IPv4Only:
			six = append(six, a)
		}
	}
	if len(six)+len(four) == 0 {
		return nil, &Error{
			Status: reply.NewStatus(4, 4), Reason: "network",
			Err: fmt.Errorf("the host %s has no address of the kind that this relay sends from", h.Name),
		}
	}
	t.shuffle(six)
	t.shuffle(four)
	ordered := make([]Address, 0, len(six)+len(four))
	for i := range max(len(six), len(four)) {
		if i < len(six) {
			ordered = append(ordered, h.address(six[i]))
		}
		if i < len(four) {
			ordered = append(ordered, h.address(four[i]))
		}
	}
	return ordered, nil
}

func (h Host) address(a netip.Addr) Address {
	return Address{Network: "tcp", Addr: hostPort(a.String(), h.Port), Host: h.Name}
}

func (t *Table) shuffle(addrs []netip.Addr) {
	for i := len(addrs) - 1; i > 0; i-- {
		k := int(t.options.Random() * float64(i+1))
		addrs[i], addrs[k] = addrs[k], addrs[i]
	}
}
