package relay

import (
	"context"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/outbound/peer"
)

// openPeers opens the memory of next hops, which is kept beside the queue.
func (r *Relay) openPeers() *peer.Book {
	return peer.New(peer.Options{
		Notes:  r.store,
		Report: func(err error) { r.events.Fault(event.Fault{Where: "peers", Err: err}) },
	})
}

// peers shows the memory of next hops to the admin interface.
type peers struct{ book *peer.Book }

func (p peers) Each(ctx context.Context, from string, each func(api.Peer) bool) error {
	return p.book.Each(ctx, from, func(h peer.Host) bool { return each(peerOf(&h)) })
}

func (p peers) Get(ctx context.Context, name string) (api.Peer, bool, error) {
	h, known, err := p.book.Host(ctx, name)
	return peerOf(&h), known, err
}

func (p peers) Forget(ctx context.Context, name string) (bool, error) {
	return p.book.Forget(ctx, name)
}

func peerOf(h *peer.Host) api.Peer {
	p := api.Peer{
		Name: h.Name, FirstSeen: h.FirstSeen, LastSeen: h.LastSeen, LastGood: h.LastGood,
		Sessions: h.Sessions, Failures: h.Failures, Transactions: h.Transactions, Accepted: h.Accepted, Refused: h.Refused,
		Greeting: h.Greeting, Plain: h.Plain, Offers: h.Offers, Mechanism: h.Mechanism, BusyCount: h.BusyCount,
		GreetingTime: latencyOf(h.GreetingTime), RCPTTime: latencyOf(h.RCPTTime), ContentTime: latencyOf(h.ContentTime),
	}
	if h.LastFailure != nil {
		e := api.PeerEvent(*h.LastFailure)
		p.LastFailure = &e
	}
	if h.TLS != nil {
		t := api.PeerTLS(*h.TLS)
		p.TLS = &t
	}
	for _, r := range h.Refusals {
		p.Refusals = append(p.Refusals, api.PeerRefusal(r))
	}
	for _, e := range h.Busy {
		p.Busy = append(p.Busy, api.PeerEvent(e))
	}
	return p
}

func latencyOf(l peer.Latency) api.Latency {
	return api.Latency{Mean: api.Duration(l.Mean), Max: api.Duration(l.Max)}
}
