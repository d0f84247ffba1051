package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/vfs"
)

// Content implements [spool.Spool].
//
// A small content is copied, so that a delivery that takes minutes does not
// keep a table of the store in memory; the copies are made in buffers that
// are used again.
func (s *Store) Content(_ context.Context, id mail.ID) (spool.Content, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	if s.revoked.has(id) {
		return nil, fmt.Errorf("message %v: %w", id, spool.ErrNotFound)
	}
	c := s.contents.Get().(*smallContent)
	var key [1 + idLen]byte
	found, err := s.get(appendID(key[:0], kindBody, id), func(value []byte) error {
		c.buf = append(c.buf[:0], value...)
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the content of message %v: %w: %w", id, spool.ErrDamaged, err)
	case found:
		c.rest.Reset(c.buf)
		return c, nil
	}
	s.contents.Put(c)
	return s.otherContent(id)
}

// otherContent opens a content that is in a file, or is empty.
func (s *Store) otherContent(id mail.ID) (spool.Content, error) {
	var key [1 + idLen]byte
	var h head
	found, err := s.get(appendID(key[:0], kindEnvelope, id), func(record []byte) (err error) {
		h, err = decodeHead(record)
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading message %v: %w: %w", id, spool.ErrDamaged, err)
	case !found:
		return nil, fmt.Errorf("message %v: %w", id, spool.ErrNotFound)
	case h.place.large:
		return s.bodies.open(id, h)
	case h.size > 0:
		// It was removed between the two looks, or is lost.
		if _, _, err := s.db.Get(appendID(key[:0], kindEnvelope, id)); errors.Is(err, pebble.ErrNotFound) {
			return nil, fmt.Errorf("message %v: %w", id, spool.ErrNotFound)
		}
		return nil, fmt.Errorf("message %v: %w: its content is missing", id, spool.ErrDamaged)
	}
	return &smallContent{store: s}, nil
}

// smallContent is a content in memory.
type smallContent struct {
	store *Store
	buf   []byte
	rest  bytes.Reader
}

func (c *smallContent) Read(p []byte) (int, error) { return c.rest.Read(p) }

func (c *smallContent) Bytes() []byte { return c.buf }

func (c *smallContent) Size() int64 { return int64(len(c.buf)) }

func (c *smallContent) Close() error {
	if cap(c.buf) <= maxKeptBuffer {
		c.store.contents.Put(c)
	}
	return nil
}

// open opens the file of a large content.
func (b *bodies) open(id mail.ID, h head) (spool.Content, error) {
	f, err := b.fs.Open(b.path(id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("message %v: %w: the file of its content is missing", id, spool.ErrDamaged)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the content of message %v: %w", id, err)
	}
	return &largeContent{id: id, file: f, size: h.size, want: h.place.crc}, nil
}

// largeContent is a content in a file. Whether it is what was written is known
// when it has been read to its end: the last Read fails where it is not.
type largeContent struct {
	id   mail.ID
	file vfs.File
	size int64
	read int64
	crc  uint32
	want uint32
}

func (c *largeContent) Read(p []byte) (int, error) {
	n, err := c.file.Read(p)
	c.read += int64(n)
	c.crc = crc32.Update(c.crc, castagnoli, p[:n])
	switch {
	case err == nil && c.read < c.size, err == nil && n == 0:
		return n, nil
	case err != nil && err != io.EOF:
		return n, fmt.Errorf("reading the content of message %v: %w", c.id, err)
	case c.read != c.size || c.crc != c.want:
		return 0, fmt.Errorf("message %v: %w: the file of its content has changed", c.id, spool.ErrDamaged)
	}
	return n, err
}

func (c *largeContent) Bytes() []byte { return nil }

func (c *largeContent) Size() int64 { return c.size }

func (c *largeContent) Close() error { return c.file.Close() }
