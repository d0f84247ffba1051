package smtpclient

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtptest"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// giving returns what asks for a secret.
func giving(secret string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return secret, nil }
}

const (
	testPassword = "tr0ub4dor"
	testToken    = "ya29.token"
	// quitted is how a session ends that New does not hand out.
	quitted = "C: QUIT\nS: 221 bye\n"
	// behindTLS is the beginning of a session in which AUTH is offered.
	behindTLS = "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nstarttls\nC: EHLO *\nS: 250-mx\nS: 250-AUTH %s\nS: 250 HELP\n"
)

func bearerMessage() string { return b64("user=bob\x01auth=Bearer " + testToken + "\x01\x01") }

func oauthMessage() string { return b64("n,a=bob,\x01auth=Bearer " + testToken + "\x01\x01") }

// TestSignIn: what the client says to a server that offers mechanisms, and by which
// one it is in.
func TestSignIn(t *testing.T) {
	plain := "C: AUTH PLAIN " + b64("\x00bob\x00"+testPassword) + "\n"
	long := strings.Repeat("x", 2000)
	longMessage := b64("user=bob\x01auth=Bearer " + long + "\x01\x01")
	password, token := &Login{Username: "bob", Password: giving(testPassword)}, &Login{Username: "bob", Token: giving(testToken)}
	both := &Login{Username: "bob", Password: giving(testPassword), Token: giving(testToken)}
	for name, c := range map[string]struct {
		login         *Login
		offers        string
		script        string
		by            string
		fails, reason string // the error, and the word for it where the reply does not say it
	}{
		"PLAIN":                         {login: password, offers: "LOGIN PLAIN", script: plain + "S: 235 2.7.0 in\n", by: Plain},
		"the order is the client's":     {login: both, offers: "LOGIN PLAIN XOAUTH2 OAUTHBEARER", script: "C: AUTH OAUTHBEARER " + oauthMessage() + "\nS: 235 in\n", by: OAUTHBearer},
		"LOGIN":                         {login: password, offers: "CRAM-MD5 LOGIN", script: "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: " + b64("bob") + "\nS: 334 UGFzc3dvcmQ6\nC: " + b64(testPassword) + "\nS: 235 in\n", by: LoginMechanism},
		"LOGIN with empty challenges":   {login: password, offers: "LOGIN", script: "C: AUTH LOGIN\nS: 334\\x20\nC: " + b64("bob") + "\nS: 334\\x20\nC: " + b64(testPassword) + "\nS: 235 in\n", by: LoginMechanism},
		"EXTERNAL":                      {login: &Login{External: true, Password: giving(testPassword)}, offers: "PLAIN EXTERNAL", script: "C: AUTH EXTERNAL =\nS: 235 in\n", by: External},
		"EXTERNAL with a name":          {login: &Login{External: true, Username: "bob"}, offers: "EXTERNAL", script: "C: AUTH EXTERNAL " + b64("bob") + "\nS: 235 in\n", by: External},
		"XOAUTH2":                       {login: token, offers: "PLAIN XOAUTH2", script: "C: AUTH XOAUTH2 " + bearerMessage() + "\nS: 235 in\n", by: XOAUTH2},
		"a name in a GS2 header":        {login: &Login{Username: "a,b=c", Token: giving(testToken)}, offers: "OAUTHBEARER", script: "C: AUTH OAUTHBEARER " + b64("n,a=a=2Cb=3Dc,\x01auth=Bearer "+testToken+"\x01\x01") + "\nS: 235 in\n", by: OAUTHBearer},
		"restricted":                    {login: &Login{Username: "bob", Password: giving(testPassword), Mechanisms: []string{"login"}}, offers: "PLAIN LOGIN", script: "C: AUTH LOGIN\nS: 334 x\\x3d\\x3d\\x3d\nC: \\*\nS: 501 5.7.0 cancelled\n" + quitted, fails: "the challenge of the server is not base64", reason: "auth-failed"},
		"too long for a command line":   {login: &Login{Username: "bob", Token: giving(long)}, offers: "XOAUTH2", script: "C: AUTH XOAUTH2\nS: 334\\x20\nC: " + longMessage + "\nS: 235 in\n", by: XOAUTH2},
		"504 and the next":              {login: password, offers: "PLAIN LOGIN", script: plain + "S: 504 5.5.4 not this one\nC: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: " + b64("bob") + "\nS: 334 UGFzc3dvcmQ6\nC: " + b64(testPassword) + "\nS: 235 in\n", by: LoginMechanism},
		"534 and the next":              {login: both, offers: "PLAIN XOAUTH2", script: "C: AUTH XOAUTH2 *\nS: 534 5.7.9 too weak\n" + plain + "S: 235 in\n", by: Plain},
		"538 and the next":              {login: both, offers: "PLAIN XOAUTH2", script: "C: AUTH XOAUTH2 *\nS: 538 5.7.11 no\n" + plain + "S: 235 in\n", by: Plain},
		"432 and the next":              {login: both, offers: "PLAIN XOAUTH2", script: "C: AUTH XOAUTH2 *\nS: 432 4.7.12 transition\n" + plain + "S: 235 in\n", by: Plain},
		"432 of a limit":                {login: both, offers: "PLAIN XOAUTH2", script: "C: AUTH XOAUTH2 *\nS: 432 4.3.2 threads\n" + quitted, fails: "432 4.3.2 threads"},
		"all refused":                   {login: password, offers: "PLAIN LOGIN", script: plain + "S: 504 5.5.4 not this one\nC: AUTH LOGIN\nS: 504 5.5.4 nor this one\n" + quitted, fails: "AUTH LOGIN: 504 5.5.4 nor this one: cannot sign in: refused PLAIN, LOGIN"},
		"535 is the end":                {login: password, offers: "PLAIN LOGIN", script: plain + "S: 535 5.7.8 wrong\n" + quitted, fails: "AUTH PLAIN: 535 5.7.8 wrong"},
		"535 of another secret":         {login: both, offers: "PLAIN LOGIN XOAUTH2 OAUTHBEARER", script: "C: AUTH OAUTHBEARER *\nS: 535 5.7.8 old\n" + plain + "S: 235 in\n", by: Plain},
		"454 is the end for now":        {login: both, offers: "PLAIN XOAUTH2", script: "C: AUTH XOAUTH2 *\nS: 454 4.7.0 later\n" + quitted, fails: "454 4.7.0 later"},
		"421 is the end":                {login: password, offers: "PLAIN LOGIN", script: plain + "S: 421 4.3.2 bye\nclose\n", fails: "421 4.3.2 bye"},
		"the token's failure, OAUTH":    {login: token, offers: "OAUTHBEARER", script: "C: AUTH OAUTHBEARER *\nS: 334 " + b64(`{"status":"invalid_token"}`) + "\nC: AQ\\x3d\\x3d\nS: 535 5.7.8 no\n" + quitted, fails: `(the server says: {"status":"invalid_token"})`},
		"the token's failure, XOAUTH2":  {login: token, offers: "XOAUTH2", script: "C: AUTH XOAUTH2 *\nS: 334 " + b64(`{"status":"401"}`) + "\nC:\nS: 535 5.7.8 no\n" + quitted, fails: `(the server says: {"status":"401"})`},
		"the failure is forgotten":      {login: token, offers: "XOAUTH2", script: "C: AUTH XOAUTH2 *\nS: 334 " + b64(`{"status":"401"}`) + "\nC:\nS: 235 in\n" + quitted, fails: "accepts after it has refused", reason: "auth-failed"},
		"asked for more than there is":  {login: password, offers: "PLAIN", script: plain + "S: 334\\x20\nC: \\*\nS: 501 5.7.0 cancelled\n" + quitted, fails: "PLAIN: the server asks for more", reason: "auth-failed"},
		"in before the password":        {login: password, offers: "LOGIN", script: "C: AUTH LOGIN\nS: 235 in\n" + quitted, fails: "before its end", reason: "auth-failed"},
		"nothing in common":             {login: password, offers: "CRAM-MD5 XOAUTH2", script: quitted, fails: "the server offers CRAM-MD5, XOAUTH2, and none of them can be used with a password", reason: "auth-mechanism"},
		"the secret cannot be had":      {login: &Login{Password: func(context.Context) (string, error) { return "", errors.New("no such file") }}, offers: "PLAIN", script: quitted, fails: "getting the password: no such file", reason: "auth-failed"},
		"the secret is empty":           {login: &Login{Password: giving("")}, offers: "PLAIN", script: quitted, fails: "the password is empty", reason: "auth-failed"},
		"another reply that goes on":    {login: password, offers: "PLAIN", script: plain + "S: 354 go\ndrain\n", fails: `a reply that does not fit the command: "354 go"`},
		"the cancelling is not heard":   {login: password, offers: "PLAIN", script: plain + "S: 334\\x20\nC: \\*\nS: 235 in\ndrain\n", fails: `a reply that does not fit the command: "235 in"`},
		"the connection breaks":         {login: password, offers: "PLAIN", script: plain + "close\n", fails: "without a reply"},
		"a token that is more than one": {login: &Login{Token: giving("a\x01b")}, offers: "XOAUTH2", script: quitted, fails: "characters that no token has", reason: "auth-failed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				script := fmt.Sprintf(behindTLS, c.offers) + c.script
				if c.by != "" {
					script += quitted
				}
				server := smtptest.NewPipeServer(t, script)
				transcript := &Transcript{}
				client, err := New(t.Context(), server.Dial(), Options{TLS: TLSRequired, Login: c.login, Transcript: transcript})
				checkSignIn(t, client, err, c.by, c.fails, c.reason)
				noSecret(t, transcript.String())
				server.Wait()
			})
		})
	}
}

func checkSignIn(t *testing.T, client *Client, err error, by, fails, reason string) {
	t.Helper()
	if by != "" {
		if err != nil {
			t.Fatal(err)
		}
		if client.Mechanism() != by {
			t.Errorf("signed in by %q, want %q", client.Mechanism(), by)
		}
		if err := client.Quit(t.Context()); err != nil {
			t.Error(err)
		}
		return
	}
	var e *Error
	if !errors.As(err, &e) || e.Stage != smtp.StageAUTH || !e.Closed || !strings.Contains(err.Error(), fails) {
		t.Fatalf("%v, want %q", err, fails)
	}
	var cause *AuthError
	if reason != "" && (!errors.As(err, &cause) || cause.Reason() != reason || !e.Reply.IsZero()) {
		t.Errorf("%+v, want the reason %s and no reply", cause, reason)
	}
	noSecret(t, err.Error())
}

// noSecret looks for secrets as they are and in base64.
func noSecret(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{testPassword, testToken, b64("\x00bob\x00" + testPassword), b64(testPassword), bearerMessage(), oauthMessage()} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret in:\n%s", text)
		}
	}
}

// TestSignInWithoutTLS: what shows the secret does not go over the wire.
func TestSignInWithoutTLS(t *testing.T) {
	const greet = "S: 220 mx\nC: EHLO *\nS: 250-mx\nS: 250 "
	plain := "C: AUTH PLAIN " + b64("\x00bob\x00"+testPassword) + "\nS: 235 in\n"
	login := Login{Username: "bob", Password: giving(testPassword)}
	allowed := login
	allowed.AllowPlainText = true
	for name, c := range map[string]struct {
		login                     *Login
		script, by, fails, reason string
	}{
		"PLAIN":             {&login, greet + "AUTH PLAIN LOGIN\n", "", "without TLS PLAIN, LOGIN would show the password or token", "tls-required"},
		"PLAIN, allowed":    {&allowed, greet + "AUTH PLAIN\n" + plain, Plain, "", ""},
		"no AUTH":           {&login, greet + "HELP\n", "", "neither AUTH nor STARTTLS here; mail is usually submitted on port 587", "auth-mechanism"},
		"AUTH behind TLS":   {&login, greet + "STARTTLS\n", "", "it offers STARTTLS", "tls-required"},
		"no EHLO":           {&login, "S: 220 mx\nC: EHLO *\nS: 502 no\nC: HELO *\nS: 250 mx\n", "", "does not know EHLO", "auth-mechanism"},
		"an empty AUTH":     {&login, greet + "AUTH\n", "", "neither AUTH", "auth-mechanism"},
		"the older keyword": {&allowed, greet + "AUTH=PLAIN\n" + plain, Plain, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := smtptest.NewPipeServer(t, c.script+quitted)
			client, err := New(t.Context(), server.Dial(), Options{Login: c.login})
			checkSignIn(t, client, err, c.by, c.fails, c.reason)
			server.Wait()
		})
	}
}
