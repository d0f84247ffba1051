package api

import "time"

// Drain is a maintenance: new work is sent away with 421, what is in progress
// ends in its own time, and delivery goes on.
type Drain struct {
	// Listener is the name of the listener that is drained; empty for all.
	Listener string `json:"listener,omitempty"`
	// From is when it began or begins.
	From time.Time `json:"from,omitzero"`
	// Until is when it ends by itself; absent where it ends by a command only.
	Until time.Time `json:"until,omitzero"`
	// Text is what the operator says about it, for other operators.
	Text string `json:"text,omitempty"`
	// Window is set where the configuration asked for it.
	Window bool `json:"window,omitempty"`
}

// DrainRequest asks for a maintenance that begins now, in place of one for the
// same listener.
type DrainRequest struct {
	// Listener is the name of a listener; empty for all.
	Listener string `json:"listener,omitempty"`
	// Until or For say when it ends by itself. At most one of them is set;
	// without, it lasts until it is ended.
	Until time.Time `json:"until,omitzero"`
	For   Duration  `json:"for,omitzero"`
	// Text is what to say about it, at most 200 characters in one line.
	Text string `json:"text,omitempty"`
}

// ResumeRequest asks for the end of a maintenance.
type ResumeRequest struct {
	// Listener is the name of a listener; empty for everything.
	Listener string `json:"listener,omitempty"`
}

// Resumed is the answer.
type Resumed struct {
	// Ended tells whether there was a maintenance to end.
	Ended bool `json:"ended"`
}
