package relay

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// listening is the listening sockets of a relay. They are opened before all that
// takes long, so that whoever connects waits, and is not refused.
type listening struct {
	mail   []net.Listener // in the order of the configuration
	socket net.Listener   // of the admin interface
	page   net.Listener   // nil where there is no page
	// kept says for each of mail whether it stays when the relay is gone.
	kept []bool
}

// openSockets opens the sockets, or takes those that were given.
func (r *Relay) openSockets() error {
	l, set := &r.listening, r.options.Sockets
	for _, c := range r.config.Listeners {
		socket, err := set.Listen(c.Name, c.Address)
		if err != nil {
			return fmt.Errorf("opening the listener %s (key address of [[listener]]): %w", c.Label(), err)
		}
		if network, path := c.Network(); network == "unix" && !socket.Given {
			if err := guard(path, &c); err != nil {
				socket.Close()
				return fmt.Errorf("guarding the listener %s (keys mode and owner of [[listener]]): %w", c.Label(), err)
			}
		}
		l.mail, l.kept = append(l.mail, socket.Listener), append(l.kept, socket.Kept)
	}
	if err := r.openAdminSocket(); err != nil {
		return err
	}
	if r.config.Admin.HTTP != "" {
		socket, err := set.Listen("admin.http", r.config.Admin.HTTP)
		if err != nil {
			return fmt.Errorf("opening the page (key http of [admin]): %w", err)
		}
		l.page = socket.Listener
	}
	for _, name := range set.Rest() {
		r.options.Logger.Warn("a socket was given that nothing in the configuration asks for", "name", name)
	}
	return nil
}

// openAdminSocket opens the admin socket. Who may open one that was given is the
// concern of who gave it.
func (r *Relay) openAdminSocket() error {
	path := r.config.Admin.Socket
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making the folder of the admin socket (key socket of [admin]): %w", err)
	}
	socket, err := r.options.Sockets.Listen("admin.socket", "unix:"+path)
	if err != nil {
		return fmt.Errorf("opening the admin socket (key socket of [admin]): %w", err)
	}
	r.listening.socket = socket.Listener
	if socket.Given {
		return nil
	}
	// Whoever may open it may steer the relay.
	if err := os.Chmod(path, 0o600); err != nil {
		return fmt.Errorf("guarding the admin socket (key socket of [admin]): %w", err)
	}
	return nil
}

// close closes the sockets that are open.
func (l *listening) close() {
	for _, socket := range append(l.mail, l.socket, l.page) {
		if socket != nil {
			socket.Close()
		}
	}
}
