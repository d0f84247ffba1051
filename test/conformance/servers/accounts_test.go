package servers

import "testing"

func TestAccountsAnswerAsDovecotDoes(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		lines      [][]string
	}{
		{"PLAIN at once", "OK\t1\tuser=alice\n", [][]string{{"AUTH", "1", "PLAIN", "service=smtp", "resp=AGFsaWNlAHdvbmRlcmxhbmQ="}}},
		{"PLAIN after a challenge", "CONT\t1\t\nOK\t1\tuser=alice\n", [][]string{{"AUTH", "1", "PLAIN"}, {"CONT", "1", "AGFsaWNlAHdvbmRlcmxhbmQ="}}},
		{"a wrong password", "FAIL\t1\n", [][]string{{"AUTH", "1", "PLAIN", "resp=AGFsaWNlAHg="}}},
		{"no base64", "FAIL\t1\treason=Invalid base64 data\n", [][]string{{"AUTH", "1", "PLAIN", "resp=!"}}},
		{"LOGIN", "CONT\t1\tVXNlcm5hbWU6\nCONT\t1\tUGFzc3dvcmQ6\nOK\t1\tuser=alice\n", [][]string{{"AUTH", "1", "LOGIN"}, {"CONT", "1", "YWxpY2U="}, {"CONT", "1", "d29uZGVybGFuZA=="}}},
		{"an exchange that never began", "", [][]string{{"CONT", "7", "YWxpY2U="}}},
		{"something else", "", [][]string{{"CPID", "12"}, {"VERSION", "1", "1"}}},
	} {
		got, exchanges := "", map[string]*question{}
		for _, words := range tc.lines {
			got += ask(exchanges, words)
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}
