package certificate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait.
const patience = time.Minute

// pair makes a certificate for a name, in PEM.
func pair(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	c, err := SelfSigned(time.Now(), name)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// write replaces a file as a careful program does: by another that is renamed.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// running is a keeper that runs, and what it tells.
type running struct {
	*Keeper
	changed, ends chan Info
	faults        chan error
}

// start runs a keeper with the files of a folder.
func start(t *testing.T, dir string, now func() time.Time) (*running, *Entry) {
	t.Helper()
	r := &running{changed: make(chan Info, 16), ends: make(chan Info, 16), faults: make(chan error, 16)}
	r.Keeper = NewKeeper(Options{
		Changed: func(i Info) { r.changed <- i }, Ends: func(i Info) { r.ends <- i }, Fault: func(err error) { r.faults <- err },
		Settle: 10 * time.Millisecond, LookAgain: 20 * time.Millisecond, LookAnyway: time.Hour, Now: now,
	})
	e, err := r.Add(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { r.Run(ctx) })
	t.Cleanup(func() { cancel(); group.Wait() })
	return r, e
}

// next waits for something to be told.
func next[T any](t *testing.T, told <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-told:
	case <-time.After(patience):
		t.Fatal("nothing was told")
	}
	return v
}

// shows fails where the entry shows another name.
func shows(t *testing.T, e *Entry, name string) {
	t.Helper()
	if got := e.Certificate().Leaf.DNSNames[0]; got != name {
		t.Errorf("it shows %s, want %s", got, name)
	}
}

func TestAChangedPairIsShown(t *testing.T) {
	dir := t.TempDir()
	certificate, key := pair(t, "old.test")
	write(t, filepath.Join(dir, "tls.crt"), certificate)
	write(t, filepath.Join(dir, "tls.key"), key)
	r, e := start(t, dir, nil)
	shows(t, e, "old.test")
	certificate, key = pair(t, "new.test")
	write(t, filepath.Join(dir, "tls.crt"), certificate)
	write(t, filepath.Join(dir, "tls.key"), key)
	if i := next(t, r.changed); i.Names[0] != "new.test" {
		t.Errorf("told of %v", i)
	}
	shows(t, e, "new.test")
}

// A volume of Kubernetes has links to a link to a folder, and only the one in the
// middle is replaced.
func TestAChangedLinkIsFollowed(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"old.test", "new.test"} {
		if err := os.Mkdir(filepath.Join(dir, ".."+name), 0o700); err != nil {
			t.Fatal(err)
		}
		certificate, key := pair(t, name)
		write(t, filepath.Join(dir, ".."+name, "tls.crt"), certificate)
		write(t, filepath.Join(dir, ".."+name, "tls.key"), key)
	}
	link := func(to, from string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	link("..old.test", "..data")
	link(filepath.Join("..data", "tls.crt"), "tls.crt")
	link(filepath.Join("..data", "tls.key"), "tls.key")
	r, e := start(t, dir, nil)
	shows(t, e, "old.test")
	link("..new.test", "..data_tmp")
	if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	next(t, r.changed)
	shows(t, e, "new.test")
}

// What cannot be used is told of, once, and the old stays; what can be used again is
// shown.
func TestABrokenPairIsToldOfAndNotShown(t *testing.T) {
	dir := t.TempDir()
	certificate, key := pair(t, "old.test")
	write(t, filepath.Join(dir, "tls.crt"), certificate)
	write(t, filepath.Join(dir, "tls.key"), key)
	r, e := start(t, dir, nil)
	other, otherKey := pair(t, "new.test")
	for _, broken := range []string{other, "not PEM"} {
		write(t, filepath.Join(dir, "tls.crt"), broken)
		if err := next(t, r.faults); !strings.Contains(err.Error(), filepath.Join(dir, "tls.crt")) {
			t.Errorf("the fault does not name the file: %v", err)
		}
		shows(t, e, "old.test")
		if r.List()[0].Problem == "" {
			t.Error("the problem is not in the list")
		}
	}
	if err := os.Remove(filepath.Join(dir, "tls.crt")); err != nil {
		t.Fatal(err)
	}
	next(t, r.faults)
	write(t, filepath.Join(dir, "tls.key"), otherKey)
	write(t, filepath.Join(dir, "tls.crt"), other)
	next(t, r.changed)
	shows(t, e, "new.test")
	if p := r.List()[0].Problem; p != "" {
		t.Errorf("the problem is in the list still: %s", p)
	}
	if len(r.faults) > 0 {
		t.Errorf("told of once more: %v", <-r.faults)
	}
}

func TestACertificateThatEndsIsWarnedOf(t *testing.T) {
	for _, test := range []struct {
		left  time.Duration
		warns bool
	}{{Ending + time.Hour, false}, {Ending - time.Hour, true}, {-time.Hour, true}} {
		made, err := SelfSigned(time.Now(), "relay.test")
		if err != nil {
			t.Fatal(err)
		}
		now := made.Leaf.NotAfter.Add(-test.left)
		warned := 0
		k := NewKeeper(Options{Ends: func(Info) { warned++ }, Now: func() time.Time { return now }})
		k.AddMade(Made(made))
		k.look()
		k.look()
		if got := warned == 1; got != test.warns {
			t.Errorf("with %v left it was warned of %d times", test.left, warned)
		}
		now = now.Add(25 * time.Hour)
		if k.look(); test.warns && warned != 2 {
			t.Errorf("with %v left it was warned of %d times in two days", test.left, warned)
		}
	}
}

func TestTheCertificateIsChosenByName(t *testing.T) {
	entry := func(names ...string) *Entry {
		c, err := SelfSigned(time.Now(), names...)
		if err != nil {
			t.Fatal(err)
		}
		return Made(c)
	}
	first, second, wild := entry("first.test"), entry("second.test", "third.test"), entry("*.wild.test")
	fourth := entry("fourth.test")
	otherwise := func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.ServerName == "fourth.test" {
			return fourth.Certificate(), nil
		}
		return nil, nil
	}
	for _, test := range []struct {
		asked string
		want  *Entry
	}{
		{"first.test", first},
		{"second.test", second},
		{"third.test", second},
		{"a.wild.test", wild},
		{"fourth.test", fourth},
		{"a.b.wild.test", first},
		{"", first},
		{"elsewhere.test", first},
		{"SECOND.TEST", second},
	} {
		hello := &tls.ClientHelloInfo{
			ServerName:        test.asked,
			SupportedVersions: []uint16{tls.VersionTLS13},
			SignatureSchemes:  []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
			SupportedCurves:   []tls.CurveID{tls.X25519},
		}
		if got, err := Choose([]*Entry{first, second, wild}, otherwise)(hello); err != nil || got != test.want.Certificate() {
			t.Errorf("%q: %v, %v", test.asked, got.Leaf.DNSNames, err)
		}
	}
	if _, err := Choose(nil, nil)(&tls.ClientHelloInfo{}); err == nil {
		t.Error("without any certificate there is one")
	}
}

// A client that knows one curve is shown the certificate that has such a key.
func TestTheCertificateIsChosenByWhatTheClientCanUse(t *testing.T) {
	usual, err := SelfSigned(time.Now(), "relay.test")
	if err != nil {
		t.Fatal(err)
	}
	other := otherCurve(t, "relay.test")
	hello := &tls.ClientHelloInfo{
		ServerName:        "relay.test",
		SupportedVersions: []uint16{tls.VersionTLS13},
		SignatureSchemes:  []tls.SignatureScheme{tls.ECDSAWithP384AndSHA384},
		SupportedCurves:   []tls.CurveID{tls.X25519},
	}
	entries := []*Entry{Made(usual), Made(other)}
	if got, err := Choose(entries, nil)(hello); err != nil || got != entries[1].Certificate() {
		t.Errorf("%v, %v", got.Leaf.DNSNames, err)
	}
}

// otherCurve makes a certificate with a key that not every client can use.
func otherCurve(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c, err := SelfSigned(time.Now(), name)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, c.Leaf, c.Leaf, &key.PublicKey, c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
