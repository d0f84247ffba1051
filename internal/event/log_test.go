package event

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// TestAccountsInTheLog: who has signed in, by what, and why not; without names where they
// are not wanted.
func TestAccountsInTheLog(t *testing.T) {
	for _, test := range []struct {
		o    LogOptions
		e    Authenticated
		want string
	}{
		{LogOptions{}, Authenticated{Session: "s1", Mechanism: "PLAIN", Account: "ada"}, `level=INFO msg=authenticated session=s1 client="invalid IP" mechanism=PLAIN account=ada`},
		{LogOptions{NoAccounts: true}, Authenticated{Mechanism: "PLAIN", Account: "ada"}, `mechanism=PLAIN account=***`},
		{LogOptions{NoAccounts: true}, Authenticated{Mechanism: "PLAIN", Failed: true, Problem: "there is no such account"}, `level=INFO msg="not authenticated" session="" client="invalid IP" mechanism=PLAIN account="" problem="there is no such account"`},
		{LogOptions{}, Authenticated{Failed: true, Problem: "down", Err: errors.New("refused")}, `level=WARN msg="not authenticated"`},
	} {
		var b bytes.Buffer
		Tee(Log(slog.New(slog.NewTextHandler(&b, nil)), test.o)).Authenticated(test.e)
		if !strings.Contains(b.String(), test.want) || test.o.NoAccounts && strings.Contains(b.String(), "ada") {
			t.Errorf("%+v: %q, want %q", test.e, b.String(), test.want)
		}
	}
}
