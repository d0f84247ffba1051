package config

import (
	"fmt"
	"strings"
	"testing"
)

// The order that is shown is the one that package route keeps.
func TestRouteLines(t *testing.T) {
	c, err := loadText(t, `
		smarthost = "ses:eu-west-1"
		username = "AKIA"
		password = "hunter2"
		fallback = "smtp://backup.example.net"
		[[route]]
		from = ["example.org", ".example.org", "news@example.org", "<>"]
		next_hop = "smtp://senders"
		[[route]]
		to = [".example.net", ".a.example.net", "example.net", "a.example.net"]
		next_hop = ["smtp://one", "lmtp+unix:/two"]
		[[route]]
		to = "example.net"
		from = "ada@example.org"
		next_hop = "smtp://both"
	`)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, l := range c.RouteLines() {
		fmt.Fprintf(&b, "%s|%s|%s|%s\n", l.To, l.From, strings.Join(l.Servers, ", "), strings.Join(l.Fallback, ", "))
	}
	const want = `a.example.net||smtp://one:25, lmtp+unix:/two|
example.net|ada@example.org|smtp://both:25|
example.net||smtp://one:25, lmtp+unix:/two|
.a.example.net||smtp://one:25, lmtp+unix:/two|
.example.net||smtp://one:25, lmtp+unix:/two|
*|news@example.org|smtp://senders:25|
*|<>|smtp://senders:25|
*|example.org|smtp://senders:25|
*|.example.org|smtp://senders:25|
*||ses:eu-west-1 as AKIA|smtp://backup.example.net:25
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestTheLastRouteLine(t *testing.T) {
	for text, want := range map[string]string{
		`deliver = "direct"`: "the hosts that the DNS names",
		``:                   "the queue, until something says where it goes",
		"[[route]]\nto = \"*\"\nnext_hop = \"smtp://all\"": "smtp://all:25",
	} {
		c, err := loadText(t, text)
		if err != nil {
			t.Fatal(err)
		}
		lines := c.RouteLines()
		if got := lines[len(lines)-1].Servers[0]; got != want || len(lines) != 1 {
			t.Errorf("%q: %v", text, lines)
		}
	}
}
