package auth

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/weirmail/weir/smtptest"
)

// quick makes a user whose verifiers cost next to nothing.
func quick(name, password string, scram bool) *User {
	u := &User{Name: name}
	a := &argon{memory: 8, time: 1, threads: 1, salt: []byte("12345678" + name)[:12]}
	a.key = a.compute(password, 32)
	u.password = a
	if scram {
		v := SCRAMVerifier{Iterations: leastIterations, Salt: []byte("salt of " + name + " 12345678")[:16]}
		v.StoredKey, v.ServerKey = v.compute(password)
		u.scram = &v
	}
	return u
}

// world is a service over a file of accounts.
type world struct {
	*Service
	t      testing.TB
	path   string
	file   *UserFile
	hasher *Hasher

	mu      sync.Mutex
	now     time.Time
	reports []error
}

func newWorld(t testing.TB, change func(*Options), users ...*User) *world {
	t.Helper()
	w := &world{t: t, path: filepath.Join(t.TempDir(), "users"), hasher: NewHasher(1, time.Second), now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}
	w.write(users...)
	var err error
	w.file, err = OpenUserFile(UserFileOptions{
		Path: w.path, Hasher: w.hasher, Secret: []byte("secret"), Now: w.clock,
		Report: func(err error) { w.mu.Lock(); defer w.mu.Unlock(); w.reports = append(w.reports, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Directory: w.file, Senders: Senders{SelfSender}}
	if change != nil {
		change(&o)
	}
	w.Service = New(o)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) write(users ...*User) {
	w.t.Helper()
	us, _ := ParseUsers(nil)
	for _, u := range users {
		if err := us.Add(u); err != nil {
			w.t.Fatal(err)
		}
	}
	w.writeText(string(us.Format()))
}

func (w *world) writeText(text string) {
	w.t.Helper()
	if err := os.WriteFile(w.path+".new", []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(w.path+".new", w.path); err != nil {
		w.t.Fatal(err)
	}
}

// talk sends responses until the exchange is over. A nil response is none.
func (w *world) talk(ch *Channel, mechanism string, responses ...[]byte) (challenges []string, who Identity, err error) {
	w.t.Helper()
	e := w.Begin(context.Background(), mechanism, ch)
	if e == nil {
		w.t.Fatalf("%s is not offered", mechanism)
	}
	for _, r := range responses {
		challenge, done, err := e.Next(r)
		if err != nil || done {
			return challenges, e.Identity(), err
		}
		challenges = append(challenges, string(challenge))
	}
	w.t.Fatalf("the exchange goes on: %q", challenges)
	return nil, Identity{}, nil
}

var private = &Channel{Private: true}

// handshake returns both states of a TLS connection.
func handshake(t *testing.T, client func(*tls.Config), server func(*tls.Config)) (c, s *Channel) {
	t.Helper()
	ca := smtptest.NewCA(t)
	sc, cc := ca.ServerConfig("relay.test"), ca.ClientConfig("relay.test")
	sc.ClientCAs = ca.Pool()
	cc.Certificates = []tls.Certificate{ca.Issue("printer.example.org")}
	if client != nil {
		client(cc)
	}
	if server != nil {
		server(sc)
	}
	a, b := smtptest.Pipe()
	serverConn, clientConn := tls.Server(a, sc), tls.Client(b, cc)
	done := make(chan error, 1)
	go func() { done <- serverConn.Handshake() }()
	if err := clientConn.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	cs, ss := clientConn.ConnectionState(), serverConn.ConnectionState()
	return &Channel{Private: true, TLS: &cs}, &Channel{Private: true, TLS: &ss}
}
