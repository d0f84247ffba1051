package tlsrpt

import (
	"fmt"
	"strings"
	"testing"
)

func TestFindRecord(t *testing.T) {
	for text, want := range map[string]string{
		"v=TLSRPTv1; rua=mailto:reports@example.com":                         "reports@example.com",
		"v=TLSRPTv1;rua=mailto:reports@example.com;":                         "reports@example.com",
		"v=TLSRPTv1 ; rua = mailto:a@example.com":                            "a@example.com",
		"v=TLSRPTv1; rua=https://reports.example.com/v1/tlsrpt?x=1":          "https://reports.example.com/v1/tlsrpt?x=1",
		"v=TLSRPTv1; rua=mailto:a@example.com, https://b.example/":           "a@example.com https://b.example/",
		"v=TLSRPTv1; other=1; rua=mailto:a@example.com; more":                "a@example.com",
		"v=TLSRPTv1; rua=mailto:a%2Bb@example.com?subject=x":                 "a+b@example.com",
		"v=TLSRPTv1; rua=http://a.example/,mailto:a@example.com":             "a@example.com",
		"v=TLSRPTv1; rua=mailto:a@example.com|v=spf1 -all|v=TLSRPTv2; rua=x": "a@example.com",
		"v=TLSRPTv1; rua=" + strings.Repeat("mailto:a@example.com,", 9):      "a@example.com a@example.com a@example.com a@example.com",
		"v=TLSRPTv1; rua=mailto:a@example.com; rua=mailto:b@example.com":     "a@example.com",
		"v=TLSRPTv1; rua=HTTPS://b.example/":                                 "https://b.example/",
	} {
		got, err := FindRecord(strings.Split(text, "|"))
		if s := strings.Trim(fmt.Sprint(got), "[]"); err != nil || s != want {
			t.Errorf("%q: %s, %v, want %s", text, s, err, want)
		}
	}
	for _, text := range []string{
		"", "v=TLSRPTv1", "v=TLSRPTv1;", "v=TLSRPTv10; rua=mailto:a@example.com", "v=TLSRPTv1; rua=", "v=TLSRPTv1; rua",
		"v=TLSRPTv1; rua=http://a.example/", "v=TLSRPTv1; rua=mailto:", "v=TLSRPTv1; rua=mailto:a", "v=TLSRPTv1; rua=mailto:a@b@c",
		"v=TLSRPTv1; rua=mailto:a%0d%0aBcc:b@example.com", "v=TLSRPTv1; rua=https:///x", "v=TLSRPTv1; rua=https://a:b@c.example/",
		"v=TLSRPTv1; rua=mailto:a@example.com|v=TLSRPTv1; rua=mailto:a@example.com", "rua=mailto:a@example.com; v=TLSRPTv1", "v=TLSRPTv1; rua=%",
	} {
		if got, err := FindRecord(strings.Split(text, "|")); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}

func FuzzFindRecord(f *testing.F) {
	f.Add("v=TLSRPTv1; rua=mailto:a@example.com, https://b.example/")
	f.Add("v=TLSRPTv1;")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := FindRecord([]string{text})
		if (err == nil) != (len(all) > 0) {
			t.Fatalf("%v, %v", all, err)
		}
		for _, d := range all {
			if d.URL == "" && (d.Mail.Domain == "" || strings.ContainsAny(d.Mail.Address(), "\r\n")) {
				t.Errorf("%q leads to %v", text, d)
			}
			if d.URL != "" && !strings.HasPrefix(d.URL, "https://") {
				t.Errorf("%q leads to %v", text, d)
			}
		}
	})
}
