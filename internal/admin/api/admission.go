package api

// Admission is how the relay decides what it takes on, and what it has decided
// since it began.
type Admission struct {
	// Observe is set where the relay counts what it would refuse, and refuses
	// nothing.
	Observe bool `json:"observe"`
	// Pressure is the greatest of the effective pressures: from 1 on the relay
	// sends work away, at 2 all of it but its own. Deciding is the name of the
	// signal that it comes from; empty where there is no pressure.
	Pressure float64 `json:"pressure"`
	Deciding string  `json:"deciding,omitempty"`
	// Signals are what is measured, in a fixed order.
	Signals []Signal `json:"signals"`
	// Slots are the places of those who are being worked for.
	Slots Slots `json:"slots"`
	// Sessions are the open connections.
	Sessions Sessions `json:"sessions"`
	// Ledgers are what has been promised to those who are in.
	Ledgers []Ledger `json:"ledgers"`
	// Counts are what became of everyone since the relay began.
	Counts Counts `json:"counts"`
}

// Signal is one thing that is measured, with its limits, at one moment.
type Signal struct {
	// Name is "load", "memory", "disk", …; Reason is the token of a refusal
	// for it.
	Name   string `json:"name"`
	Reason string `json:"reason,omitempty"`
	// Value was measured, in Unit: "ms", "bytes", "messages", …
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
	// Limit is the value at which the relay begins to send work away, Hard the
	// one at which it takes none. Where Hard is the less, Value is what is
	// left. Both are 0 where there is no limit.
	Limit float64 `json:"limit"`
	Hard  float64 `json:"hard"`
	// Source says where the limits came from, in words.
	Source string `json:"source,omitempty"`
	// Pressure is 0 for idle, 1 at Limit and 2 at Hard. Effective is what
	// decides: it rises at once and falls slowly.
	Pressure  float64 `json:"pressure"`
	Effective float64 `json:"effective"`
	// Unavailable says why there is no value; empty where there is one. Such a
	// signal puts no pressure.
	Unavailable string `json:"unavailable,omitempty"`
}

// Slots are the places of those who are being worked for at one time.
type Slots struct {
	// Limit is how many there are, as the relay has found out or was told.
	// Fixed is set where it was told.
	Limit int  `json:"limit"`
	Fixed bool `json:"fixed,omitempty"`
	// Used counts those that are taken.
	Used int `json:"used"`
	// Waiting counts the connections that wait for one, before their greeting;
	// Room is how many may.
	Waiting int `json:"waiting"`
	Room    int `json:"room"`
	// Standing is set while a queue stands in the room: it does not empty, so
	// only a few may wait and the others are sent away at once.
	Standing bool `json:"standing,omitempty"`
	// PeakRate is the most transactions in a recent second.
	PeakRate float64 `json:"peak_rate,omitempty"`
	// Search says in words what the search for the number of slots is doing.
	Search string `json:"search,omitempty"`
	// Classes are the same by class, the best class first.
	Classes []ClassSlots `json:"classes,omitempty"`
}

// ClassSlots are the slots of one class.
type ClassSlots struct {
	Class string `json:"class"`
	Used  int    `json:"used"`
}

// Sessions are the open connections.
type Sessions struct {
	Open int64 `json:"open"`
	// Limit is the most there may be; 0 where there is no limit of their own.
	Limit int64 `json:"limit"`
}

// Ledger is what has been promised of one thing that may run out.
type Ledger struct {
	// Name is "memory", "disk" or "descriptors".
	Name string `json:"name"`
	// Unit is "bytes" or "descriptors".
	Unit string `json:"unit"`
	// Charged was promised, of Budget; a Budget of 0 is no bound.
	Charged int64 `json:"charged"`
	Budget  int64 `json:"budget"`
	// Measured is what is really used; absent where nobody measures it.
	Measured *int64 `json:"measured,omitempty"`
}

// Counts are what became of everyone since the relay began.
type Counts struct {
	// Classes count connections, the best class first.
	Classes []ClassCounts `json:"classes"`
	// Refused has what occurred only.
	Refused []Refused `json:"refused"`
	// Observed counts what would have been refused, but for the mode.
	Observed int64 `json:"observed"`
	// Unheard counts refusals that the client is not known to have read before
	// its connection was reset, Unspoken those that were closed without a word,
	// as before a handshake of TLS.
	Unheard  int64 `json:"unheard"`
	Unspoken int64 `json:"unspoken"`
	// AcceptPaused is for how long listeners have stayed away from their
	// queues, in all, so that refusals keep to their part of the processors.
	AcceptPaused Duration `json:"accept_paused,omitzero"`
	// RefusalCPU is the part of the processors, from 0 to 1, that refusals take
	// now.
	RefusalCPU float64 `json:"refusal_cpu"`
}

// ClassCounts are the connections of one class.
type ClassCounts struct {
	Class string `json:"class"`
	// Admitted went on at once, Waited for a slot first.
	Admitted int64 `json:"admitted"`
	Waited   int64 `json:"waited"`
}

// Refused counts the refusals at one point of a session, of one class, for one
// reason.
type Refused struct {
	Point  string `json:"point"`
	Class  string `json:"class"`
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}
