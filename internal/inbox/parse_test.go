package inbox

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAddressesAreReadAsPeopleWriteThem(t *testing.T) {
	for s, want := range map[string][]address{
		"":                                nil,
		",, ,":                            nil,
		"ada@example.org":                 {{"", "ada@example.org"}},
		"<ada@example.org>":               {{"", "ada@example.org"}},
		"Ada <ada@example.org>, b@c.d":    {{"Ada", "ada@example.org"}, {"", "b@c.d"}},
		`"Lovelace, Ada" <ada@e.org>`:     {{"Lovelace, Ada", "ada@e.org"}},
		`"a\"b\\c" <ada@e.org>`:           {{`a"b\c`, "ada@e.org"}},
		"ada@e.org (Ada, of London)":      {{"Ada, of London", "ada@e.org"}},
		"=?utf-8?Q?A=2Cda?= <ada@e.org>":  {{"A,da", "ada@e.org"}},
		"Friends: a@b.c, d@e.f; g@h.i":    {{"", "a@b.c"}, {"", "d@e.f"}, {"", "g@h.i"}},
		"undisclosed-recipients:;":        nil,
		`"very odd, yes"@example.org`:     {{"", `"very odd, yes"@example.org`}},
		"Ada <ada@e.org":                  {{"Ada", "ada@e.org"}},
		"Grün <grün@example.org>":         {{"Grün", "grün@example.org"}},
		"<a@[IPv6:2001:db8::1]>, b@c.d":   {{"", "a@[IPv6:2001:db8::1]"}, {"", "b@c.d"}},
		"(only a comment)":                {{"only a comment", ""}},
		"nested (a (b) c) <ada@e.org>, x": {{"nested", "ada@e.org"}, {"", "x"}},
	} {
		if diff := cmp.Diff(want, parseAddresses(s)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s, diff)
		}
	}
}

func TestDatesAreReadOrReplaced(t *testing.T) {
	for s, want := range map[string]string{
		"Tue, 3 Mar 2026 09:30:00 +0100":       "2026-03-03T08:30:00Z",
		"3 Mar 2026 09:30 -0000":               "2026-03-03T09:30:00Z",
		"Tue,  3  Mar 2026 09:30:00 GMT (UTC)": "2026-03-03T09:30:00Z",
		"yesterday":                            "2026-03-03T09:20:30Z",
		"":                                     "2026-03-03T09:20:30Z",
	} {
		if got := parseDate(s, epoch).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

func TestFileNamesLeadNowhere(t *testing.T) {
	for name, want := range map[string]string{
		"invoice.pdf":          "invoice.pdf",
		"../../etc/passwd":     "passwd",
		`C:\windows\cmd.exe`:   "cmd.exe",
		"..":                   "",
		"/":                    "",
		"":                     "",
		" .hidden ":            "hidden",
		"a\r\nSet-Cookie: x":   "aSet-Cookie- x",
		"gnp.\u202egpj.exe":    "gnp.gpj.exe",
		"\x00a":                "a",
		"übersicht 2026 €.csv": "übersicht 2026 €.csv",
	} {
		if got := safeName(name); got != strings.ReplaceAll(want, "- x", ": x") {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := safeName(strings.Repeat("€", 100)); len(got) > 200 || !strings.HasSuffix(got, "€") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

// outline writes a document for the tests to compare.
func outline(d *document) string {
	var b strings.Builder
	for _, p := range d.parts {
		text, problem := p.text(40)
		fmt.Fprintf(&b, "%s %q %q %s\n", p.mediaType, p.filename, text, problem)
	}
	for _, p := range d.problems {
		fmt.Fprintf(&b, "! %s\n", p)
	}
	return b.String()
}

func TestMessagesAreTakenApart(t *testing.T) {
	for _, test := range []struct{ name, raw, want string }{
		{"empty", "", "text/plain \"\" \"\" \n"},
		{"no body", "Subject: x\r\n", "text/plain \"\" \"\" \n"},
		{"no header", "\r\nbody\r\n", "text/plain \"\" \"body\\r\\n\" \n"},
		{"bare LF", "Content-Type: text/html\n\nx\n", "text/html \"\" \"x\\n\" \n"},
		{"folded", "Content-Type: text/plain;\r\n charset=iso-8859-1\r\n\r\n\xfc", "text/plain \"\" \"ü\" \n"},
		{"not UTF-8", "\r\n\x93x\x94", "text/plain \"\" \"“x”\" \n"},
		{"declared UTF-8", "Content-Type: text/plain; charset=utf-8\r\n\r\n\xfc", "text/plain \"\" \"ü\" \n"},
		{"unknown charset", "Content-Type: text/plain; charset=klingon\r\n\r\nx", "text/plain \"\" \"x\" A part is written in a charset that nobody knows.\n"},
		{"unknown encoding", "Content-Transfer-Encoding: rot13\r\n\r\nx", "text/plain \"\" \"x\" A part has a transfer encoding that nobody knows.\n"},
		{"damaged base64", "Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8gd29ybGQh!!\r\n", "text/plain \"\" \"Hello world!\" The encoding of a part is damaged; what is behind the damage is not shown.\n"},
		{"no type", "Content-Type: text\r\n\r\nx", "text/plain \"\" \"x\" \n! A Content-Type cannot be read: “text”\n"},
		{"no boundary", "Content-Type: multipart/mixed\r\n\r\nx", "text/plain \"\" \"x\" \n! A multipart has no usable boundary; it is shown as text.\n"},
		{"no part", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--c\r\n", "text/plain \"\" \"--c\\r\\n\" \n! A multipart has no part; it is shown as text.\n"},
		{
			"boundary with more behind it", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b \t\r\n\r\n1\r\n--bb\r\n--b\r\n\r\n2\r\n--b--\r\nepilogue",
			"text/plain \"\" \"1\\r\\n--bb\" \ntext/plain \"\" \"2\" \n",
		},
		{"cut off", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n1", "text/plain \"\" \"1\" \n! A multipart does not end with its boundary; the message may be cut off.\n"},
		{"empty part", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b--", "text/plain \"\" \"\" \n"},
		{"encoded file name", "Content-Disposition: attachment; filename=\"=?utf-8?Q?=C3=BC=2Etxt?=\"\r\n\r\nx", "text/plain \"ü.txt\" \"x\" \n"},
	} {
		if diff := cmp.Diff(test.want, outline(parse([]byte(test.raw)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestMessagesAreBounded(t *testing.T) {
	deep := strings.Builder{}
	for i := range 50 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	for name, raw := range map[string]string{
		"nested too deep":     deep.String(),
		"too many parts":      "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\n", 2*maxParts),
		"too many fields":     strings.Repeat("A: b\r\n", 2*maxFields) + "\r\nbody",
		"no usable boundary":  "Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", maxBoundary+1) + "\r\n\r\n",
		"A line of the heade": strings.Repeat("junk\r\n", 100),
	} {
		d := parse([]byte(raw))
		if len(d.parts) > maxParts || len(d.header) > maxFields || len(d.problems) > maxProblems {
			t.Errorf("%s: %d parts, %d fields, %d problems", name, len(d.parts), len(d.header), len(d.problems))
		}
		if all := strings.Join(d.problems, "\n"); !strings.Contains(all, name) {
			t.Errorf("%s is not told: %s", name, all)
		}
	}
}

func TestLinksAreFound(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		"no link":                           "no link",
		"see https://a.example/x?y=1.":      "see [https://a.example/x?y=1].",
		"(http://a.example), <https://b/c>": "([http://a.example]), <[https://b/c]>",
		"https:// and http://":              "[https://] and [http://]",
		"javascript:alert(1)":               "javascript:alert(1)",
		"https://a.example/\u00fc\nx":       "[https://a.example/ü]\nx",
	} {
		var got strings.Builder
		for _, p := range findLinks(text) {
			if p.Link {
				got.WriteString("[" + p.Text + "]")
			} else {
				got.WriteString(p.Text)
			}
		}
		if got.String() != want {
			t.Errorf("%q: %q, want %q", text, got.String(), want)
		}
	}
}

func TestSizesAreShort(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 10240: "10 KiB", 5 << 20: "5.0 MiB", 3 << 40: "3072 GiB"} {
		if got := sizeText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// FuzzMessage takes whatever comes through all that looks at a message.
func FuzzMessage(f *testing.F) {
	for _, name := range []string{"confirm", "invoice", "broken"} {
		f.Add(sample(f, name))
	}
	f.Add([]byte("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n----\r\n"))
	f.Add([]byte("Content-Type: multipart/x; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/x; boundary=a\r\n\r\n--a\r\n\r\n--a--"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		in := newInbox(Options{})
		m := in.add(envelope{}, raw)
		d := parse(raw)
		if len(d.parts) == 0 || len(d.parts) > maxParts {
			t.Fatalf("%d parts", len(d.parts))
		}
		for i, p := range d.parts {
			if !bytes.Contains(raw, p.body) {
				t.Fatalf("part %d is not from the message", i)
			}
			if name := p.name(i + 1); strings.ContainsAny(name, "/\\\r\n\x00") || name == "" || name == ".." {
				t.Fatalf("file name %q", name)
			}
		}
		for _, view := range []string{"", "text", "headers", "envelope", "parts", "raw"} {
			var b bytes.Buffer
			if err := templates.ExecuteTemplate(&b, "message.html", in.viewMessage(m, view, "")); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzHTML(f *testing.F) {
	for _, s := range hostileHTML {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		page := renderHTML(source, &document{}).page
		htmlText(source)
		checkInert(t, page)
	})
}

func FuzzAddresses(f *testing.F) {
	f.Add(`"a\"" <b@c>, d (e (f)) : g; <`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range parseAddresses(s) {
			if a == (address{}) {
				t.Fatal("an address that is none")
			}
		}
		parseQuery(s)
		parseDate(s, epoch)
	})
}
