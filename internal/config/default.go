package config

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"time"
)

// Default returns the configuration of a relay for which nothing is set. It
// listens on loopback, takes mail from this machine alone, and keeps it until
// somebody says where it goes: it never guesses, and never throws away.
func Default() *Config {
	return &Config{
		StateDir:  "/var/lib/weir",
		Clients:   Clients{Allow: loopback()},
		Listeners: []Listener{defaultListener()},
		SMTP: SMTP{
			MaxMessageSize: 50 << 20,
			MaxRecipients:  1000,
			MaxReceived:    100,
			MaxErrors:      20,
			BareNewline:    BareNewlineReject,
			FutureRelease:  7 * Day,
			CommandTimeout: 5 * time.Minute,
			DataTimeout:    3 * time.Minute,

			UnrecognizedParameter: 504,
		},
		Auth: Auth{
			Senders: []string{"*"},
			Timeout: 10 * time.Second,
			OAuth:   AuthOAuth{Account: "username", Keep: time.Minute},
		},
		Retry: Retry{
			First:       time.Minute,
			Max:         4 * time.Hour,
			Expire:      5 * Day,
			DelayNotice: 4 * time.Hour,
		},
		Notices: Notices{Language: []string{"en"}},
		Delivery: Delivery{
			TLS:                       TLSAuto,
			EightBit:                  EightBitReturn,
			Connections:               20,
			TransactionsPerConnection: 100,
			ConnectionAge:             5 * time.Minute,
			Idle:                      10 * time.Second,
		},
		DNS: DNS{Validating: ValidatingAuto},
		Spool: Spool{
			Memtable:        16 << 20,
			MinSyncInterval: 200 * time.Microsecond,
			LargeBody:       256 << 10,
			ReserveDisk:     256 << 20,
		},
		Admin: Admin{
			Socket: "/run/weir/admin.sock",
			HTTP:   "127.0.0.1:8025",
		},
		Admission: Admission{
			Mode:       AdmissionEnforce,
			Wait:       2 * time.Second,
			RefusalCPU: 10,
			RetryMin:   time.Minute,
			RetryMax:   30 * time.Minute,
		},
		Greylist: Greylist{
			Delay:  90 * time.Second,
			Window: 24 * time.Hour,
			Keep:   35 * Day,
			Reply:  451,
		},
		TLS: TLS{
			MinVersion: TLSVersion12,
			ACME:       ACME{Directory: "https://acme-v02.api.letsencrypt.org/directory", HTTP01: ":80"},
		},
		Lifecycle: Lifecycle{Grace: 30 * time.Second},
		Log:       Log{Format: LogText, Level: slog.LevelInfo, Accounts: true},
	}
}

// Dev returns the configuration of "weir serve --dev": mail is taken on
// 127.0.0.1:1025, the ports that every framework's templates hold, and shown
// on http://127.0.0.1:8025. The next hop stays empty: the relay sets it to its
// built-in inbox. All files go below stateDir. The listener does not offer TLS,
// since frameworks use what is offered and refuse a certificate that nobody vouches
// for; one that is told to does so with a certificate made at the start.
func Dev(stateDir string) *Config {
	c := Default()
	c.Dev = true
	c.StateDir = stateDir
	c.Listeners[0].Address = "127.0.0.1:1025"
	c.Listeners[0].TLS = ListenerTLSOff
	c.Admin.Socket = filepath.Join(stateDir, "admin.sock")
	c.Admin.HTTP = "127.0.0.1:8025"
	return c
}

// loopback is the networks that are trusted when nothing is set.
func loopback() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"),
		netip.MustParsePrefix("::1/128"),
	}
}

// defaultListener is the listener that exists when none is set, and what a
// [[listener]] starts from. Port 2525 needs no privilege.
func defaultListener() Listener {
	return Listener{
		Address:  "127.0.0.1:2525",
		Protocol: ProtocolSMTP,
		TLS:      ListenerTLSAuto,
		Auth:     ListenerAuthOff,
	}
}
