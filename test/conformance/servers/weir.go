package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/inbound/auth"
	"github.com/weirmail/weir/internal/relay"
)

// StartWeir starts a relay in this process, with its SMTP and its LMTP, to which the
// client is a stranger.
func StartWeir(ctx context.Context, dir string) (*Running, error) {
	return startWeir(ctx, dir, "")
}

// StartWeirForItsOwn is StartWeir where the client is of a network that may send to
// anywhere: it refuses no recipient, and offers what strangers are not offered.
func StartWeirForItsOwn(ctx context.Context, dir string) (*Running, error) {
	r, err := startWeir(ctx, dir, `"127.0.0.0/8"`)
	if err == nil {
		r.Server.Refused = ""
	}
	return r, err
}

func startWeir(ctx context.Context, dir, allow string) (*Running, error) {
	cfg, err := weirConfiguration(dir, allow)
	if err != nil {
		return nil, fmt.Errorf("the configuration of the relay: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	ready, ended := make(chan relay.Addresses, 1), make(chan error, 1)
	go func() {
		ended <- relay.Run(ctx, cfg, relay.Options{
			Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Ready:  func(a relay.Addresses) { ready <- a },
		})
	}()
	select {
	case addresses := <-ready:
		r := &Running{Server: known("Weir", addresses.Mail[0].Address.String())}
		r.Server.LMTP = addresses.Mail[1].Address.String()
		r.Server.User, r.Server.Password = user, password
		r.Stop = func() error {
			cancel()
			return <-ended
		}
		return r, nil
	case err := <-ended:
		cancel()
		return nil, errors.Join(errors.New("the relay did not start"), err)
	}
}

// weirConfiguration is that of the relay. It refuses nobody for what the machine
// has to do besides.
func weirConfiguration(dir, allow string) (*config.Config, error) {
	certificate, key, err := writeCertificate(dir, "relay.test")
	if err != nil {
		return nil, err
	}
	lmtp, err := freePort()
	if err != nil {
		return nil, err
	}
	users := filepath.Join(dir, "users")
	if err := writeUsers(users); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "weir.toml")
	text := fmt.Sprintf(`
hostname = "relay.test"
state_dir = %[1]q
accept_for = ["example.org"]

[clients]
allow = [%[6]s]

[[listener]]
address = "127.0.0.1:0"
auth = "offered"

[[listener]]
address = "127.0.0.1:%[5]d"
protocol = "lmtp"

[tls]
certificate = %[2]q
key = %[3]q

[auth]
users = %[7]q

[smtp]
max_message_size = "1MiB"
max_transactions = 40

[admission]
mode = "observe"

[admin]
socket = %[4]q
`, filepath.Join(dir, "state"), certificate, key, filepath.Join(dir, "admin.sock"), lmtp, allow, users)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, err
	}
	cfg, _, err := config.Load(config.Source{Path: path})
	return cfg, err
}

// writeUsers writes the account of the client.
func writeUsers(path string) error {
	return auth.EditUsers(path, func(us *auth.Users) error {
		u := &auth.User{Name: user}
		if err := u.SetPassword(password, true); err != nil {
			return err
		}
		return us.Add(u)
	})
}
