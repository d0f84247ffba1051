package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// service answers with a code and a body, and notes what it is asked.
type service struct {
	*httptest.Server
	code    int
	body    string
	asked   atomic.Int64
	request *http.Request
	said    string
}

func newService(t *testing.T) *service {
	s := &service{code: http.StatusOK}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		said, _ := io.ReadAll(r.Body)
		s.request, s.said = r, string(said)
		if s.code == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(s.code)
		io.WriteString(w, s.body)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestHTTPDirectory(t *testing.T) {
	s := newService(t)
	d, err := NewHTTPDirectory(HTTPOptions{URL: s.URL + "/check", Token: "relay's token"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		code    int
		body    string
		account string
		senders Senders
		kind    Kind
	}{
		{200, "", "ada@example.org", nil, 0},
		{200, "{}", "ada@example.org", nil, 0},
		{200, `{"account":"Ada","senders":["@example.org"]}`, "ada", Senders{"@example.org"}, 0},
		{200, `{"senders":[]}`, "ada@example.org", Senders{}, 0},
		{401, "", "", nil, Denied},
		{403, `{"account":"ada"}`, "", nil, Denied},
		{200, "<html>", "", nil, Unavailable},
		{200, `{"senders":["no sender"]}`, "", nil, Unavailable},
		{200, `{"account":"a b"}`, "", nil, Unavailable},
		{204, "", "", nil, Unavailable},
		{302, "", "", nil, Unavailable},
		{404, "", "", nil, Unavailable},
		{500, "", "", nil, Unavailable},
	} {
		s.code, s.body = test.code, test.body
		before := s.asked.Load()
		who, err := d.Check(t.Context(), Credentials{Name: "ada@example.org", Password: `se"cret`, Client: netip.MustParseAddr("192.0.2.7")})
		if kindOf(err) != test.kind || who.Account != test.account || !slices.Equal(who.Senders, test.senders) || (who.Senders == nil) != (test.senders == nil) {
			t.Errorf("%d %s: %+v, %v", test.code, test.body, who, err)
		}
		if s.asked.Load() != before+1 {
			t.Errorf("%d: asked %d times", test.code, s.asked.Load()-before)
		}
		if err != nil && strings.Contains(err.Error(), "cret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
	var question map[string]string
	if err := json.Unmarshal([]byte(s.said), &question); err != nil || fmt.Sprint(question) != `map[client:192.0.2.7 password:se"cret username:ada@example.org]` {
		t.Errorf("asked %s", s.said)
	}
	if s.request.Method != http.MethodPost || s.request.Header.Get("Authorization") != "Bearer relay's token" || s.request.URL.Path != "/check" {
		t.Errorf("asked by %v", s.request)
	}
	s.Close()
	_, err = d.Check(t.Context(), Credentials{Name: "ada", Password: "secret"})
	if kindOf(err) != Unavailable || strings.Contains(err.Error(), "/check") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestSecretsGoByHTTPSAlone(t *testing.T) {
	for text, good := range map[string]bool{
		"https://example.org/x": true, "http://127.0.0.1:80/": true, "http://[::1]/": true, "http://localhost": true,
		"http://example.org": false, "ftp://example.org": false, "example.org": false, "": false, "http://127.0.0.1.example.org/": false, "://": false,
	} {
		if err := CheckURL(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestQuestionsAreBounded: in time, and in how many there are at once.
func TestQuestionsAreBounded(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer s.Close()
	defer close(release)
	d, err := NewHTTPDirectory(HTTPOptions{URL: s.URL, Remote: Remote{Timeout: time.Millisecond, Parallel: 1}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Check(t.Context(), Credentials{Name: "ada", Password: "secret"})
	if kindOf(err) != Unavailable || !strings.Contains(err.Error(), "in time") {
		t.Errorf("too late: %v", err)
	}
	_, done, err := d.asker.begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err = d.Check(t.Context(), Credentials{Name: "ada", Password: "secret"}); kindOf(err) != Busy {
		t.Errorf("too many: %v", err)
	}
	done()
}

func TestIntrospection(t *testing.T) {
	s := newService(t)
	now := time.Unix(1_800_000_000, 0)
	i, err := NewIntrospection(IntrospectionOptions{
		URL: s.URL, ClientID: "we:ir", ClientSecret: "p&q", Scope: "mail.send", Audience: "smtp", Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	const rest = `,"scope":"openid mail.send","aud":["smtp","x"],"username":"Ada"}`
	for n, test := range []struct {
		code    int
		body    string
		account string
		kind    Kind
	}{
		{200, `{"active":true` + rest, "ada", 0},
		{200, `{"active":true,"exp":1800000001` + rest, "ada", 0},
		{200, `{"active":true,"scope":["mail.send"],"aud":"smtp","username":"ada"}`, "ada", 0},
		{200, `{"active":false` + rest, "", Denied},
		{200, `{"active":"true"` + rest, "", Denied},
		{200, rest[1:], "", Unavailable},
		{200, `{"active":true,"exp":1800000000` + rest, "", Denied},
		{200, `{"active":true,"nbf":1800000001` + rest, "", Denied},
		{200, `{"active":true,"scope":"mail.sender","aud":"smtp","username":"ada"}`, "", Denied},
		{200, `{"active":true,"aud":"smtp","username":"ada"}`, "", Denied},
		{200, `{"active":true,"scope":"mail.send","aud":"imap","username":"ada"}`, "", Denied},
		{200, `{"active":true,"scope":"mail.send","aud":"smtp","sub":"ada"}`, "", Denied},
		{200, "", "", Unavailable},
		{401, `{"active":true` + rest, "", Unavailable},
		{500, "", "", Unavailable},
	} {
		s.code, s.body = test.code, test.body
		who, err := i.CheckToken(t.Context(), fmt.Sprint("token", n))
		if kindOf(err) != test.kind || who.Account != test.account {
			t.Errorf("%d %s: %+v, %v", test.code, test.body, who, err)
		}
	}
	if s.said != "token=token14&token_type_hint=access_token" {
		t.Errorf("asked %s", s.said)
	}
	if name, secret, ok := s.request.BasicAuth(); !ok || name != "we%3Air" || secret != "p%26q" {
		t.Errorf("asked as %s, %s", name, secret)
	}
}

// TestGoodTokensAreRememberedForAWhile, no longer than they are good, and bad ones not at
// all.
func TestGoodTokensAreRememberedForAWhile(t *testing.T) {
	s := newService(t)
	now := time.Unix(1_800_000_000, 0)
	i, err := NewIntrospection(IntrospectionOptions{URL: s.URL, Keep: time.Minute, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(token string, want int64) {
		t.Helper()
		before := s.asked.Load()
		i.CheckToken(t.Context(), token)
		if n := s.asked.Load() - before; n != want {
			t.Errorf("%s: asked %d times, want %d", token, n, want)
		}
	}
	s.body = `{"active":true,"username":"ada"}`
	ask("long", 1)
	ask("long", 0)
	s.body = `{"active":true,"username":"ada","exp":1800000030}`
	ask("short", 1)
	ask("short", 0)
	s.body = `{"active":false}`
	ask("bad", 1)
	ask("bad", 1)
	now = now.Add(31 * time.Second)
	ask("short", 1)
	ask("long", 0)
	now = now.Add(30 * time.Second)
	ask("long", 1)
	for n := range 2 * maxGoodTokens {
		i.remember([32]byte{byte(n), byte(n >> 8)}, goodToken{until: now.Add(time.Minute)})
	}
	if len(i.good) > maxGoodTokens {
		t.Errorf("%d are remembered", len(i.good))
	}
}
