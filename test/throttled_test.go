package test

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// soon is a timetable that lets a test see the end.
const soon = "[retry]\nfirst = \"1s\"\nmax = \"2s\"\n"

// sendNumbered sends messages of one sender to the recipients, each with a number in
// its header section.
func sendNumbered(t testing.TB, d *daemon, from, n int, recipients ...string) {
	t.Helper()
	nc, err := net.Dial("tcp", d.address())
	if err != nil {
		t.Fatal(err)
	}
	c, err := smtpclient.New(t.Context(), nc, smtpclient.Options{LocalName: "client.test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Quit(t.Context())
	for i := from; i < from+n; i++ {
		content := []byte(numbered(i) + "Subject: x\r\n\r\nx\r\n")
		transaction := smtpclient.Transaction{
			ReversePath: smtp.Path{Local: "ada", Domain: "example.org"},
			Content:     smtpclient.Content{Bytes: content, Size: int64(len(content))},
		}
		for _, r := range recipients {
			path, err := smtp.ParseAddress(r)
			if err != nil {
				t.Fatal(err)
			}
			transaction.Recipients = append(transaction.Recipients, smtpclient.Recipient{Path: path})
		}
		result, err := c.Send(t.Context(), &transaction)
		if err != nil || !result.Recipients[0].Reply.Code.Completed() {
			t.Fatalf("message %d: %v, %+v", i, err, result.Recipients)
		}
	}
}

func numbered(i int) string { return fmt.Sprintf("X-Number: %d\r\n", i) }

// numbersIn counts the messages of each number.
func numbersIn(contents [][]byte) map[string]int {
	seen := map[string]int{}
	for _, b := range contents {
		if _, rest, found := strings.Cut(string(b), "X-Number: "); found {
			number, _, _ := strings.Cut(rest, "\r\n")
			seen[number]++
		}
	}
	return seen
}

// What smtp-sink can do to a client, for a time: the mail comes once the time is over.
func TestSMTPSinkWithFaultsThatPass(t *testing.T) {
	t.Parallel()
	var faults [][]string
	for _, command := range []string{"CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."} {
		faults = append(faults, []string{"-r", command}, []string{"-Q", command})
		if command != "CONNECT" { // smtp-sink does not say goodbye before hello
			faults = append(faults, []string{"-q", command})
		}
	}
	faults = append(faults, []string{"-f", "CONNECT"}, []string{"-f", "RCPT"}, []string{"-B", "503 5.5.1 bad sequence", "-f", "MAIL"},
		[]string{"-B", "530 5.7.0 Must issue a STARTTLS command first", "-f", "MAIL"})
	configuration := soon
	addresses := make([]string, len(faults))
	stops := make([]func(), len(faults))
	for i, args := range faults {
		addresses[i] = net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t)))
		stops[i] = startSinkAt(t, addresses[i], args...)
		configuration += fmt.Sprintf("[[route]]\nto = \"d%d.test\"\nnext_hop = \"smtp://%s\"\n", i, addresses[i])
	}
	dir := folder(t)
	d := startDaemon(t, dir, configuration)
	for i := range faults {
		sendNumbered(t, d, i, 1, fmt.Sprintf("bob@d%d.test", i))
	}
	until(t, "each message to have been tried", func() bool {
		return strings.Count(d.weir("queue", "list", "--json"), `"last":{`) == len(faults)
	})
	dumps := folder(t)
	for i := range faults {
		stops[i]()
		startSinkAt(t, addresses[i], "-d", filepath.Join(dumps, fmt.Sprintf("m.%d.", i)))
	}
	d.stop() // the lanes may have been suspended for minutes by now
	d = startDaemon(t, dir, configuration)
	until(t, "the queue to be empty", func() bool { return len(d.queued()) == 0 })
	seen := numbersIn(readDumps(t, dumps))
	for i, args := range faults {
		if times := seen[strconv.Itoa(i)]; times != 1 {
			t.Errorf("what smtp-sink %v refused came %d times", args, times)
		}
	}
}

// limitedPostfixes are Postfixes that send clients away, each in a way of its own.
var limitedPostfixes = map[string]string{
	// 421 4.7.0 in place of the greeting.
	"connections":     "smtpd_client_connection_count_limit = 1\n",
	"connection rate": "smtpd_client_connection_rate_limit = 3\n",
	// 450 4.7.1 to MAIL.
	"messages": "smtpd_client_message_rate_limit = 5\n",
	// 450 4.7.1 to RCPT.
	"recipients": "smtpd_client_recipient_rate_limit = 6\n",
	// 421 4.7.0 to what follows a refusal.
	"errors": "smtpd_hard_error_limit = 1\nsmtpd_soft_error_limit = 1\n",
	// 452 4.5.3 to RCPT.
	"recipients of one message": "smtpd_recipient_limit = 1\nsmtpd_recipient_overshoot_limit = 1\n",
}

// A Postfix with limits gets all the mail, and each message once, whatever it says
// on the way.
func TestPostfixWithLimitsAsTheNextHop(t *testing.T) {
	for name, limits := range limitedPostfixes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hop := startNextHop(t, nil)
			postfix := startPostfixWith(t, hop.address, "smtp_tls_security_level = none\nsmtpd_client_event_limit_exceptions =\nanvil_rate_time_unit = 1s\n"+
				"smtpd_recipient_restrictions = check_recipient_access inline:{nobody@example.net=REJECT}, permit_mynetworks, reject\n"+limits)
			d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n%s[[route]]\nto = \"example.org\"\nnext_hop = \"smtp://%s\"\n", postfix, soon, hop.address))
			const messages = 12
			sendNumbered(t, d, 0, messages, "bob@example.net", "nobody@example.net", "carol@example.net")
			until(t, "the queue to be empty", func() bool { return len(d.queued()) == 0 })
			got := map[string]int{}
			until(t, "Postfix to hand everything on", func() bool {
				got = recipientsOf(hop)
				return len(got) >= 2*messages
			})
			// What would be too much has gone before one more.
			sendNumbered(t, d, messages, 1, "last@example.net")
			last := fmt.Sprint(messages, " last@example.net")
			until(t, "one more to arrive", func() bool {
				got = recipientsOf(hop)
				return got[last] > 0
			})
			delete(got, last)
			for who, times := range got {
				if times != 1 {
					t.Errorf("%s: %d times", who, times)
				}
			}
			if len(got) != 2*messages {
				t.Errorf("%d recipients got something, want %d: %v", len(got), 2*messages, got)
			}
		})
	}
}

// recipientsOf counts what arrived by number and recipient, notices apart.
func recipientsOf(h *nextHop) map[string]int {
	got := map[string]int{}
	for _, a := range h.got() {
		if a.mail.Path.IsNull() {
			continue
		}
		for number := range numbersIn([][]byte{a.content}) {
			for _, r := range a.rcpt {
				got[number+" "+r.Path.Address()]++
			}
		}
	}
	return got
}

// Postscreen puts strangers off until it has watched them through a whole session, which
// is greylisting to who sees it from outside.
func TestPostscreenAsTheNextHop(t *testing.T) {
	t.Parallel()
	hop := startNextHop(t, nil)
	postfix := startPostfixWith(t, hop.address, "smtp_tls_security_level = none\npostscreen_access_list =\npostscreen_greet_wait = 1s\npostscreen_greet_action = enforce\n"+
		"postscreen_pipelining_enable = yes\npostscreen_non_smtp_command_enable = yes\npostscreen_bare_newline_enable = yes\n"+
		"postscreen_cache_map = btree:$data_directory/postscreen_cache\nsmtpd_recipient_restrictions = permit_mynetworks, reject\n")
	d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n%s[delivery]\nidle = \"1s\"\n", postfix, soon))
	const messages = 5
	sendNumbered(t, d, 0, messages, "bob@example.net")
	until(t, "a message to have been put off", func() bool { return strings.Contains(d.weir("queue", "list", "--json"), "4.3.2") })
	until(t, "the queue to be empty", func() bool { return len(d.queued()) == 0 })
	until(t, "Postfix to hand everything on", func() bool { return len(recipientsOf(hop)) == messages })
	for who, times := range recipientsOf(hop) {
		if times != 1 {
			t.Errorf("%s: %d times", who, times)
		}
	}
}
