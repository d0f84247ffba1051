package main

import (
	"io"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// busyPeer is a next hop of which much is known.
func busyPeer() api.Peer {
	return api.Peer{
		Name: "mx.example.net", FirstSeen: noon.AddDate(0, 0, -40), LastSeen: noon.Add(-2 * time.Minute), LastGood: noon.Add(-3 * time.Minute),
		Sessions: 812, Failures: 9, Transactions: 5400, Accepted: 5600, Refused: 31,
		LastFailure: &api.PeerEvent{At: noon.Add(-time.Hour), Stage: "rcpt", Text: "421 4.7.0 Too many\x1b messages, slow down"},
		Greeting:    "220 mx.example.net ESMTP",
		Plain:       []string{"PIPELINING", "SIZE 10240000", "STARTTLS"},
		Offers:      []string{"PIPELINING", "SIZE 10240000", "8BITMIME", "AUTH PLAIN LOGIN XOAUTH2", "CHUNKING"},
		Mechanism:   "PLAIN",
		TLS:         &api.PeerTLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Expires: noon.AddDate(0, 0, 61), Verified: true},
		Refusals: []api.PeerRefusal{
			{Stage: "auth", Name: "XOAUTH2", Text: "504 5.7.4 Unrecognized authentication type", At: noon.AddDate(0, 0, -2), Count: 1},
			{Stage: "mail", Name: "SIZE", Text: "555 5.5.4 Unsupported option: SIZE=1200", At: noon.AddDate(0, 0, -8), Count: 3},
		},
		Busy:         []api.PeerEvent{{At: noon.Add(-26 * time.Hour), Stage: "connect", Text: "421 4.3.2 too many connections"}, {At: noon.Add(-time.Hour), Stage: "rcpt", Text: "421 4.7.0 Too many messages, slow down"}},
		BusyCount:    17,
		GreetingTime: api.Latency{Mean: api.Duration(41200 * time.Microsecond), Max: api.Duration(5 * time.Second)},
		RCPTTime:     api.Latency{Mean: api.Duration(812 * time.Microsecond), Max: api.Duration(90 * time.Millisecond)},
		ContentTime:  api.Latency{Mean: api.Duration(1234 * time.Millisecond), Max: api.Duration(61 * time.Second)},
	}
}

// deadPeer is one that was never reached.
func deadPeer() api.Peer {
	return api.Peer{
		Name: "smtp.example.org:587", FirstSeen: noon.Add(-90 * time.Second), LastSeen: noon.Add(-time.Second), Failures: 3,
		LastFailure: &api.PeerEvent{At: noon.Add(-time.Second), Stage: "connect", Text: "dial tcp 192.0.2.1:587: connection refused"},
	}
}

func TestPeersArePrintedToBeRead(t *testing.T) {
	for name, p := range map[string]api.Peer{"busy": busyPeer(), "dead": deadPeer()} {
		t.Run(name, func(t *testing.T) {
			printed(t, "peer-"+name, func(w io.Writer) error { return writePeer(&paper{out: w, columns: columns}, &p, noon) })
		})
	}
	for name, all := range map[string][]api.Peer{"list": {busyPeer(), deadPeer()}, "none": nil} {
		t.Run(name, func(t *testing.T) {
			printed(t, "peer-"+name, func(w io.Writer) error {
				list := newPeerList(w, false, noon)
				for i := range all {
					if err := list.add(&all[i]); err != nil {
						return err
					}
				}
				return list.end()
			})
		})
	}
}
