package conformance_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/relay"
	"github.com/weirmail/weir/smtptest"
	"github.com/weirmail/weir/test/conformance"
)

// knownFaults are dialogues by which Weir is wrong, and known to be. The list is to
// become empty.
var knownFaults = map[string]bool{
	"RFC 5321 2.3.8: what stands behind a bare LF in a command line is not run": true,
}

func TestWeirPassesAllDialogues(t *testing.T) {
	dialogues, err := conformance.Dialogues()
	if err != nil {
		t.Fatal(err)
	}
	server := startWeir(t)
	results, err := conformance.Run(t.Context(), server, dialogues)
	if err != nil {
		t.Fatal(err)
	}
	for i := range results {
		r := &results[i]
		if known := knownFaults[r.Dialogue.String()]; known {
			if r.Outcome == conformance.Passed {
				t.Errorf("%s passes: take it out of the list of known faults", r.Dialogue)
			}
			continue
		}
		switch r.Outcome {
		case conformance.Passed:
		case conformance.Skipped:
			t.Logf("skipped: %s: %s", r.Dialogue, r.Reason)
		default:
			t.Errorf("%s:%d: %s\n%s\n%s", r.Dialogue.File, r.Dialogue.Line, r.Dialogue, r.Reason, strings.Join(r.Transcript, "\n"))
		}
	}
}

// startWeir runs a relay whose clients are strangers that may send to example.org.
func startWeir(t *testing.T) *conformance.Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "weir")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cfg := configuration(t, dir)
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan relay.Addresses, 1), make(chan error, 1)
	go func() {
		ended <- relay.Run(ctx, cfg, relay.Options{
			Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Ready:  func(a relay.Addresses) { ready <- a },
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the relay ended with %v", err)
		}
	})
	select {
	case addresses := <-ready:
		return &conformance.Server{
			Name: "Weir", Address: addresses.Mail[0].Address.String(), LMTP: addresses.Mail[1].Address.String(),
			Sender: "sender@example.com", Recipient: "recipient@example.org", Refused: "somebody@elsewhere.example",
			Patience: 2 * time.Minute,
		}
	case err := <-ended:
		ended <- nil
		t.Fatalf("the relay did not start: %v", err)
		return nil
	}
}

// configuration is that of the relay: nobody is refused for what the machine has to
// do besides.
func configuration(t *testing.T, dir string) *config.Config {
	t.Helper()
	certificate, key := writeCertificate(t, dir)
	path := filepath.Join(dir, "weir.toml")
	text := fmt.Sprintf(`
hostname = "relay.test"
state_dir = %[1]q
accept_for = ["example.org"]

[clients]
allow = []

[[listener]]
address = "127.0.0.1:0"

[[listener]]
address = "127.0.0.1:%[5]d"
protocol = "lmtp"

[tls]
certificate = %[2]q
key = %[3]q

[smtp]
max_message_size = "1MiB"

[greylist]
enabled = false

[admission]
mode = "observe"

[admin]
socket = %[4]q
`, filepath.Join(dir, "state"), certificate, key, filepath.Join(dir, "admin.sock"), freePort(t))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := config.Load(config.Source{Path: path})
	if err != nil {
		t.Fatal(errors.Join(errors.New("the configuration of the relay"), err))
	}
	return cfg
}

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// writeCertificate writes a certificate and its key, and returns their paths.
func writeCertificate(t *testing.T, dir string) (certificate, key string) {
	t.Helper()
	made := smtptest.NewCA(t).Issue("relay.test")
	private, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", made.Certificate[0]), write("key.pem", "PRIVATE KEY", private)
}
