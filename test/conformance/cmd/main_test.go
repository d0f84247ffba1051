package main

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtptest"
)

// TestExitCodes plays one dialogue against scripted servers.
func TestExitCodes(t *testing.T) {
	const hello = "S: 220 mx.example.net\nC: EHLO *\nS: 250 mx.example.net\n"
	const probes = hello + "--- connection\n" + hello + "--- connection\n" + hello
	only := []string{"--only", "RFC 5321 4.1.1.9: NOOP is answered with 250"}
	for _, tc := range []struct {
		name, server string
		args         []string
		want         int
		says         string
	}{
		{"passed", probes + "C: NOOP\nS: 250 ok\n", only, 0, "passed  MUST   RFC 5321 4.1.1.9: NOOP"},
		{"failed", probes + "C: NOOP\nS: 500 no\nclose\n", only, exitFailed, "failed  MUST   RFC 5321 4.1.1.9: NOOP"},
		{"as JSON", probes + "C: NOOP\nS: 500 no\nclose\n", append([]string{"--json"}, only...), exitFailed, `"outcome": "failed"`},
		{"no SMTP", "S: hello\nclose\n", only, exitUnavailable, `"hello" is no reply`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := smtptest.NewServer(t, tc.server)
			var out bytes.Buffer
			if got := run(t.Context(), append(tc.args, s.Addr()), &out, &out); got != tc.want || !strings.Contains(out.String(), tc.says) {
				t.Errorf("exit code %d, want %d, and %q in\n%s", got, tc.want, tc.says, &out)
			}
		})
	}
}

func TestWrongArguments(t *testing.T) {
	nobody := closedPort(t)
	for _, tc := range []struct {
		name string
		args []string
		want int
		says string
	}{
		{"none", nil, exitUsage, "usage: conformance"},
		{"two servers", []string{"a:25", "b:25"}, exitUsage, "usage: conformance"},
		{"an unknown flag", []string{"--speed", "a:25"}, exitUsage, "not defined"},
		{"no address", []string{"--recipient", "me", "a:25"}, exitUsage, `"me" is no address`},
		{"no expression", []string{"--only", "(", "a:25"}, exitUsage, "--only"},
		{"nobody there", []string{nobody}, exitUnavailable, "asking " + nobody + " what it offers"},
	} {
		var out bytes.Buffer
		if got := run(t.Context(), tc.args, &out, &out); got != tc.want || !strings.Contains(out.String(), tc.says) {
			t.Errorf("%s: exit code %d, want %d, and %q in\n%s", tc.name, got, tc.want, tc.says, &out)
		}
	}
}

// closedPort returns an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
