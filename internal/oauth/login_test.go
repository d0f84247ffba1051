package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLoginByDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.pending, s.slow = 3, 1
		began := time.Now()
		var shown Prompt
		l, err := s.client(GrantDevice).LoginByDevice(t.Context(), func(p Prompt) error { shown = p; return nil })
		if err != nil {
			t.Fatal(err)
		}
		if shown.Code != "ABCD-EFGH" || shown.URL != "https://login.example.net/enter" || shown.Until.Sub(began) != 15*time.Minute {
			t.Errorf("it shows %+v", shown)
		}
		if l.Refresh != "refresh-1" || l.Began.IsZero() {
			t.Errorf("the login is %+v", l)
		}
		// 5 s, then by turns of 10 since it was told to slow down.
		if d := time.Since(began); d != 5*time.Second+4*10*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

func TestLoginByDeviceThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*server)
		want    string
	}{
		"the person says no":   {func(s *server) { s.denied = true }, "access_denied, the person said no"},
		"nobody enters it":     {func(s *server) { s.pending = 1 << 30 }, "expired_token, the code was not entered in time"},
		"a server that is ill": {func(s *server) { s.fault = say(503, "text/html", "<p>busy") }, "expired_token"},
		"nonsense":             {func(s *server) { s.fault = say(200, "application/json", `{"access_token`) }, "not what RFC 6749 has it be"},
		"no refresh token":     {func(s *server) { s.fault = say(200, "application/json", `{"access_token":"a","token_type":"bearer"}`) }, "offline_access"},
		"another kind":         {func(s *server) { s.fault = say(200, "application/json", `{"access_token":"a","token_type":"mac"}`) }, "not of the kind Bearer"},
		"a wrong client":       {func(s *server) { s.secret = "hunter2" }, "invalid_client, the client is not known, or its secret"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				test.prepare(s)
				_, err := s.client(GrantDevice).LoginByDevice(t.Context(), func(Prompt) error { return nil })
				e, ok := err.(*Error)
				if !ok || !strings.Contains(e.Error(), test.want) {
					t.Errorf("the error is %v, want %q", err, test.want)
				}
			})
		})
	}
}

func TestLoginByDeviceEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.pending = 1 << 30
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := s.client(GrantDevice).LoginByDevice(ctx, func(Prompt) error { return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// A server that stumbles while the person types does not end the login.
func TestLoginByDeviceOutlivesAStumble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		stumbles := 3
		s.fault = func(w http.ResponseWriter, _ url.Values) bool {
			stumbles--
			return stumbles >= 0 && say(502, "text/html", "bad gateway")(w, nil)
		}
		if _, err := s.client(GrantDevice).LoginByDevice(t.Context(), func(Prompt) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}

func TestLoginByCode(t *testing.T) {
	for name, pick := range map[string]func(string) string{
		"the address":     func(s string) string { return " " + s + "\n" },
		"its end":         func(s string) string { _, query, _ := strings.Cut(s, "?"); return query },
		"the code alone":  func(string) string { return "code-1" },
		"with a fragment": func(s string) string { return s + "#_=_" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer()
			l, err := s.client(GrantCode).LoginByCode(t.Context(), func(p Prompt) (string, error) { return pick(s.browse(t, p.URL)), nil })
			if err != nil || l.Refresh != "refresh-1" {
				t.Errorf("%+v, %v", l, err)
			}
		})
	}
}

func TestLoginByCodeThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		paste func(address string) string
		want  string
	}{
		"nothing":         {func(string) string { return " " }, "nothing was pasted"},
		"the person":      {func(string) string { return pasteAddress + "?error=access_denied&error_description=No" }, "the person said no (the server says: No)"},
		"an old address":  {func(string) string { return pasteAddress + "?code=code-1&state=old" }, "of another login"},
		"the first page":  {func(string) string { return "https://login.example.net/authorize?x=y" }, "no code in it"},
		"a wrong code":    {func(string) string { return "code-2" }, "invalid_grant"},
		"words":           {func(string) string { return "what do I do" }, "neither an address nor a code"},
		"a broken escape": {func(string) string { return pasteAddress + "?code=%zz" }, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer()
			_, err := s.client(GrantCode).LoginByCode(t.Context(), func(p Prompt) (string, error) { return test.paste(s.browse(t, p.URL)), nil })
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
		})
	}
}

func FuzzPasted(f *testing.F) {
	for _, s := range []string{"code", pasteAddress + "?code=1&state=x", "code=1&state=x", "?error=a", "%", "://?code=&state=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pasted string) {
		code, err := codeOf("login", pasted, "x")
		if err == nil && code == "" {
			t.Errorf("%q gives an empty code", pasted)
		}
	})
}
