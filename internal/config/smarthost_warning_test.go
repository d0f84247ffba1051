package config

import "testing"

// A smarthost that is written wrongly is one fault, and not two: that nothing says where
// mail goes follows from it.
func TestAWrongSmarthostIsNotALackOfOne(t *testing.T) {
	_, warnings, err := Load(Source{
		Path: "weir.toml", Hostname: "mail.example.org",
		ReadFile: func(string) ([]byte, error) { return []byte("smarthost = \"sess:eu-west-1\"\n"), nil },
	})
	if err == nil {
		t.Fatal("it was taken")
	}
	for _, w := range warnings {
		t.Errorf("warned as well: %v", w)
	}
}
