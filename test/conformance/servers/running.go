package servers

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/weirmail/weir/test/conformance"
)

// Running is a server that has been started.
type Running struct {
	// Server is where it is, and what it takes.
	Server conformance.Server
	// Version is its version, for the report; "" where it is not known.
	Version string
	// Stop stops it, and says how it ended.
	Stop func() error
}

// ErrMissing is returned, wrapped, where a server cannot run on this machine.
var ErrMissing = errors.New("it cannot run here")

// known is what all the servers are told.
func known(name, address string) conformance.Server {
	return conformance.Server{
		Name: name, Address: address,
		Sender: "sender@example.com", Recipient: "recipient@example.org", Refused: "somebody@elsewhere.example",
		Patience: time.Minute,
	}
}

// freePort finds a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// writeCertificate writes a certificate that signs itself, and its key, and
// returns their paths.
func writeCertificate(dir, name string) (certificate, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 1, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return "", "", err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	return certificate, key, errors.Join(
		os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
	)
}

// stopTime is how long a program may take to end before it is killed.
const stopTime = 10 * time.Second

// start starts a program in a group of its own, waits until it greets, and returns
// what stops the group.
func start(ctx context.Context, cmd *exec.Cmd, address, log string) (stop func() error, err error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	attributes := syscall.SysProcAttr{}
	if cmd.SysProcAttr != nil {
		attributes = *cmd.SysProcAttr
	}
	attributes.Setpgid = true
	cmd.SysProcAttr = &attributes
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = func() error {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(stopTime):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
		}
		return nil
	}
	if err := awaitGreeting(ctx, address, ended); err != nil {
		said, _ := os.ReadFile(log)
		return nil, errors.Join(fmt.Errorf("%w; it said:\n%s", err, said), stop())
	}
	return stop, nil
}

// greetingTime is how long a server may take until it greets.
const greetingTime = 30 * time.Second

// awaitGreeting waits until a server greets, or its process has ended.
func awaitGreeting(ctx context.Context, address string, ended chan error) error {
	ctx, cancel := context.WithTimeout(ctx, greetingTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !greets(address) {
		select {
		case err := <-ended:
			ended <- err
			return fmt.Errorf("the server ended instead of serving: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("waiting for the server's greeting: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

func greets(address string) bool {
	nc, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer nc.Close()
	if nc.SetDeadline(time.Now().Add(5*time.Second)) != nil {
		return false
	}
	line, err := bufio.NewReader(nc).ReadString('\n')
	return err == nil && strings.HasPrefix(line, "220")
}
