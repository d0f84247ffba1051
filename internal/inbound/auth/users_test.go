package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/weirmail/weir/smtp"
)

func printOf(raw []byte) string {
	h := sha256.Sum256(raw)
	return hex.EncodeToString(h[:])
}

func TestPasswordsAreHashedAndChecked(t *testing.T) {
	u := &User{Name: "bob"}
	if err := u.SetPassword("correct horse", true); err != nil {
		t.Fatal(err)
	}
	line := u.line()
	read, err := parseUser(line)
	if err != nil || read.line() != line || strings.Contains(line, "correct") {
		t.Fatalf("%q, read as %q, %v", line, read.line(), err)
	}
	if !slices.Equal(read.Schemes(), []string{"argon2id", "scram-sha-256"}) {
		t.Errorf("schemes %v", read.Schemes())
	}
	for password, want := range map[string]bool{"correct horse": true, "correct  horse": false, "": false} {
		if read.password.verify(password) != want || read.scram.verify(password) != want {
			t.Errorf("%q is right: want %v", password, want)
		}
	}
	other := &User{Name: "bob"}
	if err := other.SetPassword("correct horse", false); err != nil || other.scram != nil {
		t.Errorf("%v, %v", other.scram, err)
	}
	if other.password.String() == u.password.String() {
		t.Error("the same password has the same hash twice: there is no salt")
	}
	for _, bad := range []string{"", strings.Repeat("x", 1025), "a\x00b"} {
		if (&User{}).SetPassword(bad, true) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestBcryptIsRead(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	u, err := parseUser("bob password=" + string(hash))
	if err != nil || !u.password.verify("secret") || u.password.verify("Secret") || !slices.Equal(u.Schemes(), []string{"bcrypt"}) {
		t.Errorf("%v, %v", u, err)
	}
}

// TestKnownSCRAMVerifier: the keys of the example in RFC 7677 section 3.
func TestKnownSCRAMVerifier(t *testing.T) {
	v, err := parseSCRAM("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")
	if err != nil || !v.verify("pencil") || v.verify("Pencil") {
		t.Errorf("%v", err)
	}
}

func TestUsersFile(t *testing.T) {
	good := "# a comment\n\nAda@Example.org senders=SELF,@Example.com password=" + quick("a", "x", false).password.String() + "\n  bob disabled\neve senders= scram=" + quick("a", "x", true).scram.String()
	us, err := ParseUsers([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if names := us.All(); len(names) != 3 || names[0].Name != "ada@example.org" || !slices.Equal(names[0].Senders, Senders{"self", "@example.com"}) || !us.Get("bob").Disabled || us.Get("bob").Senders != nil || us.Get("eve").Senders == nil {
		t.Errorf("%+v", names)
	}
	again, err := ParseUsers(us.Format())
	if err != nil || string(again.Format()) != string(us.Format()) || !strings.HasPrefix(string(us.Format()), "# a comment\n\nada@") {
		t.Errorf("%v\n%s", err, us.Format())
	}
	for line, want := range map[string]string{
		"a\nb\na":             "line 3: there is an account of that name already",
		"a\nA":                "line 2: there is an account",
		"a color=red":         "line 1: a field is one of",
		"a senders=nobody":    `line 1: "nobody" is no sender`,
		"a disabled disabled": "is there twice",
		"a password=secret":   "a verifier begins with",
		"a password=$argon2id$v=19$m=999999999,t=1,p=1$MTIzNDU2Nzg$MTIzNDU2Nzg5MDEyMzQ1Ng": "takes too much",
		"a password=$argon2id$v=19$m=0,t=1,p=1$MTIzNDU2Nzg$MTIzNDU2Nzg5MDEyMzQ1Ng":         "no number",
		"a password=$argon2id$v=19$m=8,t=1,p=1$MTIz$MTIz":                                  "octets",
		"a password=$2y$31$" + strings.Repeat("a", 53):                                     "takes too much",
		"a password=$2y$10$short":                                                          "not whole",
		"a scram=SCRAM-SHA-256$1:x$y:z":                                                    "iterations",
		"a password=" + quick("a", "x", true).scram.String():                               "stands in the field scram",
		"a\x01b": "characters",
	} {
		if _, err := ParseUsers([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		} else if strings.Contains(err.Error(), "password=secret") {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
}

func TestSenders(t *testing.T) {
	senders, err := ParseSenders([]string{"Ada@Example.org", "@example.com", "@.example.net", "self", "self"})
	if err != nil || len(senders) != 4 {
		t.Fatalf("%v, %v", senders, err)
	}
	for address, want := range map[string]bool{
		"ada@example.org": true, "ADA@EXAMPLE.ORG": true, "x@example.com": true, "x@a.example.net": true, "x@b.a.example.net": true, "me@self.test": true,
		"eve@example.org": false, "x@a.example.com": false, "x@example.net": false, "x@notexample.com": false, "x@aexample.net": false, "<>": false,
	} {
		path, err := smtp.ParseAddress(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := senders.Allow("me@self.test", path); got != want {
			t.Errorf("%s: %v", address, got)
		}
		if !(Senders{AnySender}).Allow("x", path) || (Senders{}).Allow("x", path) {
			t.Errorf("%s: all or none", address)
		}
	}
	if !(Senders{NullSender}).Allow("x", smtp.Path{}) {
		t.Error("the null reverse-path is not allowed")
	}
	if got := (Senders{"self", "@a.test", "b@b.test", "@c.test", "@d.test", "@e.test", "@f.test"}).Describe("me@x.test"); got != "me@x.test @a.test b@b.test @c.test @d.test and 2 more" {
		t.Error(got)
	}
	if got := (Senders{"self"}).Describe("me"); got != "no reverse-path" {
		t.Error(got)
	}
	for _, bad := range []string{"", "x", "@", "@.", "a b@example.org", "a@b@c", "@exa mple.org", "**"} {
		if _, err := ParseSenders([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestNamesArePrepared(t *testing.T) {
	for name, want := range map[string]string{"Bob": "bob", "zoe\u0308": "zoë", "a\u00adb": "ab", "": "", " ": "", "a b": "", "a\x00": "", "a\xff": "", strings.Repeat("x", 256): "", "a\n": ""} {
		got, err := PrepareName(name)
		if got != want && err == nil || (want == "") != (err != nil) {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

// TestTheFileIsReadAnewWhenItHasChanged, and one that cannot be taken changes nothing.
func TestTheFileIsReadAnewWhenItHasChanged(t *testing.T) {
	w := newWorld(t, nil, quick("bob", "old", false))
	check := func(password string, want bool) {
		t.Helper()
		_, err := w.file.Check(t.Context(), Credentials{Name: "bob", Password: password})
		if (err == nil) != want {
			t.Errorf("%s: %v", password, err)
		}
	}
	check("old", true)
	w.write(quick("bob", "renewed", false))
	w.pass(2 * time.Second)
	check("old", false)
	check("renewed", true)
	w.writeText("bob what=ever")
	for range 3 {
		w.pass(2 * time.Second)
		check("renewed", true)
	}
	if len(w.reports) != 1 || !strings.Contains(w.reports[0].Error(), "line 1") {
		t.Errorf("reported %v", w.reports)
	}
	if err := os.Remove(w.path); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.pass(2 * time.Second)
		check("renewed", true)
	}
	if len(w.reports) != 2 {
		t.Errorf("reported %v", w.reports)
	}
	w.write(quick("bob", "third", false))
	w.pass(2 * time.Second)
	check("third", true)
}

func TestAFileThatOthersCanReadIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	for _, mode := range []os.FileMode{0o644, 0o640, 0o620, 0o604} {
		if err := os.WriteFile(path, []byte("bob\n"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := OpenUserFile(UserFileOptions{Path: path, Hasher: NewHasher(1, 0)})
		if err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("%o: %v", mode, err)
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenUserFile(UserFileOptions{Path: path, Hasher: NewHasher(1, 0)}); err != nil {
		t.Error(err)
	}
	if _, err := OpenUserFile(UserFileOptions{Path: t.TempDir(), Hasher: NewHasher(1, 0)}); err == nil {
		t.Error("a folder is taken")
	}
}

// TestEditsDoNotLoseEachOther: many at once are all there in the end.
func TestEditsDoNotLoseEachOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			err := EditUsers(path, func(us *Users) error { return us.Add(&User{Name: fmt.Sprint("user", i)}) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	us, err := ReadUsers(path)
	if err != nil || len(us.All()) != 20 {
		t.Fatalf("%v, %v", us, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := EditUsers(path, func(us *Users) error { return us.Remove("nobody") }); err != ErrNoUser {
		t.Errorf("%v", err)
	}
	if err := EditUsers(path, func(us *Users) error { return us.Remove("user7") }); err != nil {
		t.Error(err)
	}
	if us, err = ReadUsers(path); err != nil || us.Get("user7") != nil || len(us.All()) != 19 {
		t.Errorf("%v, %v", us, err)
	}
	left, _ := filepath.Glob(path + ".new*")
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
