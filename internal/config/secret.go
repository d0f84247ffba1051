package config

import "log/slog"

// Secret is a password, a token or a key. Nothing that prints, logs or encodes
// it gives it away; only Reveal does, and a search for that word finds every
// place where a secret is used.
type Secret struct{ value string }

// hidden is what is seen of a secret that is set.
const hidden = "***"

// NewSecret makes a secret of s.
func NewSecret(s string) Secret { return Secret{s} }

// Reveal returns the secret itself, for the one who has to send it.
func (s Secret) Reveal() string { return s.value }

// IsZero says whether the secret is not set.
func (s Secret) IsZero() bool { return s.value == "" }

// String gives "***", or nothing for a secret that is not set.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return hidden
}

// GoString gives "***", so that %#v tells no more than %v.
func (s Secret) GoString() string { return hidden }

// MarshalText gives what String gives, for JSON and TOML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue gives what String gives, for the log.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
