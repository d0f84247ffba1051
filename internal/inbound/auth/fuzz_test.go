package auth

import (
	"bytes"
	"testing"
)

func FuzzUsers(f *testing.F) {
	for _, u := range []*User{quick("bob", "x", true), {Name: "eve", Disabled: true, Senders: Senders{"@example.org", "self"}}} {
		f.Add([]byte(u.line()))
	}
	f.Add([]byte("# x\n\na senders=\r\nb\tpassword=$2y$04$" + "abcdefghijklmnopqrstuuKj1tn0a1k1cO1fN5dYbnI1Ri5fv5V2e" + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		us, err := ParseUsers(text)
		if err != nil {
			return
		}
		again, err := ParseUsers(us.Format())
		if err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, us.Format())
		}
		if !bytes.Equal(again.Format(), us.Format()) {
			t.Errorf("written\n%s\nand then\n%s", us.Format(), again.Format())
		}
	})
}

// fuzzExchange holds what an exchange must be whatever a client sends: it does not
// panic, comes to an end, and never makes somebody of a client that has no secret.
func fuzzExchange(f *testing.F, mechanism string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s), []byte("second"), []byte{})
		f.Add([]byte(""), []byte(s), []byte(s))
	}
	w := newWorld(f, func(o *Options) { o.Tokens = tokens{fail: denied("", "no")} }, quick("bob", "a password that no input has, 7fK2!", true))
	f.Fuzz(func(t *testing.T, one, two, three []byte) {
		e := w.Begin(t.Context(), mechanism, private)
		for _, response := range [][]byte{one, two, three, {}} {
			challenge, done, err := e.Next(response)
			if done {
				t.Fatalf("somebody: %+v", e.Identity())
			}
			if err != nil {
				if kindOf(err) == 0 {
					t.Errorf("an error of no kind: %v", err)
				}
				return
			}
			if len(challenge) > 1000+len(one)+len(two)+len(three) {
				t.Errorf("a challenge of %d octets", len(challenge))
			}
		}
		t.Error("the exchange does not end")
	})
}

func FuzzPLAIN(f *testing.F) { fuzzExchange(f, PLAIN, "\x00bob\x00secret", "a\x00b\x00c", "\x00\x00") }

func FuzzLOGIN(f *testing.F) { fuzzExchange(f, LOGIN, "bob", "") }

func FuzzSCRAM(f *testing.F) {
	fuzzExchange(f, SCRAMSHA256, "n,,n=bob,r=nonce", "y,a=x,n=bob,r=", "p=tls-exporter,,n=bob,r=x", "c=biws,r=nonce,p=AAAA", "n,,m=x,n=bob,r=n", "n,,n==2C=3D,r=x,y=z")
}

func FuzzOAUTHBEARER(f *testing.F) {
	fuzzExchange(f, OAUTHBEARER, "n,a=bob,\x01host=h\x01port=25\x01auth=Bearer x\x01\x01", "n,,\x01\x01", "\x01")
}

func FuzzXOAUTH2(f *testing.F) {
	fuzzExchange(f, XOAUTH2, "user=bob\x01auth=Bearer x\x01\x01", "user=\x01\x01")
}
