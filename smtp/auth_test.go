package smtp

import (
	"strings"
	"testing"
)

func TestParseAUTH(t *testing.T) {
	for args, want := range map[string][2]string{
		"PLAIN":                             {"PLAIN", ""},
		"plain AGEAYg==":                    {"PLAIN", "AGEAYg=="},
		"SCRAM-SHA-256-PLUS =":              {"SCRAM-SHA-256-PLUS", "="},
		"X_1":                               {"X_1", ""},
		strings.Repeat("x", MaxMechanism):   {strings.Repeat("X", MaxMechanism), ""},
		"LOGIN " + strings.Repeat("A", 9e3): {"LOGIN", strings.Repeat("A", 9e3)},
	} {
		mechanism, initial, err := ParseAUTH([]byte(args))
		if err != nil || mechanism != want[0] || string(initial) != want[1] || (initial == nil) != (want[1] == "") {
			t.Errorf("ParseAUTH(%q) = %q, %q, %v", args, mechanism, initial, err)
		}
	}
}

func TestParseAUTHBad(t *testing.T) {
	for rule, args := range map[string]string{
		"nothing":       "",
		"no mechanism":  " AGEAYg==",
		"too long":      strings.Repeat("x", MaxMechanism+1),
		"a character":   "PL\u00c4IN",
		"a dot":         "SCRAM.SHA",
		"two responses": "PLAIN AGEAYg== AGEAYg==",
		"two spaces":    "PLAIN  AGEAYg==",
	} {
		mechanism, initial, err := ParseAUTH([]byte(args))
		wantSyntaxError(t, args, err, PartArgument)
		if mechanism != "" || initial != nil {
			t.Errorf("%s: %q, %q beside the error", rule, mechanism, initial)
		}
	}
}

func FuzzParseAUTH(f *testing.F) {
	for _, s := range []string{"", "PLAIN", "plain AGEAYg==", "LOGIN =", "A B C"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, args []byte) {
		mechanism, initial, err := ParseAUTH(args)
		if err != nil {
			return
		}
		again := mechanism
		if initial != nil {
			again += " " + string(initial)
		}
		m, i, err := ParseAUTH([]byte(again))
		if err != nil || m != mechanism || string(i) != string(initial) {
			t.Errorf("%q reads as %q, %q, %v", again, m, i, err)
		}
	})
}
