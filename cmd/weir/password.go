package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"
)

// terminal is standard input that somebody types into.
type terminal interface{ Fd() uintptr }

// askPassword reads a password: from the terminal, twice and unseen, or else the first
// line of standard input. It is never an argument, which others on the machine could
// see.
func askPassword(w *world) (string, error) {
	if t, ok := w.stdin.(terminal); ok && term.IsTerminal(int(t.Fd())) {
		return typePassword(w, int(t.Fd()))
	}
	line, err := bufio.NewReader(io.LimitReader(w.stdin, 4<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return "", &exitError{exitUsage, errors.New("there is no password on standard input")}
	}
	return password, nil
}

// typePassword asks for a password twice.
func typePassword(w *world, fd int) (string, error) {
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Again: "} {
		fmt.Fprint(w.stderr, prompt)
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(w.stderr)
		if err != nil {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", &exitError{exitUsage, errors.New("the two passwords are not the same")}
	}
	return typed[0], nil
}
