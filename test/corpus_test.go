package test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
)

// sample is a message of the corpus, with CRLF at the end of its lines unless
// it is binary.
type sample struct {
	name    string
	content []byte
	// binary contents go by BDAT alone (RFC 3030).
	binary bool
	// utf8 is set where the header is beyond ASCII (RFC 6532).
	utf8 bool
}

func (s *sample) sum() [sha256.Size]byte { return sha256.Sum256(s.content) }

// corpus returns 200 messages: what mail looks like, and what breaks relays
// that do not keep their hands off.
func corpus() []sample {
	random := rand.New(rand.NewPCG(5321, 2026))
	samples := oddities()
	for len(samples) < 200 {
		samples = append(samples, ordinary(random, len(samples)))
	}
	return samples
}

// header is a header section that tells the messages apart.
func header(name, more string) string {
	return "From: Ada <ada@example.org>\r\nTo: Bob <bob@example.net>\r\n" +
		"Date: Tue, 24 Nov 2026 08:00:00 +0000\r\nMessage-ID: <" + name + "@example.org>\r\n" +
		"Subject: " + name + "\r\n" + more + "\r\n"
}

// oddities are messages that have broken relays before.
func oddities() []sample {
	text := func(name, more, body string) sample {
		return sample{name: name, content: []byte(header(name, more) + body)}
	}
	mime := "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
	all := make([]byte, 256*64)
	for i := range all {
		all[i] = byte(i + i/256)
	}
	random := rand.New(rand.NewPCG(1, 2))
	return []sample{
		text("empty body", "", ""),
		text("dots", "", ".\r\n..\r\n...\r\n.a\r\n..b\r\n.\r\n\r\n.\r\n"),
		text("dots at the end", "", "a\r\n."+"\r\n"),
		text("dot lines alone", "", strings.Repeat(".\r\n", 5000)),
		text("quoted end of data", "", "QUIT\r\n\r\n .\r\n. \r\n.\tx\r\n"),
		text("from line", "", "From here on it is quoted by some\r\n>From there too\r\n"),
		text("white space at the end of lines", "", "a \r\nb\t\r\n \r\n\t\r\n   \r\n"),
		text("blank lines at the end", "", "a\r\n\r\n\r\n\r\n"),
		text("line of 998", "", strings.Repeat("x", 998)+"\r\n"),
		text("line of 100000", "", strings.Repeat("y", 100_000)+"\r\nend\r\n"),
		text("line of 70000 that begins with a dot", "", "."+strings.Repeat("z", 70_000)+"\r\n"),
		text("folded header", "X-Folded: one\r\n two\r\n\tthree\r\nX-Empty:\r\nX-Odd : space\r\n", "a\r\n"),
		text("no header that makes sense", "this is not a field\r\n", "a\r\n"),
		text("many fields", strings.Repeat("X-Many: "+strings.Repeat("v", 60)+"\r\n", 2000), "a\r\n"),
		text("received lines", strings.Repeat("Received: from a by b; Tue, 24 Nov 2026 08:00:00 +0000\r\n", 50), "a\r\n"),
		text("eight bit", mime, "Grüße aus Köln, ça va, 日本語, Привет\r\n"),
		text("latin-1", "Content-Type: text/plain; charset=iso-8859-1\r\n", "Gr\xfc\xdfe \xff\xfe\x80\r\n"),
		text("tabs and controls", "", "a\tb\x01\x02\x1b[31m\x7f\x0c\r\n"),
		{name: "utf8 header", utf8: true, content: []byte("From: Jürgen <ada@example.org>\r\nSubject: Füße 日本\r\nMessage-ID: <u@example.org>\r\n\r\nä\r\n")},
		{name: "no header at all", content: []byte("\r\nonly a body\r\n")},
		{name: "begins with a dot", content: []byte(".Field: x\r\n\r\na\r\n")},
		{name: "binary with all octets", binary: true, content: append([]byte(header("binary", "Content-Transfer-Encoding: binary\r\n")), all...)},
		{name: "binary with bare newlines", binary: true, content: []byte(header("bare", "") + "a\nb\rc\n.\nd\r\n.\r\n")},
		{name: "binary without an end of line", binary: true, content: []byte(header("open", "") + "no end")},
		{name: "5 MiB of attachment", content: attachment(random, "5 MiB", 5<<20)},
		{name: "50 MiB of attachment", content: attachment(random, "50 MiB", 50<<20)},
		{name: "binary of 10 MiB", binary: true, content: noise(random, 10<<20)},
		{name: "255 KiB", content: attachment(random, "255 KiB", 255<<10)},
		{name: "256 KiB", content: attachment(random, "256 KiB", 256<<10)},
		{name: "257 KiB", content: attachment(random, "257 KiB", 257<<10)},
	}
}

// attachment is a message of exactly the given size, in base64's manner.
func attachment(random *rand.Rand, name string, size int) []byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	b := append(make([]byte, 0, size), header(name, "Content-Transfer-Encoding: base64\r\n")...)
	for column := 0; len(b) < size-2; column++ {
		switch {
		case column < 76 || len(b) > size-6:
			b = append(b, alphabet[random.IntN(64)])
		default:
			b = append(b, '\r', '\n')
			column = -1
		}
	}
	return append(b, '\r', '\n')
}

func noise(random *rand.Rand, size int) []byte {
	b := append(make([]byte, 0, size), header("noise", "")...)
	for len(b) < size {
		b = append(b, byte(random.Uint32()))
	}
	return b
}

// ordinary is a message such as people and programs send.
func ordinary(random *rand.Rand, n int) sample {
	var b bytes.Buffer
	name := fmt.Sprintf("ordinary %d", n)
	words := strings.Fields("the mail was taken and kept until next hop took it .hidden ..twice Straße naïve 東京 --boundary =3D From . QUIT")
	boundary := fmt.Sprintf("=_%x", random.Uint64())
	b.WriteString(header(name, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\""+boundary+"\"\r\n"))
	for range 1 + random.IntN(4) {
		b.WriteString("--" + boundary + "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n")
		for range random.IntN(200) {
			for range random.IntN(12) {
				b.WriteString(words[random.IntN(len(words))])
				if random.IntN(9) > 0 {
					b.WriteByte(' ')
				}
			}
			b.WriteString("\r\n")
		}
	}
	b.WriteString("--" + boundary + "--\r\n")
	return sample{name: name, content: b.Bytes()}
}
