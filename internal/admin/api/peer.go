package api

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Peer is what is known of one next hop.
type Peer struct {
	// Name is the name of the host, with its port where that is not 25, or the path of
	// a socket.
	Name string `json:"name"`
	// FirstSeen and LastSeen are when it was spoken to, or tried; LastGood is when it
	// last took a message, zero for never.
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	LastGood  time.Time `json:"last_good,omitzero"`
	// Sessions are connections that came as far as MAIL, Failures those that did not.
	// Transactions are messages handed over or refused; Accepted and Refused count their
	// recipients.
	Sessions     int64 `json:"sessions"`
	Failures     int64 `json:"failures"`
	Transactions int64 `json:"transactions"`
	Accepted     int64 `json:"accepted"`
	Refused      int64 `json:"refused"`
	// LastFailure is how a connection last failed or broke.
	LastFailure *PeerEvent `json:"last_failure,omitempty"`
	// Greeting is what it said first.
	Greeting string `json:"greeting,omitempty"`
	// Plain is what it offered in plain text before STARTTLS, Offers what it offers in
	// the session that is used.
	Plain  []string `json:"plain,omitempty"`
	Offers []string `json:"offers,omitempty"`
	// Mechanism is the one by which the relay signed in last.
	Mechanism string   `json:"mechanism,omitempty"`
	TLS       *PeerTLS `json:"tls,omitempty"`
	// Refusals are what it refused though it offers it.
	Refusals []PeerRefusal `json:"refusals,omitempty"`
	// Busy are its last 421s, of BusyCount in all.
	Busy      []PeerEvent `json:"busy,omitempty"`
	BusyCount int64       `json:"busy_count,omitempty"`
	// GreetingTime, RCPTTime and ContentTime are how long its replies take.
	GreetingTime Latency `json:"greeting_time,omitzero"`
	RCPTTime     Latency `json:"rcpt_time,omitzero"`
	ContentTime  Latency `json:"content_time,omitzero"`
}

// PeerTLS is how the last session was encrypted.
type PeerTLS struct {
	Version string `json:"version"`
	Cipher  string `json:"cipher"`
	// Expires is the end of the certificate that it shows.
	Expires time.Time `json:"expires,omitzero"`
	// Verified tells whether the certificate had to be valid.
	Verified bool `json:"verified"`
}

// PeerEvent is something that a next hop said, or that happened to a connection.
type PeerEvent struct {
	At    time.Time `json:"at"`
	Stage string    `json:"stage"`
	Text  string    `json:"text"`
}

// PeerRefusal is a mechanism, parameter or extension that a next hop refused though it
// offers it. For seven days after At it is avoided where mail can do without.
type PeerRefusal struct {
	Stage string    `json:"stage"`
	Name  string    `json:"name"`
	Text  string    `json:"text"`
	At    time.Time `json:"at"`
	Count int64     `json:"count"`
}

// Latency is how long something takes: a mean that follows what happens now, and the
// longest that was seen.
type Latency struct {
	Mean Duration `json:"mean"`
	Max  Duration `json:"max"`
}

// PeerPage is a part of the list of next hops. Next is the name at which the next part
// begins; empty at the end.
type PeerPage struct {
	Peers []Peer `json:"peers"`
	Next  string `json:"next,omitempty"`
}

// Peers returns the next hops that are known, in the order of their names, from the one
// that is named on; empty means all. The first error ends it.
func (c *Client) Peers(ctx context.Context, from string) iter.Seq2[Peer, error] {
	return func(yield func(Peer, error) bool) {
		for {
			var page PeerPage
			if err := c.call(ctx, http.MethodGet, "/v1/peers?from="+url.QueryEscape(from), nil, &page); err != nil {
				yield(Peer{}, err)
				return
			}
			for _, p := range page.Peers {
				if !yield(p, nil) {
					return
				}
			}
			if from = page.Next; from == "" {
				return
			}
		}
	}
}

// Peer returns what is known of one next hop.
func (c *Client) Peer(ctx context.Context, name string) (Peer, error) {
	var p Peer
	err := c.call(ctx, http.MethodGet, peerPath(name), nil, &p)
	return p, err
}

// ForgetPeer forgets what is known of a next hop.
func (c *Client) ForgetPeer(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, peerPath(name), nil, nil)
}

func peerPath(name string) string { return "/v1/peers/" + url.PathEscape(name) }
