package config

import (
	"testing"

	"github.com/weirmail/weir/internal/dkim"
)

// ed25519Key is a new key as its file holds it.
func ed25519Key(t *testing.T) []byte {
	t.Helper()
	k, err := dkim.Generate(dkim.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	text, err := k.PEM()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
