package oauth

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CredentialName is the name of the systemd credential that, where it is given,
// is the key in place of the file.
const CredentialName = "weir-token-key"

// keyName is the file of the key in the folder of the logins.
const keyName = "key"

const keyLength = 32

// errKeyLength is for a key that somebody has cut or written by hand.
var errKeyLength = errors.New("it is too short to be a key: 32 bytes are needed")

// loadKey returns the key that the refresh tokens are encrypted with: that of
// systemd's credentials where there is one, or else that of the folder, which is
// made where it is not there and make allows it.
func loadKey(dir, credentials string, mayMake bool) ([]byte, error) {
	if credentials != "" {
		path := filepath.Join(credentials, CredentialName)
		given, err := os.ReadFile(path)
		switch {
		case err == nil && len(given) < keyLength:
			return nil, fmt.Errorf("the key %s: %w", path, errKeyLength)
		case err == nil:
			key := sha256.Sum256(given)
			return key[:], nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("reading the key of the logins: %w", err)
		}
	}
	path := filepath.Join(dir, keyName)
	key, err := os.ReadFile(path)
	switch {
	case err == nil && len(key) != keyLength:
		return nil, fmt.Errorf("the key %s: %w", path, errKeyLength)
	case err == nil:
		return key, nil
	case !errors.Is(err, fs.ErrNotExist) || !mayMake:
		return nil, fmt.Errorf("reading the key of the logins: %w", err)
	}
	key = make([]byte, keyLength)
	rand.Read(key) // never fails
	if err := writeFile(dir, keyName, key, false); errors.Is(err, fs.ErrExist) {
		return loadKey(dir, "", false) // another process was first
	} else if err != nil {
		return nil, fmt.Errorf("keeping the key of the logins: %w", err)
	}
	return key, nil
}
