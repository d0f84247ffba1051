package api

import "time"

// The states of a relay.
const (
	// StateStarting is before the first mail can be taken.
	StateStarting = "starting"
	// StateServing takes mail, though maybe not all that is offered.
	StateServing = "serving"
	// StateMaintenance sends new work away until it is over.
	StateMaintenance = "maintenance"
	// StateStopping ends.
	StateStopping = "stopping"
)

// Status is how the relay is.
type Status struct {
	// Version is the version of the program.
	Version string `json:"version"`
	// Hostname is the name that the relay gives itself.
	Hostname string `json:"hostname"`
	// Started is when the relay began to serve.
	Started time.Time `json:"started"`
	// State is [StateStarting], [StateServing], [StateMaintenance] or
	// [StateStopping]. A listener may be in maintenance by itself.
	State string `json:"state"`
	// Drains are the maintenances that are on, or were ordered.
	Drains []Drain `json:"drains,omitempty"`
	// Problem says why the relay is not ready; absent while it is.
	Problem string `json:"problem,omitempty"`
	// Spool are the figures of the queue.
	Spool Spool `json:"spool"`
	// Listeners are where mail is taken.
	Listeners []Listener `json:"listeners"`
	// Certificates are those that the listeners show.
	Certificates []Certificate `json:"certificates,omitempty"`
	// Logins are how the relay signs in to other servers by tokens.
	Logins []Login `json:"logins,omitempty"`
	// Admission is how the relay decides what it takes on; absent where it
	// takes everything.
	Admission *Admission `json:"admission,omitempty"`
}

// Spool are the figures of the queue, at one moment.
type Spool struct {
	// Messages and Bytes count what is stored.
	Messages int64 `json:"messages"`
	Bytes    int64 `json:"bytes"`
	// Leased counts the messages that are being worked on.
	Leased int64 `json:"leased"`
	// Held counts the messages that an operator holds.
	Held int64 `json:"held"`
	// Flushes counts the flushes of the store's log since the start.
	Flushes int64 `json:"flushes"`
}

// Certificate is one that listeners show.
type Certificate struct {
	// File is where it is from; empty for one that is in none.
	File string `json:"file,omitempty"`
	// Names are those that it is for.
	Names []string `json:"names"`
	// Expires is when it ends.
	Expires time.Time `json:"expires"`
	// Problem says why what the file holds now is not shown.
	Problem string `json:"problem,omitempty"`
}

// Listener is one address on which mail is taken.
type Listener struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	// Protocol is "smtp" or "lmtp", TLS is "off", "starttls" or "implicit".
	Protocol string `json:"protocol,omitempty"`
	TLS      string `json:"tls,omitempty"`
	// State is that of the listener, as in [Status].
	State string `json:"state,omitempty"`
	// Connections counts those that are open.
	Connections int `json:"connections"`
	// ProxyRefused counts the connections of proxies that were closed because
	// they did not begin with a good header of the PROXY protocol.
	ProxyRefused int64 `json:"proxy_refused,omitempty"`
}
