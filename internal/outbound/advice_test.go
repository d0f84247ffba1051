package outbound

import (
	"context"
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

func TestARefusedLoginComesWithAdvice(t *testing.T) {
	secret := func(context.Context) (string, error) { return "hunter2", nil }
	byPassword, byToken := &smtpclient.Login{Username: "ada", Password: secret}, &smtpclient.Login{Username: "ada", Token: secret}
	for _, test := range []struct {
		login *smtpclient.Login
		reply string
		want  string
	}{
		{byPassword, "550 5.7.30 Basic authentication is not supported for Client Submission.", "sign in by OAuth 2.0"},
		{byPassword, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", "sign in by OAuth 2.0"},
		{byPassword, "535 5.7.8 wrong", ""},
		{byToken, "535 5.7.8 wrong", "is it that of ada"},
		{byToken, "454 4.7.0 later", ""},
	} {
		r, err := reply.Parse(test.reply)
		if err != nil {
			t.Fatal(err)
		}
		a := &attempt.Answer{Stage: smtp.StageAUTH, Reply: r, Verdict: verdict.Judge(smtp.StageAUTH, r)}
		got := signInAdvice(a, attempt.Target{Login: test.login})
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) || strings.Contains(got, "hunter2") {
			t.Errorf("%s: %q (%s)", test.reply, got, a.Verdict.Reason)
		}
	}
}
