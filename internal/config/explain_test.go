package config

import (
	"strings"
	"testing"
)

func TestExplainSaysWhereEachValueComesFrom(t *testing.T) {
	file := "next_hop = [\"smtp://relay.example.net\"]\n[[listener]]\naddress = \":25\"\n[retry]\nexpire = \"2d\"\n"
	settings, _, err := Explain(Source{
		Path: "weir.toml", Hostname: "mx.example.net",
		ReadFile: func(string) ([]byte, error) { return []byte(file), nil },
		Environ:  []string{"WEIR_RETRY__MAX=1h"},
		Flags:    map[string]string{"smtp.max_message_size": "10MiB"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Setting{
		"next_hop":              {Value: `["smtp://relay.example.net:25"]`, From: "weir.toml:1"},
		"listener[0].address":   {Value: `":25"`, From: "weir.toml:3"},
		"retry.expire":          {Value: `"2d"`, From: "weir.toml:5"},
		"retry.max":             {Value: `"1h"`, From: "WEIR_RETRY__MAX"},
		"smtp.max_message_size": {Value: `"10MiB"`, From: "command line"},
		"retry.first":           {Value: `"1m"`, From: "default"},
	}
	for _, s := range settings {
		w, ok := want[s.Key]
		if ok && (w.Value != s.Value || w.From != s.From) {
			t.Errorf("%s = %s from %s, want %s from %s", s.Key, s.Value, s.From, w.Value, w.From)
		}
		delete(want, s.Key)
	}
	for key := range want {
		t.Errorf("nothing is said of %s", key)
	}
}

func TestExplainListsEveryKeyOfTheManual(t *testing.T) {
	settings, _, err := Explain(Source{Hostname: "mx.example.net"})
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, s := range settings {
		listed[s.Key] = true
	}
	manual, err := entries()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range manual {
		if !e.isSection() && !e.isSectionList() && !strings.Contains(e.path, "[") && !listed[e.path] {
			t.Errorf("%s is missing", e.path)
		}
	}
}
