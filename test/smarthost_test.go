package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weirmail/weir/smtptest"
	"github.com/weirmail/weir/test/conformance/servers"
)

// provider is a smarthost that wants a login, and what stands behind it.
type provider struct {
	daemon *daemon
	hop    *nextHop
}

// startProvider starts a Weir that takes mail from the account alone, by some of the
// mechanisms; empty is all.
func startProvider(t testing.TB, mechanisms string) *provider {
	t.Helper()
	p := &provider{hop: startNextHop(t, nil)}
	dir := folder(t)
	users, secret := filepath.Join(dir, "users"), filepath.Join(dir, "secret")
	add := exec.Command(program, "user", "add", account, "--users", users)
	add.Stdin = strings.NewReader(password + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("weir user add: %v\n%s", err, out)
	}
	writeSecret(t, secret, "of-the-relay")
	only := ""
	if mechanisms != "" {
		only = fmt.Sprintf("mechanisms = [%q]\n", mechanisms)
	}
	p.daemon = startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\n", p.hop.address)+
		"[clients]\nallow = []\n[[listener]]\nprotocol = \"submission\"\naddress = \"127.0.0.1:0\"\n"+
		fmt.Sprintf("[auth]\nusers = %q\n%s", users, only)+
		fmt.Sprintf("[auth.oauth]\nintrospection = %q\nclient_id = \"weir\"\nclient_secret_file = %q\n", issuer(t), secret)+
		writeCertificate(t, dir, smtptest.NewCA(t).Issue("relay.test", "127.0.0.1")))
	return p
}

func writeSecret(t testing.TB, path, secret string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// authorization is an authorization server that gives the one token that the issuer
// knows.
type authorization struct {
	*httptest.Server
	mu      sync.Mutex
	asked   []string // the grants
	pending int
	broken  bool
}

func startAuthorization(t testing.TB) *authorization {
	t.Helper()
	a := &authorization{}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *authorization) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer := map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600}
	status := http.StatusOK
	switch grant := r.PostFormValue("grant_type"); {
	case r.URL.Path == "/device":
		answer = map[string]any{"device_code": "1", "user_code": "ABCD-EFGH", "verification_uri": a.URL + "/enter", "expires_in": 60, "interval": 1}
	case a.broken:
		a.asked = append(a.asked, grant)
		answer, status = map[string]any{"error": "invalid_grant", "error_description": "the password was changed"}, http.StatusBadRequest
	case a.pending > 0:
		a.pending--
		answer, status = map[string]any{"error": "authorization_pending"}, http.StatusBadRequest
	default:
		a.asked = append(a.asked, grant)
		if grant != "client_credentials" {
			answer["refresh_token"] = "refresh"
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// sendBy sends a message through a daemon.
func sendBy(t testing.TB, d *daemon, from, to string) {
	t.Helper()
	python(t, "import smtplib, sys\ns = smtplib.SMTP(sys.argv[1], int(sys.argv[2]), timeout=60)\ns.sendmail(sys.argv[3], [sys.argv[4]], b'Subject: x\\r\\n\\r\\nx\\r\\n')\ns.quit()", d.address(), from, to)
}

func python(t testing.TB, script, address string, args ...string) {
	t.Helper()
	host, port, _ := strings.Cut(address, ":")
	if out, err := exec.Command(need(t, "python3"), append([]string{"-c", script, host, port}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("python3: %v\n%s", err, out)
	}
}

// TestTheSmarthostWantsALogin: Weir signs in to Weir by whatever it offers.
func TestTheSmarthostWantsALogin(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"", "PLAIN", "LOGIN", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2"} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			p := startProvider(t, mechanism)
			dir := folder(t)
			secret := filepath.Join(dir, "password")
			writeSecret(t, secret, password)
			signIn := fmt.Sprintf("password_file = %q\n", secret)
			app := ""
			if strings.Contains(mechanism, "OAUTH") {
				signIn = "oauth = \"own\"\n"
				app = fmt.Sprintf("[[oauth_app]]\nname = \"own\"\ngrant = \"client\"\nclient_id = \"weir\"\nclient_secret_file = %q\ntoken_url = \"%s/token\"\n", secret, startAuthorization(t).URL)
			}
			d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\nusername = %q\n%s%s", p.daemon.address(), account, signIn, app))
			sendBy(t, d, account, "bob@example.net")
			p.hop.await(t, 1)
			for _, secret := range []string{password, token} {
				if strings.Contains(d.output(), secret) {
					t.Errorf("the log shows a secret:\n%s", d.output())
				}
			}
		})
	}
}

// TestPostfixIsTheSmarthost: it relays for those who sign in, and for nobody else.
func TestPostfixIsTheSmarthost(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if err := os.Chmod(dir, 0o755); err != nil { // Postfix looks into it as a user of its own
		t.Fatal(err)
	}
	postfix, err := servers.StartPostfix(t.Context(), dir)
	if errors.Is(err, servers.ErrMissing) {
		t.Skipf("LEFT OUT: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := postfix.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, test := range []struct{ password, want string }{
		{postfix.Server.Password, `"status":"sent"`},
		{"wrong", `"response":"535 `},
	} {
		d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\nusername = %q\npassword = %q\n", postfix.Server.Address, postfix.Server.User, test.password))
		sendBy(t, d, account, "bob@elsewhere.test")
		until(t, test.want, func() bool { return strings.Contains(d.output(), test.want) })
	}
}

// TestTheSmarthostTakesNoPasswords: nobody has logged in yet, and mail waits; somebody
// logs in, and it goes out; the login is revoked, and mail waits again.
func TestTheSmarthostTakesNoPasswords(t *testing.T) {
	t.Parallel()
	p, a := startProvider(t, "XOAUTH2"), startAuthorization(t)
	a.pending = 1
	dir := folder(t)
	d := startDaemon(t, dir, fmt.Sprintf("next_hop = \"smtp://%s\"\nusername = %q\noauth = \"work\"\n"+
		"[[oauth_app]]\nname = \"work\"\nclient_id = \"weir\"\ntoken_url = \"%s/token\"\ndevice_url = \"%s/device\"\n", p.daemon.address(), account, a.URL, a.URL))
	sendBy(t, d, account, "bob@example.net")
	until(t, "the relay says that a login is needed", func() bool {
		return strings.Contains(d.output(), "weir auth login "+account)
	})
	if got, code := outputOf(t, "auth", "status", "--json", "--socket", filepath.Join(dir, "admin.sock")); code != 1 || !strings.Contains(got, `"needs_login":true`) {
		t.Errorf("weir auth status ends with %d and says:\n%s", code, got)
	}
	until(t, "the message waits for it", func() bool { return strings.Contains(d.weir("queue", "list"), "bob@example.net") })
	out, code := outputOf(t, "auth", "login", "--config", filepath.Join(dir, "weir.toml"))
	if code != 0 || !strings.Contains(out, "ABCD-EFGH") || !strings.Contains(out, account+" is logged in") {
		t.Fatalf("weir auth login says:\n%s", out)
	}
	until(t, "the message is tried again", func() bool {
		d.weir("queue", "retry", "--all")
		return len(p.hop.got()) == 1
	})
	if got := d.weir("status"); !strings.Contains(got, account) || strings.Contains(got, "NEEDED") {
		t.Errorf("weir status says:\n%s", got)
	}
	if strings.Contains(d.output(), token) || strings.Contains(d.output(), "refresh\"") {
		t.Errorf("the log shows a secret:\n%s", d.output())
	}
}

// outputOf runs a command of the program and returns what it printed, and its exit
// code.
func outputOf(t testing.TB, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(program, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("weir %s: %v", strings.Join(args, " "), err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}
