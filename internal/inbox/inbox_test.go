package inbox

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// epoch is the time at which everything in the tests happens.
var epoch = time.Date(2026, 3, 3, 10, 20, 30, 0, time.FixedZone("", 3600))

func newInbox(o Options) *Inbox {
	o.Now = func() time.Time { return epoch }
	o.Try = "swaks --server 127.0.0.1:1025 --to you@example.org\ncurl --url smtp://127.0.0.1:1025"
	return New(o)
}

// converse runs a session: it sends each command and returns the replies, and
// fails where one of them is a refusal.
func converse(t *testing.T, in *Inbox, commands ...string) []string {
	t.Helper()
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		in.Server().ServeConn(server)
	}()
	defer func() {
		client.Close()
		<-done
	}()
	if err := client.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	input := bufio.NewReader(client)
	replies := []string{readReply(t, input)}
	for _, command := range commands {
		if _, err := fmt.Fprint(client, command); err != nil {
			t.Fatal(err)
		}
		reply := readReply(t, input)
		if reply[0] > '3' {
			t.Fatalf("%q: %s", command, reply)
		}
		replies = append(replies, reply)
	}
	return replies
}

func readReply(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var whole strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		whole.WriteString(line)
		if len(line) > 3 && line[3] == ' ' {
			return whole.String()
		}
	}
}

// deliver sends one message by SMTP and returns it as the inbox has it.
func deliver(t *testing.T, in *Inbox, from, to string, raw []byte) *message {
	t.Helper()
	stuffed := bytes.ReplaceAll(append([]byte("\r\n"), raw...), []byte("\r\n."), []byte("\r\n.."))[2:]
	if !bytes.HasSuffix(stuffed, []byte("\r\n")) {
		stuffed = append(stuffed, "\r\n"...)
	}
	commands := []string{"EHLO client.example.com\r\n", "MAIL FROM:" + from + "\r\n"}
	for _, rcpt := range strings.Split(to, "|") {
		commands = append(commands, "RCPT TO:"+rcpt+"\r\n")
	}
	converse(t, in, append(commands, "DATA\r\n", string(stuffed)+".\r\n")...)
	return in.get(latest)
}

// sample reads a message of testdata, with the line ends of mail.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".eml")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile("testdata/"+name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestTheBytesThatComeAreTheBytesThatStay(t *testing.T) {
	in := newInbox(Options{})
	for _, raw := range []string{
		"Subject: x\r\n\r\n.dot\r\n..\r\n\r\n",
		"\r\n",
		"no header at all\r\n",
		"Subject: \xff\xfe\r\n\r\n\x80\r\n",
	} {
		if m := deliver(t, in, "<>", "<ada@example.org>", []byte(raw)); string(m.raw) != raw {
			t.Errorf("%q became %q", raw, m.raw)
		}
	}
	binary := "Subject: b\r\n\r\n\x00\n\r\xff."
	converse(t, in, "EHLO c.example\r\n", "MAIL FROM:<> BODY=BINARYMIME\r\n", "RCPT TO:<a@b.example>\r\n",
		fmt.Sprintf("BDAT %d LAST\r\n%s", len(binary), binary))
	if m := in.get(latest); string(m.raw) != binary {
		t.Errorf("%q became %q", binary, m.raw)
	}
}

func TestTheEnvelopeIsKept(t *testing.T) {
	in := newInbox(Options{})
	m := deliver(t, in, "<bounce@example.com> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=job+2B1",
		"<grün@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;orig@example.org|<postmaster>", []byte("Subject: x\r\n\r\n"))
	var got strings.Builder
	for _, f := range in.viewEnvelope(m) {
		if f.Name != "Session" {
			fmt.Fprintf(&got, "%s: %s | %s\n", f.Name, f.Value, f.Note)
		}
	}
	want := `Reverse-path: <bounce@example.com> | BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=job+1
Forward-path: <grün@example.org> | NOTIFY=SUCCESS,DELAY ORCPT=rfc822;orig@example.org, in neither To nor Cc
Forward-path: <postmaster> | in neither To nor Cc
Content: 14 bytes | 
Arrived: Tue, 3 Mar 2026, 10:20:30 +0100 | 
Client: pipe | as client.example.com
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheReplyNamesTheMessage(t *testing.T) {
	in := newInbox(Options{})
	replies := converse(t, in, "EHLO c.example\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<a@b.example>\r\n", "DATA\r\n", "\r\n.\r\n")
	if id := in.get(latest).id; !strings.Contains(replies[len(replies)-1], "queued as "+id) {
		t.Errorf("%q does not name %s", replies[len(replies)-1], id)
	}
}

func subjects(in *Inbox, query string) string {
	var list []string
	for _, m := range in.list(parseQuery(query), 0, 100).messages {
		list = append(list, m.summary.subject)
	}
	return strings.Join(list, " ")
}

func numbered(in *Inbox, n int, body string) {
	for i := range n {
		in.add(envelope{}, fmt.Appendf(nil, "Subject: %d\r\n\r\n%s", i, body))
	}
}

func TestTheOldestMakeRoom(t *testing.T) {
	in := newInbox(Options{Messages: 3})
	numbered(in, 5, "")
	if got := subjects(in, ""); got != "4 3 2" {
		t.Errorf("kept %q", got)
	}
	if l := in.list(nil, 0, 0); l.dropped != 2 || l.total != 3 || l.unseen != 3 {
		t.Errorf("%+v", l)
	}

	body := strings.Repeat("x", 1000)
	in = newInbox(Options{Bytes: 5000}) // text counts twice: as it came, and for the search
	numbered(in, 5, body)
	if got := subjects(in, ""); got != "4 3" {
		t.Errorf("kept %q", got)
	}
	in.add(envelope{}, []byte("Subject: large\r\n\r\n"+strings.Repeat("x", 20000)))
	if got := subjects(in, ""); got != "large" {
		t.Errorf("the newest is kept whatever its size: %q", got)
	}
	in.remove(func(*message) bool { return true })
	if in.bytes != 0 {
		t.Errorf("%d bytes in an empty inbox", in.bytes)
	}
}

func TestSearchFinds(t *testing.T) {
	in := newInbox(Options{})
	in.add(envelope{}, sample(t, "confirm"))
	in.add(envelope{}, sample(t, "invoice"))
	for query, want := range map[string]string{
		"":                              "Rechnung über 12 € Confirm your address",
		"confirm":                       "Confirm your address",
		"ADA your":                      "Confirm your address",
		`"your address"`:                "Confirm your address",
		`"address your"`:                "",
		"from:shop":                     "Confirm your address",
		"from:ada":                      "",
		"to:ada":                        "Rechnung über 12 € Confirm your address",
		"to:bob from:zöe":               "Rechnung über 12 €",
		`to:"lovelace, bob"`:            "Rechnung über 12 €",
		"subject:confirm":               "Confirm your address",
		"subject:hello":                 "",
		"rechnung ü.pdf":                "Rechnung über 12 €",
		"https://shop.example/confirm?": "Confirm your address",
		"from: to:":                     "Rechnung über 12 € Confirm your address",
	} {
		if got := subjects(in, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

func TestIDsAreUnique(t *testing.T) {
	in := newInbox(Options{})
	numbered(in, 500, "")
	seen := map[string]bool{}
	for _, m := range in.messages {
		if seen[m.id] {
			t.Fatalf("%s twice", m.id)
		}
		seen[m.id] = true
	}
}
