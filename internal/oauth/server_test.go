package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is an authorization server for tests.
type server struct {
	mu       sync.Mutex
	requests []url.Values // to the token endpoint
	// fault answers in place of the server; it says whether it did.
	fault func(w http.ResponseWriter, form url.Values) bool
	// pending is how often a device is told to wait, slow how often to slow down.
	pending, slow int
	denied        bool
	refresh       string            // the token that is good
	rotate        bool              // gives a new one each time
	ends          int               // refresh_token_expires_in
	life          int               // expires_in
	codes         map[string]string // to the challenge
	issued        int
	secret        string
}

func newServer() *server { return &server{life: 3600, codes: map[string]string{}} }

// transport asks the server without a network, so that time can be virtual.
type transport struct{ s http.Handler }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	t.s.ServeHTTP(w, r)
	return w.Result(), nil
}

// client is a client of the server.
func (s *server) client(g Grant) *Client {
	const at = "https://login.example.net"
	return &Client{
		Login: "relay@example.org", Grant: g, ID: "weir", Scope: "mail offline_access", Transport: transport{s},
		AuthorizeURL: at + "/authorize", TokenURL: at + "/token", DeviceURL: at + "/device",
	}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := r.ParseForm(); err != nil {
		panic(err)
	}
	if r.URL.Path == "/device" {
		answer(w, 200, map[string]any{"device_code": "device-1", "user_code": "ABCD-EFGH", "verification_uri": "https://login.example.net/enter", "expires_in": 900, "interval": 5})
		return
	}
	s.requests = append(s.requests, r.PostForm)
	if s.fault != nil && s.fault(w, r.PostForm) {
		return
	}
	if s.secret != "" && r.PostForm.Get("client_secret") != s.secret {
		refuse(w, "invalid_client", "the secret is not right")
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "urn:ietf:params:oauth:grant-type:device_code":
		s.device(w, r.PostForm)
	case "authorization_code":
		s.code(w, r.PostForm)
	case "refresh_token":
		if r.PostForm.Get("refresh_token") != s.refresh {
			refuse(w, "invalid_grant", "AADSTS700082: The refresh token has expired due to inactivity.")
			return
		}
		s.issue(w, s.rotate)
	case "client_credentials":
		s.issue(w, false)
	default:
		refuse(w, "unsupported_grant_type", "")
	}
}

func (s *server) device(w http.ResponseWriter, form url.Values) {
	switch {
	case form.Get("device_code") != "device-1":
		refuse(w, "bad_verification_code", "")
	case s.slow > 0:
		s.slow--
		refuse(w, "slow_down", "")
	case s.pending > 0:
		s.pending--
		refuse(w, "authorization_pending", "")
	case s.denied:
		refuse(w, "access_denied", "")
	default:
		s.issue(w, true)
	}
}

func (s *server) code(w http.ResponseWriter, form url.Values) {
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	challenge, ok := s.codes[form.Get("code")]
	if !ok || challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
		refuse(w, "invalid_grant", "the code is not good")
		return
	}
	delete(s.codes, form.Get("code"))
	s.issue(w, true)
}

func (s *server) issue(w http.ResponseWriter, withRefresh bool) {
	s.issued++
	body := map[string]any{"access_token": fmt.Sprintf("access-%d", s.issued), "token_type": "Bearer", "expires_in": s.life}
	if withRefresh {
		s.refresh = fmt.Sprintf("refresh-%d", s.issued)
		body["refresh_token"] = s.refresh
		if s.ends > 0 {
			body["refresh_token_expires_in"] = s.ends
		}
	}
	answer(w, 200, body)
}

// browse logs in at the page and returns where the browser ends up.
func (s *server) browse(t *testing.T, page string) string {
	t.Helper()
	u, err := url.Parse(page)
	if err != nil || !strings.HasPrefix(page, "https://login.example.net/authorize?") {
		t.Fatalf("the page is %q", page)
	}
	q := u.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != "weir" || q.Get("scope") != "mail offline_access" || q.Get("code_challenge_method") != "S256" {
		t.Fatalf("the request is %v", q)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes["code-1"] = q.Get("code_challenge")
	return q.Get("redirect_uri") + "?" + url.Values{"code": {"code-1"}, "state": {q.Get("state")}}.Encode()
}

func (s *server) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func (s *server) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, code, description string) {
	answer(w, 400, map[string]string{"error": code, "error_description": description})
}

// say answers a status and a body as it is.
func say(status int, contentType, body string) func(http.ResponseWriter, url.Values) bool {
	return func(w http.ResponseWriter, _ url.Values) bool {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}
}

// stored is a store with a login in it.
func stored(t *testing.T, s *server, c *Client) *Store {
	t.Helper()
	store := NewStore(t.TempDir(), "")
	s.refresh = "refresh-0"
	if err := store.Save(c, Login{Refresh: "refresh-0", Began: time.Now(), Used: time.Now()}); err != nil {
		t.Fatal(err)
	}
	return store
}
