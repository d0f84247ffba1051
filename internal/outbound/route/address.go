package route

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/reply"
)

// Addresses returns the addresses of a host in the order in which they are to
// be tried: those of IPv6 and of IPv4 by turns, so that a network without one
// of them costs one attempt only. The error is an [*Error], or that of the
// context.
func (t *Table) Addresses(ctx context.Context, h Host) ([]Address, error) {
	if h.Socket != "" {
		return []Address{{Network: "unix", Addr: h.Socket, Host: "localhost"}}, nil
	}
	if addr, err := netip.ParseAddr(h.Name); err == nil {
		return []Address{h.address(addr)}, nil
	}
	addrs, err := t.options.Resolver.LookupAddr(ctx, h.Name)
	switch {
	case err == nil:
	case errors.Is(err, dns.ErrNotFound), errors.Is(err, dns.ErrNoData):
		// The host may come back, and the others of the route may do: it is
		// not for this one to return the mail.
		return nil, &Error{Status: reply.NewStatus(4, 4), Reason: "dns-problem", Err: fmt.Errorf("the host %s has no address: %w", h.Name, err)}
	default:
		return nil, t.later(ctx, err)
	}
	found := len(addrs)
	addrs = slices.DeleteFunc(addrs, func(a netip.Addr) bool { return h.foreign && t.ours(a) })
	if len(addrs) == 0 && found > 0 {
		return nil, &Error{
			Permanent: true, Status: reply.NewStatus(4, 6), Reason: "routing-loop",
			Err: fmt.Errorf("the host %s leads back to this machine", h.Name),
		}
	}
	addrs = slices.DeleteFunc(addrs, func(a netip.Addr) bool {
		four := a.Unmap().Is4()
		return t.options.IPv4Only && !four || t.options.IPv6Only && four
	})
	if len(addrs) == 0 {
		return nil, &Error{Status: reply.NewStatus(4, 4), Reason: "network", Err: fmt.Errorf("the host %s has no address of a kind that can be used here", h.Name)}
	}
	return t.ordered(h, addrs), nil
}

// ours reports that an address leads to this machine.
func (t *Table) ours(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || slices.Contains(t.options.Own, a)
}

func (h Host) address(a netip.Addr) Address {
	return Address{Network: "tcp", Addr: net.JoinHostPort(a.String(), strconv.Itoa(int(h.Port))), Host: h.Name}
}

// ordered shuffles the addresses of each kind and takes them by turns.
func (t *Table) ordered(h Host, addrs []netip.Addr) []Address {
	var six, four []netip.Addr
	for _, a := range addrs {
		if a.Unmap().Is4() {
			four = append(four, a)
		} else {
			six = append(six, a)
		}
	}
	t.shuffle(six)
	t.shuffle(four)
	ordered := make([]Address, 0, len(addrs))
	for i := range max(len(six), len(four)) {
		if i < len(six) {
			ordered = append(ordered, h.address(six[i]))
		}
		if i < len(four) {
			ordered = append(ordered, h.address(four[i]))
		}
	}
	return ordered
}

func (t *Table) shuffle(addrs []netip.Addr) {
	for i := len(addrs) - 1; i > 0; i-- {
		k := int(t.options.Random() * float64(i+1))
		addrs[i], addrs[k] = addrs[k], addrs[i]
	}
}
