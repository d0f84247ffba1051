package oauth

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// Login is what a person has allowed.
type Login struct {
	// Refresh is the refresh token.
	Refresh string `json:"refresh"`
	// Began is when the person logged in, Used when the token was last used.
	Began time.Time `json:"began"`
	Used  time.Time `json:"used"`
	// Ends is when the server says that it ends; zero where it does not say.
	Ends time.Time `json:"ends,omitzero"`
}

// Store keeps logins in a folder, each in a file of its own, encrypted. It is
// safe for concurrent use, also by several processes: a file is replaced whole.
type Store struct {
	dir, credentials string
	write            func(dir, name string, data []byte, replace bool) error
}

// NewStore returns the store in a folder, which is made when something is kept.
// credentials is the folder of systemd's credentials ($CREDENTIALS_DIRECTORY);
// empty where there is none.
func NewStore(dir, credentials string) *Store {
	return &Store{dir: dir, credentials: credentials, write: writeFile}
}

// version begins each file, so that a later form can be told.
const version = 1

// errDamaged is for a file that the key does not open.
var errDamaged = errors.New("the login on the disk cannot be opened: it is damaged, or the key is another one")

// Identity names what a login is for: who, by which client, at which server. It
// is bound to the file, so that a file that is put in the place of another does
// not open.
func (c *Client) identity() string { return c.Login + "\n" + c.ID + "\n" + c.TokenURL }

// file is the name of the file of a login.
func file(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return hex.EncodeToString(sum[:16]) + ".login"
}

// Save keeps the login of a client. It returns once it would survive a power
// cut.
func (s *Store) Save(c *Client, l Login) error {
	if err := makeFolder(s.dir); err != nil {
		return fmt.Errorf("keeping a login: %w", err)
	}
	aead, err := s.aead(true)
	if err != nil {
		return err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("keeping a login: %w", err)
	}
	sealed := make([]byte, 1+aead.NonceSize(), 1+aead.NonceSize()+len(text)+aead.Overhead())
	sealed[0] = version
	rand.Read(sealed[1:]) // never fails
	sealed = aead.Seal(sealed, sealed[1:], text, []byte(c.identity()))
	if err := s.write(s.dir, file(c.identity()), sealed, true); err != nil {
		return fmt.Errorf("keeping a login: %w", err)
	}
	return nil
}

// makeFolder makes the folder of the logins where it is not there.
func makeFolder(dir string) error {
	switch err := os.Mkdir(dir, 0o700); {
	case err == nil:
		return adopt(dir, filepath.Dir(dir))
	case errors.Is(err, fs.ErrExist):
		return nil
	}
	return os.MkdirAll(dir, 0o700)
}

// Load returns the login of a client. The error is [ErrNoLogin] where there is
// none.
func (s *Store) Load(c *Client) (Login, error) {
	sealed, err := os.ReadFile(filepath.Join(s.dir, file(c.identity())))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Login{}, ErrNoLogin
	case err != nil:
		return Login{}, fmt.Errorf("reading a login: %w", err)
	}
	aead, err := s.aead(false)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Login{}, errDamaged // and the key is gone
	case err != nil:
		return Login{}, err
	case len(sealed) < 1+aead.NonceSize() || sealed[0] != version:
		return Login{}, errDamaged
	}
	nonce, text := sealed[1:1+aead.NonceSize()], sealed[1+aead.NonceSize():]
	text, err = aead.Open(nil, nonce, text, []byte(c.identity()))
	if err != nil {
		return Login{}, errDamaged
	}
	var l Login
	if err := json.Unmarshal(text, &l); err != nil || l.Refresh == "" {
		return Login{}, errDamaged
	}
	return l, nil
}

// Remove forgets the login of a client. There may be none.
func (s *Store) Remove(c *Client) error {
	err := os.Remove(filepath.Join(s.dir, file(c.identity())))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting a login: %w", err)
	}
	return nil
}

// changed returns when the file of a login was written; zero where there is
// none.
func (s *Store) changed(c *Client) time.Time {
	info, err := os.Stat(filepath.Join(s.dir, file(c.identity())))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func (s *Store) aead(mayMakeKey bool) (cipher.AEAD, error) {
	key, err := loadKey(s.dir, s.credentials, mayMakeKey)
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.NewX(key)
}

// writeFile writes a file whole, or not at all, and durably. With replace it
// takes the place of one that is there; without, that is [fs.ErrExist].
func writeFile(dir, name string, data []byte, replace bool) error {
	f, err := os.CreateTemp(dir, ".new-*") // with 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // not there any more where all went well
	_, err = f.Write(data)
	if err == nil {
		err = adopt(f.Name(), dir)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	switch {
	case err != nil:
		return err
	case replace:
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	default:
		err = os.Link(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return err
	}
	return syncFolder(dir)
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
