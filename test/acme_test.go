package test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/weirmail/weir/smtptest"
)

// background runs a program until the test ends.
func background(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(need(t, name), args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.Create(filepath.Join(folder(t), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("what %s wrote:\n%.8000s", name, text)
		}
		log.Close()
	})
}

// An authority gives a certificate, which takes the place of one that nobody
// vouches for without a restart, and is there at the next start.
func TestACertificateIsGotByACME(t *testing.T) {
	need(t, "pebble")
	ca, dir := smtptest.NewCA(t), folder(t)
	write(t, filepath.Join(dir, "ca.pem"), ca.PEM())
	writeCertificate(t, dir, ca.Issue("localhost", "127.0.0.1"))
	names, http, directory := freePort(t), freePort(t), freePort(t)
	background(t, nil, "pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "",
		"-tlsalpn01", "", "-dns01", fmt.Sprintf("127.0.0.1:%d", names), "-management", fmt.Sprintf("127.0.0.1:%d", freePort(t)))
	settings, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress":           fmt.Sprintf("127.0.0.1:%d", directory),
		"managementListenAddress": fmt.Sprintf("127.0.0.1:%d", freePort(t)),
		"certificate":             filepath.Join(dir, "cert.pem"), "privateKey": filepath.Join(dir, "key.pem"),
		"httpPort": http, "tlsPort": freePort(t),
		"externalAccountBindingRequired": true,
		"externalAccountMACKeys":         map[string]string{"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "pebble.json"), string(settings))
	background(t, []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0"}, "pebble",
		"-config", filepath.Join(dir, "pebble.json"), "-dnsserver", fmt.Sprintf("127.0.0.1:%d", names))
	until(t, "the authority", func() bool {
		nc, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", directory))
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
	configuration := fmt.Sprintf("[[listener]]\naddress = \"127.0.0.1:0\"\n[tls.acme]\nnames = \"mail.relay.test\"\naccept_terms = true\n"+
		"email = \"postmaster@relay.test\"\ndirectory = \"https://127.0.0.1:%d/dir\"\nca = %q\nhttp01 = \"127.0.0.1:%d\"\n"+
		"key_id = \"kid-1\"\nkey_mac = \"zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\"\n",
		directory, filepath.Join(dir, "ca.pem"), http)
	d := startDaemon(t, dir, configuration)
	until(t, "the certificate", func() bool { return shown(t, d.address(), "mail.relay.test") == "mail.relay.test" })
	if got := shown(t, d.address(), ""); got != "mail.relay.test" {
		t.Errorf("who asks for no name is shown %q", got)
	}
	if status := d.weir("status"); !strings.Contains(status, "mail.relay.test") || strings.Contains(status, "Not shown") {
		t.Errorf("the status:\n%s", status)
	}
	if strings.Contains(d.output(), "zWNDZM6eQG") {
		t.Error("the key is in the log")
	}
	d.kill()
	d = startDaemon(t, dir, configuration)
	if got := shown(t, d.address(), "mail.relay.test"); got != "mail.relay.test" {
		t.Errorf("after a restart it shows %q", got)
	}
}
