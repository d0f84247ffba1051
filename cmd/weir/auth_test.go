package main

import (
	"io"
	"testing"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/oauth"
)

// loggedIn are logins of all kinds.
func loggedIn() []api.Login {
	return []api.Login{
		{Name: "relay@example.org", Application: "work", Grant: "device", Servers: []string{"smtp.office365.com:587"}, Began: noon.Add(-40 * 24 * time.Hour), TokenExpires: noon.Add(42 * time.Minute)},
		{Name: "ada@gmail.com", Application: "google", Grant: "code", Servers: []string{"smtp.gmail.com:587", "smtp.gmail.com:465"}, TokenExpires: noon.Add(time.Minute), Ends: noon.Add(3 * 24 * time.Hour)},
		{Name: "old@example.org", Application: "work", Grant: "device", Servers: []string{"smtp.office365.com:587"}, NeedsLogin: true, Since: noon.Add(-2 * time.Hour), Retry: noon.Add(time.Hour), Problem: "no token for old@example.org: invalid_grant, the login has ended; run \"weir auth login old@example.org\""},
		{Name: "app", Application: "own", Grant: "client", Servers: []string{"mail.example.net:587"}, Since: noon.Add(-time.Minute), Retry: noon.Add(20 * time.Second), Problem: "no token for app: the token endpoint does not answer in time"},
		{Name: "new", Application: "own", Grant: "device", Servers: []string{"mail.example.net:587"}},
	}
}

func TestAuthStatusIsPrinted(t *testing.T) {
	printed(t, "auth", func(w io.Writer) error { return writeAuthStatus(w, loggedIn(), noon) })
	printed(t, "auth-none", func(w io.Writer) error { return writeAuthStatus(w, nil, noon) })
	printed(t, "auth-code", func(w io.Writer) error {
		return showCode(w, "relay@example.org", oauth.Prompt{URL: "https://microsoft.com/devicelogin", Code: "F7XK2M9QP", Until: noon.Add(15 * time.Minute)}, noon)
	})
}

func TestLoginsThatNeedCare(t *testing.T) {
	all := loggedIn()
	for i, want := range []bool{false, true, true, true, false} {
		if needsCare(all[i:i+1], noon) != want {
			t.Errorf("%s: %v", all[i].Name, !want)
		}
	}
}
