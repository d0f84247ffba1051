package oauth

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func saved(t *testing.T, credentials string) (*Store, *Client, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "logins")
	store, c := NewStore(dir, credentials), newServer().client(GrantDevice)
	if err := store.Save(c, Login{Refresh: "hunter2", Began: time.Unix(1, 0).UTC()}); err != nil {
		t.Fatal(err)
	}
	return store, c, dir
}

func TestALoginIsKeptEncryptedAndForTheOwnerAlone(t *testing.T) {
	store, c, dir := saved(t, "")
	l, err := store.Load(c)
	if err != nil || l.Refresh != "hunter2" || !l.Began.Equal(time.Unix(1, 0)) {
		t.Fatalf("%+v, %v", l, err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Fatalf("the files are %v, %v", files, err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		if data, _ := os.ReadFile(path); bytes.Contains(data, []byte("hunter2")) {
			t.Errorf("%s shows the token", f.Name())
		}
		if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", f.Name(), info.Mode().Perm())
		}
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %o", info.Mode().Perm())
	}
}

func TestTwoSavesDifferEvenWhereTheLoginIsTheSame(t *testing.T) {
	store, c, dir := saved(t, "")
	path := filepath.Join(dir, file(c.identity()))
	first, _ := os.ReadFile(path)
	l, _ := store.Load(c)
	if err := store.Save(c, l); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(path); bytes.Equal(first, second) {
		t.Error("the nonce is used twice")
	}
}

func TestALoginThatCannotBeOpened(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir string, c *Client){
		"changed": func(t *testing.T, dir string, c *Client) {
			path := filepath.Join(dir, file(c.identity()))
			data, _ := os.ReadFile(path)
			data[len(data)-1] ^= 1
			_ = os.WriteFile(path, data, 0o600)
		},
		"cut":    func(t *testing.T, dir string, c *Client) { _ = os.Truncate(filepath.Join(dir, file(c.identity())), 9) },
		"empty":  func(t *testing.T, dir string, c *Client) { _ = os.Truncate(filepath.Join(dir, file(c.identity())), 0) },
		"no key": func(t *testing.T, dir string, c *Client) { _ = os.Remove(filepath.Join(dir, keyName)) },
		"another key": func(t *testing.T, dir string, c *Client) {
			_ = os.WriteFile(filepath.Join(dir, keyName), make([]byte, 32), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, c, dir := saved(t, "")
			spoil(t, dir, c)
			if _, err := store.Load(c); !errors.Is(err, errDamaged) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestALoginDoesNotOpenInThePlaceOfAnother(t *testing.T) {
	store, c, dir := saved(t, "")
	other := *c
	other.Login = "other@example.org"
	data, _ := os.ReadFile(filepath.Join(dir, file(c.identity())))
	if err := os.WriteFile(filepath.Join(dir, file(other.identity())), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(&other); !errors.Is(err, errDamaged) {
		t.Errorf("the error is %v", err)
	}
}

func TestNoLogin(t *testing.T) {
	store, c, _ := saved(t, "")
	if err := store.Remove(c); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(c); !errors.Is(err, ErrNoLogin) {
		t.Errorf("the error is %v", err)
	}
	if err := store.Remove(c); err != nil {
		t.Error(err)
	}
}

func TestKeyOfSystemd(t *testing.T) {
	credentials := t.TempDir()
	key := bytes.Repeat([]byte("k"), 64)
	if err := os.WriteFile(filepath.Join(credentials, CredentialName), key, 0o400); err != nil {
		t.Fatal(err)
	}
	store, c, dir := saved(t, credentials)
	if _, err := store.Load(c); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, keyName)); !errors.Is(err, os.ErrNotExist) {
		t.Error("a key lies beside the logins")
	}
	if _, err := NewStore(dir, "").Load(c); !errors.Is(err, errDamaged) {
		t.Errorf("without the credential the error is %v", err)
	}
	if err := os.WriteFile(filepath.Join(credentials, "x"), nil, 0o400); err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod(filepath.Join(credentials, CredentialName), 0o600)
	if err := os.WriteFile(filepath.Join(credentials, CredentialName), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(c); !errors.Is(err, errKeyLength) {
		t.Errorf("with a short key the error is %v", err)
	}
}
