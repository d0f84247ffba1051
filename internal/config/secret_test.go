package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

func TestSecretNeverPrints(t *testing.T) {
	const word = "hunter2"
	s := NewSecret(word)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "in", struct{ S Secret }{s})
	encoded, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s, s, s),
		fmt.Sprintf("%+v %#v", struct{ S Secret }{s}, &struct{ S []Secret }{[]Secret{s}}),
		log.String(), string(encoded), fmt.Errorf("with %v", s).Error(),
	}
	for _, text := range shown {
		if strings.Contains(text, word) || strings.Contains(text, fmt.Sprintf("%x", word)) {
			t.Errorf("shows the secret: %s", text)
		}
	}
	if s.Reveal() != word || s.IsZero() || !(Secret{}).IsZero() {
		t.Error("the secret is lost")
	}
}

func TestSecretIsReadAsAKey(t *testing.T) {
	x, err := leafOf(reflect.TypeFor[Secret]()).parse("hunter2")
	if err != nil || x.(Secret).Reveal() != "hunter2" {
		t.Errorf("%v %v", x, err)
	}
	if (Secret{}).String() != "" {
		t.Error("a secret that is not set looks as if it were")
	}
}
