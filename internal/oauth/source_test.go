package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// heard gathers what a source reports.
type heard struct {
	mu        sync.Mutex
	all       []string
	recovered int
}

func (h *heard) report(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, err.Error())
}

func (h *heard) list() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.all)
}

func (h *heard) options(c *Client, store *Store) SourceOptions {
	return SourceOptions{Client: c, Store: store, Report: h.report, Recovered: func() { h.recovered++ }}
}

func mustToken(t *testing.T, s *Source) string {
	t.Helper()
	token, err := s.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestATokenIsUsedUntilShortlyBeforeItsEnd(t *testing.T) {
	for _, g := range []Grant{GrantDevice, GrantClient} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			c := s.client(g)
			source := NewSource(SourceOptions{Client: c, Store: stored(t, s, c)})
			first := mustToken(t, source)
			time.Sleep(54 * time.Minute)
			if again := mustToken(t, source); again != first || s.asked() != 1 {
				t.Errorf("%s: after 54 minutes it is %s, and %d were asked for", g, again, s.asked())
			}
			time.Sleep(2 * time.Minute)
			if again := mustToken(t, source); again == first || s.asked() != 2 {
				t.Errorf("%s: after 56 minutes it is %s, and %d were asked for", g, again, s.asked())
			}
		})
	}
}

func TestManyWhoAskCostOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.fault = func(http.ResponseWriter, url.Values) bool { time.Sleep(3 * time.Second); return false }
		c := s.client(GrantDevice)
		source := NewSource(SourceOptions{Client: c, Store: stored(t, s, c)})
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if token, err := source.Token(t.Context()); token != "access-1" || err != nil {
					t.Errorf("%q, %v", token, err)
				}
			})
		}
		group.Wait()
		if s.asked() != 1 {
			t.Errorf("%d requests", s.asked())
		}
	})
}

// One who gives up does not take the request of the others with it.
func TestOneWhoLeavesDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		c := s.client(GrantDevice)
		hang := make(chan struct{})
		c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			select {
			case <-hang:
				return transport{s}.RoundTrip(r)
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})
		var h heard
		source := NewSource(h.options(c, stored(t, s, c)))
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := source.Token(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("who left hears %v", err)
			}
		})
		synctest.Wait()
		group.Go(func() {
			if token, err := source.Token(t.Context()); token == "" {
				t.Errorf("who stayed hears %v", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(hang)
		group.Wait()
		if len(h.all) > 0 {
			t.Errorf("it is reported: %q", h.all)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestARotatedRefreshTokenIsOnTheDiskBeforeTheTokenIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.rotate = true
		c := s.client(GrantDevice)
		store := stored(t, s, c)
		mustToken(t, NewSource(SourceOptions{Client: c, Store: store}))
		if l, err := store.Load(c); err != nil || l.Refresh != s.refresh {
			t.Errorf("the disk has %+v, %v; the server wants %s", l, err, s.refresh)
		}
		mustToken(t, NewSource(SourceOptions{Client: c, Store: store})) // after a restart
	})
}

// A disk that takes nothing costs neither mail nor login.
func TestARotatedRefreshTokenThatTheDiskDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.rotate = true
		c := s.client(GrantDevice)
		store := stored(t, s, c)
		var h heard
		source := NewSource(h.options(c, store))
		store.write = func(string, string, []byte, bool) error { return errors.New("no space left on device") }
		mustToken(t, source)
		time.Sleep(time.Hour)
		mustToken(t, source)
		if len(h.all) != 2 || h.all[0] != "keeping a login: no space left on device" {
			t.Errorf("it is reported: %q", h.all)
		}
		store.write = writeFile
		time.Sleep(time.Hour)
		mustToken(t, source)
		if l, err := store.Load(c); err != nil || l.Refresh != s.refresh {
			t.Errorf("the disk has %+v, %v; the server wants %s", l, err, s.refresh)
		}
	})
}

func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		prepare    func(*server, *Client)
		want       string
		needsLogin bool
		pause      time.Duration // before the server is asked again
	}{
		"revoked":         {func(s *server, _ *Client) { s.refresh = "another" }, `invalid_grant, the login has ended: it has expired, was revoked, or the password was changed (the server says: AADSTS700082: The refresh token has expired due to inactivity.); run "weir auth login relay@example.org"`, true, loginPause},
		"a wrong secret":  {func(s *server, _ *Client) { s.secret = "right" }, "invalid_client", false, minPause},
		"500":             {func(s *server, _ *Client) { s.fault = say(500, "text/html", "<h1>hunter2") }, "the token endpoint answers 500", false, minPause},
		"wrong JSON":      {func(s *server, _ *Client) { s.fault = say(200, "application/json", `{"access_token": "hunter2`) }, "not what RFC 6749 has it be", false, minPause},
		"an empty answer": {func(s *server, _ *Client) { s.fault = say(200, "application/json", `{}`) }, "not what RFC 6749 has it be", false, minPause},
		"a redirect":      {func(s *server, _ *Client) { s.fault = say(302, "text/html", ``) }, "answers 302", false, minPause},
		"429 with a time": {func(s *server, _ *Client) {
			s.fault = func(w http.ResponseWriter, _ url.Values) bool {
				w.Header().Set("Retry-After", "120")
				w.WriteHeader(429)
				return true
			}
		}, "answers 429", false, 2 * time.Minute},
		"no network": {func(_ *server, c *Client) {
			c.Transport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route to host") })
		}, "cannot be reached: no route to host", false, minPause},
		"a silent server": {func(_ *server, c *Client) {
			c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
		}, "does not answer in time", false, minPause - requestTime},
		"a secret that cannot be read": {func(_ *server, c *Client) {
			c.Secret = func() (string, error) { return "", fmt.Errorf("reading a secret: %w", os.ErrPermission) }
		}, "reading a secret: permission denied", false, minPause},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				c := s.client(GrantDevice)
				var h heard
				source := NewSource(h.options(c, stored(t, s, c)))
				test.prepare(s, c)
				_, err := source.Token(t.Context())
				e, ok := errors.AsType[*Error](err)
				if !ok || !strings.Contains(err.Error(), test.want) || e.NeedsLogin != test.needsLogin {
					t.Fatalf("the error is %v, needs login %v", err, e != nil && e.NeedsLogin)
				}
				if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "refresh-0") {
					t.Errorf("the error shows a secret: %v", err)
				}
				asked := s.asked()
				if _, again := source.Token(t.Context()); test.pause > 0 && (s.asked() != asked || again.Error() != err.Error()) {
					t.Errorf("it is asked again at once, and says %v", again)
				}
				st := source.Status()
				if st.Problem == nil || st.Since.IsZero() || test.pause > 0 && time.Until(st.Retry) != test.pause {
					t.Errorf("the status is %+v, again in %v", st, time.Until(st.Retry))
				}
				if len(h.all) != 1 {
					t.Errorf("it is reported %d times: %q", len(h.all), h.all)
				}
			})
		})
	}
}

func TestPausesGrowAndThenItRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.fault = say(500, "text/plain", "")
		c := s.client(GrantDevice)
		var h heard
		source := NewSource(h.options(c, stored(t, s, c)))
		began := time.Now()
		for time.Since(began) < time.Hour {
			_, _ = source.Token(t.Context())
			time.Sleep(time.Second)
		}
		if n := s.asked(); n < 12 || n > 20 {
			t.Errorf("it asked %d times in an hour", n)
		}
		s.set(func() { s.fault = nil })
		time.Sleep(maxPause)
		mustToken(t, source)
		if h.recovered != 1 || len(h.all) != 1 || source.Status().Problem != nil {
			t.Errorf("recovered %d, reported %q, status %+v", h.recovered, h.all, source.Status())
		}
	})
}

func TestATokenThatIsStillGoodIsUsedWhereTheServerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		c := s.client(GrantDevice)
		source := NewSource(SourceOptions{Client: c, Store: stored(t, s, c)})
		first := mustToken(t, source)
		s.set(func() { s.fault = say(503, "text/plain", "") })
		time.Sleep(57 * time.Minute)
		if token := mustToken(t, source); token != first {
			t.Errorf("it is %s", token)
		}
		if source.Status().Problem == nil {
			t.Error("the status hides it")
		}
		time.Sleep(4 * time.Minute)
		if _, err := source.Token(t.Context()); err == nil {
			t.Error("a token that has ended is used")
		}
	})
}

// A new login by another process helps at once, without a restart.
func TestANewLoginIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		c := s.client(GrantDevice)
		store := NewStore(t.TempDir(), "")
		var h heard
		source := NewSource(h.options(c, store))
		_, err := source.Token(t.Context())
		if !errors.Is(err, ErrNoLogin) || !strings.Contains(err.Error(), `run "weir auth login relay@example.org"`) {
			t.Fatalf("without a login it says %v", err)
		}
		s.refresh = "refresh-9"
		if err := NewStore(store.dir, "").Save(c, Login{Refresh: "refresh-9"}); err != nil {
			t.Fatal(err)
		}
		mustToken(t, source)
		if h.recovered != 1 {
			t.Error("nobody hears that it recovered")
		}
	})
}

// Also while the old token is good: it may be that its scope does not suffice.
func TestANewLoginTakesThePlaceOfAnOldOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		c := s.client(GrantDevice)
		store := stored(t, s, c)
		source := NewSource(SourceOptions{Client: c, Store: store})
		first := mustToken(t, source)
		s.set(func() { s.refresh = "refresh-9" })
		if err := NewStore(store.dir, "").Save(c, Login{Refresh: "refresh-9"}); err != nil {
			t.Fatal(err)
		}
		_ = os.Chtimes(filepath.Join(store.dir, file(c.identity())), time.Time{}, time.Now().Add(time.Hour)) // clocks of file systems are coarse
		if again := mustToken(t, source); again == first {
			t.Error("the old token is still used")
		}
		asked := s.asked()
		mustToken(t, source)
		if s.asked() != asked {
			t.Error("it is asked for again and again")
		}
	})
}

func TestALoginOfAnotherProcessIsNotOverwritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		c := s.client(GrantDevice)
		store := stored(t, s, c)
		path := filepath.Join(store.dir, file(c.identity()))
		s.fault = func(http.ResponseWriter, url.Values) bool {
			if err := NewStore(store.dir, "").Save(c, Login{Refresh: "theirs"}); err != nil {
				t.Error(err)
			}
			_ = os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)) // clocks of file systems are coarse
			return false
		}
		mustToken(t, NewSource(SourceOptions{Client: c, Store: store}))
		if l, err := store.Load(c); err != nil || l.Refresh != "theirs" {
			t.Errorf("%+v, %v", l, err)
		}
	})
}

func TestKeepUsesALoginAheadOfItsDisuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		c := s.client(GrantDevice)
		o := SourceOptions{Client: c, Store: stored(t, s, c), Idle: 90 * 24 * time.Hour}
		source := NewSource(o)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { source.Keep(ctx) })
		synctest.Wait()
		if s.asked() != 1 {
			t.Errorf("at the start it asked %d times", s.asked())
		}
		time.Sleep(100 * 24 * time.Hour)
		if n := s.asked(); n != 4 {
			t.Errorf("in 100 days without mail it asked %d times", n)
		}
		cancel()
		group.Wait()
	})
}

func TestKeepWarnsOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.ends, s.rotate = int((10 * 24 * time.Hour).Seconds()), true
		c := s.client(GrantCode)
		var h heard
		source := NewSource(h.options(c, stored(t, s, c)))
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { source.Keep(ctx) })
		time.Sleep(2 * 24 * time.Hour)
		if early := h.list(); len(early) > 0 {
			t.Errorf("too early: %q", early)
		}
		time.Sleep(3*24*time.Hour + time.Minute)
		if all := h.list(); len(all) != 2 || !strings.Contains(all[0], `run "weir auth login relay@example.org" before`) {
			t.Errorf("reported: %q", all)
		}
		cancel()
		group.Wait()
	})
}
