package smtptest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// message returns the content that the step sends: its own lines, or a small
// message, filled up to its size.
func (s step) message() []byte {
	var b []byte
	for _, line := range s.content {
		b = append(b, line.line()...)
	}
	if s.content != nil {
		return b
	}
	b = append(b, "Subject: test\r\n\r\n"...)
	if s.size < 0 {
		return append(b, "Hello.\r\n"...)
	}
	for len(b) < s.size {
		b = append(b, "0123456789012345678901234567890123456789012345678901234567890123456789\r\n"...)
	}
	b = b[:s.size]
	if s.size >= 2 {
		copy(b[s.size-2:], "\r\n")
	}
	return b
}

func (s step) bdat() []byte {
	content := s.message()
	b := strconv.AppendInt([]byte("BDAT "), int64(len(content)), 10)
	if s.last != moreChunks {
		b = append(b, " LAST"...)
	}
	return append(append(b, "\r\n"...), content...)
}

// stuff appends content with the transparency of RFC 5321 section 4.5.2.
func stuff(dst, content []byte) []byte {
	for line := range bytes.Lines(content) {
		if line[0] == '.' {
			dst = append(dst, '.')
		}
		dst = append(dst, line...)
	}
	return dst
}

// expectData reads a message up to its final dot, holding the client to strict
// line ends and to the transparency.
func (r *role) expectData(s step) error {
	var message []byte
	for {
		line, err := r.readLine()
		if err != nil {
			return r.deviate(s.line, fmt.Sprintf("%d octets into the message", len(message)), err)
		}
		if line == "." {
			break
		}
		line = strings.TrimPrefix(line, ".")
		message = append(append(message, line...), "\r\n"...)
		if len(message) > maxContent {
			return r.deviate(s.line, "the message does not end", nil)
		}
	}
	return r.take(s, message, message, true)
}

// expectBDAT reads a BDAT command and its chunk (RFC 3030 section 2).
func (r *role) expectBDAT(s step) error {
	line, err := r.readLine()
	if err != nil {
		return r.deviate(s.line, "waiting for "+s.String(), err)
	}
	size, last, err := parseBDAT(line)
	if err != nil {
		return r.deviate(s.line, fmt.Sprintf("got %q, want BDAT", line), err)
	}
	if s.last != anyChunk && last != (s.last == lastChunk) {
		return r.deviate(s.line, fmt.Sprintf("got %q, want %s", line, s.speech()), nil)
	}
	chunk := make([]byte, size)
	if n, err := io.ReadFull(r.reader, chunk); err != nil {
		return r.deviate(s.line, fmt.Sprintf("%d of %d octets into the chunk", n, size), err)
	}
	r.chunks = append(r.chunks, chunk...)
	message := r.chunks
	if last {
		r.chunks = nil
	}
	return r.take(s, chunk, message, last)
}

func parseBDAT(line string) (size int, last bool, err error) {
	words := strings.Split(line, " ")
	if words[0] != "BDAT" || len(words) < 2 || len(words) > 3 {
		return 0, false, errors.New("neither BDAT size nor BDAT size LAST")
	}
	if len(words) == 3 && words[2] != "LAST" {
		return 0, false, errors.New("the second argument is not LAST")
	}
	size, err = strconv.Atoi(words[1])
	if err != nil || size < 0 || size > maxContent {
		return 0, false, errors.New("not a size")
	}
	return size, len(words) == 3, nil
}

// take compares content with what the step expects and keeps a whole message.
func (r *role) take(s step, got, message []byte, whole bool) error {
	if s.size >= 0 && len(got) != s.size {
		return r.deviate(s.line, fmt.Sprintf("got %d octets of content, want %d", len(got), s.size), nil)
	}
	if err := s.matchContent(got); err != nil {
		return r.deviate(s.line, "content", err)
	}
	if whole && r.received != nil {
		r.received(message)
	}
	return nil
}

// matchContent compares the content with the "|" lines, if there are any.
func (s step) matchContent(got []byte) error {
	if s.content == nil {
		return nil
	}
	i := 0
	for line := range bytes.Lines(got) {
		text := strings.TrimSuffix(string(line), "\r\n")
		if i == len(s.content) {
			return fmt.Errorf("line %q is one too many", text)
		}
		if want := s.content[i]; !want.match(text) || want.open == strings.HasSuffix(string(line), "\r\n") {
			return fmt.Errorf("line %q, want %q", line, want.source)
		}
		i++
	}
	if i < len(s.content) {
		return fmt.Errorf("ends before the line %q", s.content[i].source)
	}
	return nil
}
