package test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// gullible is a next hop that believes in every end of a line and of a message that
// any server ever believed in: a lone CR, a lone LF, and what NULs stand between.
type gullible struct {
	offers  []string
	mu      sync.Mutex
	began   int
	evil    []string
	ended   int
	strange []string // commands that it does not know
}

// serve speaks SMTP on one connection.
func (g *gullible) serve(nc net.Conn) {
	in := bufio.NewReader(nc)
	say := func(text string) { io.WriteString(nc, text+"\r\n") }
	say("220 gullible.test ESMTP")
	for {
		line, err := gullibleLine(in)
		if err != nil {
			return
		}
		words := append(strings.Fields(line), "", "")
		switch strings.ToUpper(words[0]) {
		case "EHLO":
			say("250-gullible.test\r\n250-" + strings.Join(g.offers, "\r\n250-") + "\r\n250 8BITMIME")
		case "MAIL":
			g.mail(line)
			say("250 ok")
		case "DATA":
			say("354 go")
			for line != "." && err == nil {
				line, err = gullibleLine(in)
			}
			g.end()
			say("250 ok")
		case "BDAT":
			n, _ := strconv.ParseInt(words[1], 10, 64)
			io.CopyN(io.Discard, in, n)
			if words[2] == "LAST" {
				g.end()
			}
			say("250 ok")
		case "QUIT":
			say("221 bye")
			return
		case "RCPT", "RSET", "NOOP":
			say("250 ok")
		default:
			g.mu.Lock()
			g.strange = append(g.strange, line)
			g.mu.Unlock()
			say("500 what")
		}
	}
}

// gullibleLine reads up to a CR, a LF or both, and passes over NULs.
func gullibleLine(in *bufio.Reader) (string, error) {
	var line []byte
	for {
		b, err := in.ReadByte()
		switch {
		case err != nil:
			return string(line), err
		case b == 0:
		case b == '\n':
			return string(line), nil
		case b == '\r':
			if next, err := in.Peek(1); err == nil && next[0] == '\n' {
				in.ReadByte()
			}
			return string(line), nil
		default:
			line = append(line, b)
		}
	}
}

func (g *gullible) mail(line string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.began++
	if strings.Contains(line, "evil") {
		g.evil = append(g.evil, line)
	}
}

func (g *gullible) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended++
}

// falseEnds are what has been taken for the end of a message somewhere.
var falseEnds = []string{
	"\n.\n", "\n.\r", "\n.\r\n", "\r\n.\n", "\r\n.\r", "\r.\r", "\r.\n", "\r.\r\n", "\n\n.\n\n", "\n\r.\n\r", "\r\r\n.\r\r\n", "\r\n.\r\r\n",
	"\x00\n.\n", "\n\x00.\n", "\n.\x00\n", "\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\x00\n.\r\x00\n", "\r\n.\r\x00\n", "\r\n..\r\n", "\r\n..\n", "\n..\n", "\r\n .\r\n", "\r\n. \r\n", "\r\n.\t\r\n", "\v.\v", "\x85.\x85",
}

// smuggled is what stands behind a false end, and must never be run.
const smuggled = "MAIL FROM:<evil@example.com>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\nevil\r\n"

// waysIn are how a message can come. Each returns what is sent behind RCPT.
var waysIn = map[string]struct {
	parameter string
	send      func(message string) string
}{
	"DATA": {"", func(m string) string {
		return "DATA\r\n" + strings.ReplaceAll("\r\n"+m, "\r\n.\r\n", "\r\n..\r\n")[2:] + ".\r\n"
	}},
	"BDAT": {"", func(m string) string { return fmt.Sprintf("BDAT %d LAST\r\n%s", len(m), m) }},
	"two BDAT": {"", func(m string) string {
		cut := strings.Index(m, ".") + 1
		return fmt.Sprintf("BDAT %d\r\n%sBDAT %d LAST\r\n%s", cut, m[:cut], len(m)-cut, m[cut:])
	}},
	"binary": {" BODY=BINARYMIME", func(m string) string { return fmt.Sprintf("BDAT %d LAST\r\n%s", len(m), m) }},
	"8-bit":  {" BODY=8BITMIME", func(m string) string { return fmt.Sprintf("BDAT %d LAST\r\n%s", len(m), m) }},
}

// TestNoMessageIsSmuggledThroughTheRelay sends every false end in every way, to a
// relay of each setting, in front of next hops that believe in all of them: what is
// taken arrives as one message, and nothing in it is run as a command.
func TestNoMessageIsSmuggledThroughTheRelay(t *testing.T) {
	for _, setting := range []string{"reject", "normalize"} {
		for name, offers := range map[string][]string{
			"by DATA": {"PIPELINING"},
			"by BDAT": {"PIPELINING", "CHUNKING", "BINARYMIME"},
			"bare":    {"HELP"},
		} {
			t.Run(setting+" "+name, func(t *testing.T) {
				t.Parallel()
				g := &gullible{offers: offers}
				hop := nonsense(t, g.serve)
				d := startDaemon(t, folder(t), fmt.Sprintf("next_hop = \"smtp://%s\"\n[smtp]\nbare_newline = %q\nmax_errors = 0\n", hop, setting))
				want := 0
				for _, end := range falseEnds {
					taken := smuggle(t, d.address(), end)
					if name != "by BDAT" {
						delete(taken, "binary") // it cannot go on, and nobody is to be told
					}
					want += len(taken)
				}
				until(t, "an empty queue", func() bool { return strings.TrimSpace(d.weir("queue", "list", "--json")) == "" })
				g.mu.Lock()
				defer g.mu.Unlock()
				if len(g.evil) > 0 || len(g.strange) > 0 {
					t.Errorf("run as commands: %q %q", g.evil, g.strange)
				}
				if g.began != want || g.ended != want || want < 20 {
					t.Errorf("%d messages were taken to go on; %d began at the next hop, and %d ended", want, g.began, g.ended)
				}
			})
		}
	}
}

// smuggle sends a message with a false end in every way, and returns those in which
// the relay took it.
func smuggle(t *testing.T, address, end string) (taken map[string]bool) {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(nc)
	taken = map[string]bool{}
	for name, way := range waysIn {
		message := "Subject: x\r\n\r\na" + end + smuggled
		io.WriteString(nc, "EHLO client.test\r\nMAIL FROM:<>"+way.parameter+"\r\nRCPT TO:<bob@example.net>\r\n"+way.send(message)+"NOOP the end\r\nEXPN mark\r\n")
		for last := ""; !strings.HasPrefix(last, "502 "); {
			if last, err = in.ReadString('\n'); err != nil {
				t.Fatalf("%q: %v", end, err)
			}
			if strings.Contains(last, "queued as") {
				taken[name] = true
			}
		}
	}
	io.WriteString(nc, "QUIT\r\n")
	return taken
}
