package dkim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
)

func pemOf(t *testing.T, kind string, der []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeysAreReadAsTheyAreWritten(t *testing.T) {
	digest := sha256.Sum256([]byte("x"))
	for _, a := range []Algorithm{RSA, Ed25519} {
		made, err := Generate(a)
		if err != nil {
			t.Fatal(err)
		}
		text, err := made.PEM()
		if err != nil {
			t.Fatal(err)
		}
		k, err := ParseKey(append([]byte("Bag Attributes\n"), text...))
		if err != nil || k.Algorithm() != a {
			t.Fatal(k, err)
		}
		b, err := k.Sign(digest[:])
		if err != nil {
			t.Fatal(err)
		}
		switch a {
		case RSA:
			err = rsa.VerifyPKCS1v15(&made.rsa.PublicKey, crypto.SHA256, digest[:], b)
		case Ed25519:
			if !ed25519.Verify(made.ed25519.Public().(ed25519.PublicKey), digest[:], b) {
				err = fmt.Errorf("it does not verify")
			}
		}
		if err != nil {
			t.Errorf("%s: %v", a, err)
		}
		for _, shown := range []string{k.String(), fmt.Sprintf("%v %+v %#v", k, k, k)} {
			if len(shown) > 60 || !strings.HasPrefix(shown, "RSA with 2048 bits") && !strings.HasPrefix(shown, "Ed25519") {
				t.Errorf("it shows %q", shown)
			}
		}
	}
	if _, err := Generate("dsa"); err == nil {
		t.Error("a key of a kind that there is not")
	}
}

func TestKeysOfOtherProgramsAreRead(t *testing.T) {
	k := rsaKey(t, 2048)
	if got, err := ParseKey([]byte(pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k), nil))); err != nil || got.Bits() != 2048 {
		t.Errorf("PKCS#1: %v, %v", got, err)
	}
}

func TestKeysThatCannotSign(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	short := rsaKey(t, 1024)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	curveDER, err := x509.MarshalECPrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	curve8, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&short.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, text, want string }{
		{"nothing", " \n", "the file is empty"},
		{"something else", "hello", "there is no private key in PEM in it (-----BEGIN PRIVATE KEY-----)"},
		{"a certificate", pemOf(t, "CERTIFICATE", []byte("x"), nil), "there is no private key in PEM in it (-----BEGIN PRIVATE KEY-----)"},
		{"the public half", pemOf(t, "PUBLIC KEY", public, nil), "it is a public key: to sign takes the private one"},
		{"encrypted", pemOf(t, "ENCRYPTED PRIVATE KEY", []byte("x"), nil), "the key is encrypted by a password, which Weir does not ask for: write it without, and let nobody else read the file"},
		{"encrypted as of old", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "the key is encrypted by a password, which Weir does not ask for: write it without, and let nobody else read the file"},
		{"broken", pemOf(t, "PRIVATE KEY", []byte("x"), nil), "the key in it is broken, or of a kind that is not known"},
		{"broken RSA", pemOf(t, "RSA PRIVATE KEY", []byte("x"), nil), "the RSA key in it is broken"},
		{"another kind", pemOf(t, "EC PRIVATE KEY", curveDER, nil), `a key of the kind "EC PRIVATE KEY" cannot sign mail: make one by "weir dkim generate"`},
		{"another kind in PKCS#8", pemOf(t, "PRIVATE KEY", curve8, nil), "a key of this kind cannot sign mail: DKIM has RSA and Ed25519"},
		{"too short", pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(short), nil), `the RSA key has 1024 bits, and receivers want at least 2048 (RFC 8301): make a new one by "weir dkim generate"`},
	} {
		if k, err := ParseKey([]byte(test.text)); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, %v", test.name, k, err)
		}
	}
}

func TestRecordsAndTheirKeys(t *testing.T) {
	k, err := Generate(RSA)
	if err != nil {
		t.Fatal(err)
	}
	ed, err := Generate(Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	record, edRecord, other := recordOf(t, k), recordOf(t, ed), recordOf(t, mustGenerate(t, RSA))
	p := record[strings.Index(record, "p=")+2:]
	for _, test := range []struct {
		name  string
		key   *Key
		texts []string
		want  []string // the beginnings of the sentences
	}{
		{"its own", k, []string{record}, nil},
		{"its own of Ed25519", ed, []string{edRecord}, nil},
		{"without the tags that may be missing", k, []string{"p=" + p}, nil},
		{"with blanks and tags that nobody knows", k, []string{"v=DKIM1 ; x=y; n=a note;\tp = " + p[:50] + " \t" + p[50:] + " ;"}, nil},
		{"for mail alone", k, []string{record + "; s=email; h=sha256:sha1; t=s"}, nil},
		{"none", k, nil, []string{"There is no record."}},
		{"none of a key", k, []string{"v=spf1 -all"}, []string{`The record cannot be used: it is not the record of a DKIM key: it begins with v=spf1 -all`}},
		{"no tags", k, []string{"hello"}, []string{`The record cannot be used: it is not the record of a DKIM key: "hello" is no tag.`}},
		{"a tag twice", k, []string{"p=; p="}, []string{`The record cannot be used: it is not the record of a DKIM key: the tag "p"= stands twice.`}},
		{"of another key", k, []string{other}, []string{"The record holds another key than the file."}},
		{"of another kind", ed, []string{record}, []string{"The record is of a key of another kind: it says k=rsa, and the file holds one of k=ed25519."}},
		{"of a kind that nobody knows", k, []string{"k=dsa; p=AAAA"}, []string{"The record is of a key of another kind: it says k=\"dsa\""}},
		{"revoked", k, []string{"v=DKIM1; p="}, []string{"The key was revoked: p= is empty."}},
		{"without a key", k, []string{"v=DKIM1; k=rsa"}, []string{"The record cannot be used: the tag p= is missing"}},
		{"testing", k, []string{record + "; t=y:s"}, []string{"The record says that the domain is testing (t=y)"}},
		{"testing, and of another key", k, []string{other + "; t=y"}, []string{"The record holds another key", "The record says that the domain is testing"}},
		{"cut off in the middle of base64", k, []string{record[:len(record)-3]}, []string{"The record cannot be used: the key behind p= is not in base64, or is cut off."}},
		{"cut off at a quantum", k, []string{record[:len(record)-40]}, []string{"The record cannot be used: the key behind p= is broken. It was probably cut off"}},
		{"Ed25519 with the wrapping of OpenSSL", ed, []string{"v=DKIM1; k=ed25519; p=MCowBQYDK2VwAyEA" + edRecord[strings.Index(edRecord, "p=")+2:]}, []string{"The key behind p= has 44 octets, and one of Ed25519 has 32."}},
		{"too short", k, []string{recordOf(t, &Key{algorithm: RSA, rsa: rsaKey(t, 1024)})}, []string{"The key in the record has 1024 bits"}},
		{"not for SHA-256", k, []string{record + "; h=sha1"}, []string{"The record does not allow SHA-256 (h=sha1)"}},
		{"not for mail", k, []string{record + "; s=tlsrpt"}, []string{"The record is not for mail (s=tlsrpt)"}},
		{"two", k, []string{record, other}, []string{"There are 2 records, and receivers may take any one of them"}},
		{"one beside another text", k, []string{"v=spf1 -all", record}, []string{"There are 2 records, of which only one is of a key."}},
	} {
		got := Compare(test.key, test.texts)
		if len(got) != len(test.want) {
			t.Errorf("%s: %q", test.name, got)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], strings.ReplaceAll(test.want[i], "v=spf1 -all", `v="spf1 -all"`)) || !strings.HasSuffix(got[i], ".") {
				t.Errorf("%s: %q, not %q", test.name, got[i], test.want[i])
			}
		}
	}
}

func mustGenerate(t *testing.T, a Algorithm) *Key {
	t.Helper()
	k, err := Generate(a)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func recordOf(t *testing.T, k *Key) string {
	t.Helper()
	record, err := k.Record()
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestRecordsInTheZone(t *testing.T) {
	if got := Zone("s._domainkey.example.org", "v=DKIM1; p=AAAA"); got != `s._domainkey.example.org. IN TXT "v=DKIM1; p=AAAA"` {
		t.Errorf("%s", got)
	}
	long := strings.Repeat("a", 255) + strings.Repeat("b", 255) + "c"
	if got := Zone("n", long); got != `n. IN TXT ( "`+strings.Repeat("a", 255)+"\"\n\t\""+strings.Repeat("b", 255)+"\"\n\t\"c\" )" {
		t.Errorf("%s", got)
	}
	if got := strings.Join(Strings(long), ""); got != long {
		t.Errorf("%s", got)
	}
}

// FuzzRecord: whatever the DNS has, it is read or refused, and what is said of it is
// short and of visible characters.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{"v=DKIM1; k=rsa; p=AAAA", "p=", "v=DKIM2", ";;=", "k=ed25519; p=AAAA; t=y:s; h=sha256; s=*"} {
		f.Add(s)
	}
	k := &Key{algorithm: Ed25519, ed25519: ed25519.NewKeyFromSeed(make([]byte, 32))}
	f.Fuzz(func(t *testing.T, text string) {
		for _, said := range Compare(k, []string{text}) {
			if len(said) > 400+4*len(text) || said == "" {
				t.Errorf("%q", said)
			}
		}
	})
}

// FuzzKey: a file is read or refused, and no error has anything of what stands in it
// as a key.
func FuzzKey(f *testing.F) {
	f.Add("PRIVATE KEY", "c2VjcmV0IHNlY3JldCBzZWNyZXQ=")
	f.Add("RSA PRIVATE KEY", "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu")
	f.Fuzz(func(t *testing.T, kind, text string) {
		k, err := ParseKey([]byte("-----BEGIN " + kind + "-----\n" + text + "\n-----END " + kind + "-----\n"))
		if (k == nil) == (err == nil) {
			t.Errorf("%v, %v", k, err)
		}
		if err != nil && len(text) > 30 && strings.Contains(err.Error(), text) {
			t.Errorf("%v", err)
		}
	})
}
