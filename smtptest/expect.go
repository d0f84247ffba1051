package smtptest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// listen expects a step of the other side.
func (r *role) listen(s step) error {
	if r.patience > 0 {
		_ = r.conn.SetReadDeadline(time.Now().Add(r.patience))
	}
	switch s.kind {
	case kindData:
		return r.expectData(s)
	case kindBDAT:
		return r.expectBDAT(s)
	case kindReply:
		return r.expectReply(s)
	case kindEOF:
		return r.expectEnd(s.line)
	}
	line, err := r.readLine()
	if err != nil {
		return r.deviate(s.line, "waiting for "+s.String(), err)
	}
	if !s.text.match(line) {
		return r.deviate(s.line, fmt.Sprintf("got %q, want %q", line, s.text.source), nil)
	}
	return nil
}

// readLine reads a line that ends in CRLF and returns it without.
func (r *role) readLine() (string, error) {
	var line []byte
	for {
		part, err := r.reader.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) || len(line) > maxContent {
			return "", fmt.Errorf("%w after %q", err, clip(line))
		}
	}
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || bytes.IndexByte(text, '\r') >= 0 {
		return "", fmt.Errorf("the line %q has a CR or LF that stands alone", clip(line))
	}
	return string(text), nil
}

// clip shortens what a message quotes.
func clip(b []byte) []byte { return b[:min(len(b), 200)] }

func (r *role) expectReply(s step) error {
	var lines []string
	for {
		line, err := r.readLine()
		if err != nil {
			return r.deviate(s.line, "waiting for "+s.String(), err)
		}
		lines = append(lines, line)
		if len(line) < 4 || line[3] != '-' {
			break
		}
	}
	if got := strings.Join(lines, "\n"); !s.text.match(got) {
		return r.deviate(s.line, fmt.Sprintf("got the reply %q, want %q", got, s.text.source), nil)
	}
	return nil
}

// expectEnd waits until the other side has closed.
func (r *role) expectEnd(line int) error {
	if r.patience > 0 {
		_ = r.conn.SetReadDeadline(time.Now().Add(r.patience))
	}
	rest, err := io.ReadAll(io.LimitReader(r.reader, 1024))
	switch {
	case len(rest) > 0:
		return r.deviate(line, fmt.Sprintf("behind it came %q, want the end of the connection", clip(rest)), nil)
	case err != nil && !isReset(err) && !r.isOver():
		return r.deviate(line, "waiting for the end of the connection", err)
	}
	return nil
}

// isOver tells whether the test has ended the peer.
func (r *role) isOver() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}
