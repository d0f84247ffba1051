package traffic

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scripted is a connection whose input is known. It is read in pieces of a
// given size, so that every boundary falls everywhere.
type scripted struct {
	in    *strings.Reader
	piece int
	out   bytes.Buffer
}

func (c *scripted) Read(p []byte) (int, error) { return c.in.Read(p[:min(len(p), c.piece)]) }

func (c *scripted) Write(p []byte) (int, error) { return c.out.Write(p) }

var _ io.ReadWriter = (*scripted)(nil)

func TestTheSinkCountsMessages(t *testing.T) {
	const head = "Message-ID: <%@x>\r\n\r\n"
	first, second := strings.Replace(head, "%", "1", 1), strings.Replace(head, "%", "2", 1)
	for _, test := range []struct {
		name, in string
		want     Count // without the times
	}{
		{"nothing", "EHLO x\r\nQUIT\r\n", Count{}},
		{"one", "DATA\r\n" + first + "text\r\n.\r\nQUIT\r\n", Count{Messages: 1, Unique: 1, Bytes: int64(len(first) + 6)}},
		{"empty", "DATA\r\n.\r\n", Count{Messages: 1, Unique: 1}},
		{"dots that are no end", "DATA\r\n" + first + "..\r\n.x\r\n\n.\n\r\n.\r\n", Count{Messages: 1, Unique: 1, Bytes: int64(len(first) + 4 + 4 + 5)}},
		{"two", "DATA\r\n" + first + ".\r\nDATA\r\n" + second + ".\r\n", Count{Messages: 2, Unique: 2, Bytes: int64(2 * len(first))}},
		{"the same twice", "DATA\r\n" + first + ".\r\nDATA\r\n" + first + ".\r\n", Count{Messages: 2, Unique: 1, Bytes: int64(2 * len(first))}},
		{"in chunks", "BDAT 12\r\nMessage-ID: BDAT 4\r\n<a>\nBDAT 0 LAST\r\n", Count{Messages: 1, Unique: 1, Bytes: 16}},
		{"a chunk with a lone dot", "BDAT 5 LAST\r\n\r\n.\r\n", Count{Messages: 1, Unique: 1, Bytes: 5}},
		{"cut off", "DATA\r\n" + first, Count{}},
		{"a chunk cut off", "BDAT 5 LAST\r\nabc", Count{}},
		{"a chunk of nonsense", "BDAT x LAST\r\nDATA\r\n.\r\n", Count{}},
	} {
		for _, piece := range []int{1, 2, 3, 7, 1000} {
			c := &scripted{in: strings.NewReader(test.in), piece: piece}
			tally := newTally()
			newSinkSession(c, tally, make([]byte, 128)).run()
			got := tally.count
			got.First, got.Last = test.want.First, test.want.Last
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s, read by %d (-want +got):\n%s", test.name, piece, diff)
			}
		}
	}
}

func TestTheSinkAnswersAGroupAtOnce(t *testing.T) {
	c := &scripted{in: strings.NewReader("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n.\r\nVRFY x\r\nQUIT\r\n"), piece: 1000}
	newSinkSession(c, newTally(), make([]byte, 1000)).run()
	want := replyGreeting + replyHello + replyOK + replyOK + replyData + replyOK + replyUnknown + replyBye
	if diff := cmp.Diff(want, c.out.String()); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
}
