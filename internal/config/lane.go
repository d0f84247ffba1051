package config

import "net/netip"

// Lane is what one destination bears, where that is not to be found out.
type Lane struct {
	// The names of the destination's mail servers, or the domains of the
	// recipients: "mx.example.net" is that name alone, ".example.net" are all names
	// below it. Mail for all that match goes over one lane, and shares its limits.
	// What is built in about large providers (docs/delivery.md) counts where no
	// [[lane]] matches.
	Match []string `toml:"match" example:".mail.protection.outlook.com"`

	// What the lane is called, with @ before it. Without a name, it is the first of
	// match.
	Name string `toml:"name" example:"microsoft365"`

	// How many connections may be open at once; 0: as in [delivery].
	Connections int `toml:"connections" unit:"connections"`

	// How many messages may be handed over in a time, as in 10/s or 100/1m; 0: as
	// many as the receiver takes.
	Pace Rate `toml:"pace" example:"100/1m"`

	// How many messages go over one connection; 0: as in [delivery].
	MessagesPerConnection int `toml:"messages_per_connection" unit:"messages"`

	// The addresses of this machine that its connections are made from, in place of
	// those of [delivery].
	Source []netip.Addr `toml:"source" example:"192.0.2.26"`
}
