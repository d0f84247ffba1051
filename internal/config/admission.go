package config

import (
	"net/netip"
	"time"
)

// Admission is how much work is taken on at once.
type Admission struct {
	// "enforce" sends away what is too much. "observe" decides and counts, and
	// refuses nothing: "weir status" and "weir why" show what it would have
	// done.
	Mode AdmissionMode `toml:"mode"`

	// How many connections of clients may be open at once. 0 finds it out, of
	// memory and file descriptors.
	MaxConnections int `toml:"max_connections" unit:"connections"`

	// How much memory the relay may use. 0 is what the container or the machine
	// sets; where both are set, the less holds.
	Memory Size `toml:"memory"`

	// How many messages may be in the queue. From 80 % of them on clients are
	// sent away in growing part. 0 is no limit but the disk.
	QueueLimit int `toml:"queue_limit" unit:"messages"`

	// How many clients are worked for at the same time; the others wait before
	// their greeting. 0 finds out the number at which most gets done, and
	// follows it.
	Slots int `toml:"slots" unit:"clients"`

	// How long a client waits for its greeting, at most, until there is a slot
	// for it. A short wait saves it from coming again.
	Wait time.Duration `toml:"wait"`

	// The part of the processors that refusing may take while they are busy.
	// Beyond it connections wait in the queue of the system, unanswered.
	RefusalCPU int `toml:"refusal_cpu" unit:"percent of the processors"`

	// The least time after which those who are sent away are told to come back.
	RetryMin time.Duration `toml:"retry_min"`

	// The longest such time. Those between are chosen so that whoever comes back
	// finds room.
	RetryMax time.Duration `toml:"retry_max"`
}

// Limits are how much one client, or one network, may ask for.
type Limits struct {
	// How many connections may be open at once. Those beyond hear 421 4.7.0.
	// 0 is no limit, here and in all of these.
	Connections int `toml:"connections" unit:"connections"`

	// How many connections may be opened in a time. "100/1m" are a hundred a
	// minute, all of which may come at once; of "100/1m+10" only ten may.
	ConnectionRate Rate `toml:"connection_rate"`

	// How many messages may be sent in a time. Those beyond hear 451 4.7.1.
	MessageRate Rate `toml:"message_rate"`

	// How many recipients may be named in a time.
	RecipientRate Rate `toml:"recipient_rate"`

	// How many bytes of messages may be sent in a time, as in "1GiB/1h".
	BytesRate ByteRate `toml:"bytes_rate"`

	// How many attempts to sign in may fail in a time.
	FailedAuthRate Rate `toml:"failed_auth_rate"`

	// How many recipients may be refused for good in a time, as are those that
	// somebody guesses.
	UnknownRecipientRate Rate `toml:"unknown_recipient_rate"`
}

// AccountLimits are how much one account may send.
type AccountLimits struct {
	// How many messages may be sent in a time. Those beyond hear 451 4.7.1. 0 is
	// no limit, here and in all of these.
	MessageRate Rate `toml:"message_rate"`

	// How many recipients may be named in a time.
	RecipientRate Rate `toml:"recipient_rate"`

	// How many bytes of messages may be sent in a time, as in "1GiB/1h".
	BytesRate ByteRate `toml:"bytes_rate"`
}

// Greylist is how clients that were never seen before are put off.
type Greylist struct {
	// Puts off whoever has never sent mail from this network, from this sender
	// to this recipient, until it comes again. Servers do; many senders of what
	// nobody wants do not. Mail comes late by it, once.
	Enabled bool `toml:"enabled"`

	// How long a client has to stay away before it may come again. The reply
	// names it.
	Delay time.Duration `toml:"delay"`

	// In what time it has to come again; after that it is new once more.
	Window time.Duration `toml:"window"`

	// How long a client that came again is remembered after its last mail.
	Keep time.Duration `toml:"keep"`

	// 451 puts off the one recipient and goes on, 421 sends the whole
	// connection away.
	Reply ReplyCode `toml:"reply"`

	// The networks whose clients are never put off. Those of [clients] allow
	// and known are not either.
	Exempt []netip.Prefix `toml:"exempt" example:"198.51.100.0/24"`
}

// Window is a maintenance that the configuration asks for.
type Window struct {
	// The days on which it begins: "Sun" is every Sunday, "2026-12-24" that day
	// alone. Without one, every day.
	Days []WindowDay `toml:"days" example:"Sun"`

	// The time of day at which it begins, in the time zone of the machine (TZ).
	Start TimeOfDay `toml:"start" example:"03:00"`

	// How long it lasts, at most a day.
	Length time.Duration `toml:"length"`

	// The name of the listener that it is for. Without one, all of them.
	Listener string `toml:"listener" example:"public"`

	// What to say about it to other operators, in "weir status" and "weir why".
	Text string `toml:"text" example:"moving to the new storage"`
}
