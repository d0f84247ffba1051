package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
)

// converse sends the lines of a text that begin with "C: ", and holds what is
// heard against those that begin with "S: ".
func converse(nc net.Conn, text string) error {
	r := bufio.NewReader(nc)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "C: "):
			if _, err := fmt.Fprintf(nc, "%s\r\n", line[3:]); err != nil {
				return err
			}
		case strings.HasPrefix(line, "S: "):
			heard, err := hearReply(r)
			if err != nil {
				return fmt.Errorf("waiting for %q: %w", line[3:], err)
			}
			if !strings.HasPrefix(heard, line[3:]) {
				return fmt.Errorf("heard %q, want %q", heard, line[3:])
			}
		}
	}
	return nil
}

// hearReply returns the last line of a reply.
func hearReply(r *bufio.Reader) (string, error) {
	for {
		line, err := r.ReadString('\n')
		if err != nil || len(line) < 4 || line[3] != '-' {
			return strings.TrimRight(line, "\r\n"), err
		}
	}
}
