package disk

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/internal/vfs"
)

// castagnoli is the table of CRC-32C, for which processors have an
// instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// content is the content of a message on its way into the store.
type content struct {
	// small is the whole content, or nil where it is in a file.
	small []byte
	size  int64
	place place
}

// Sizes of the buffers that contents are read into.
const (
	firstBuffer = 16 << 10
	// maxKeptBuffer is the largest that is kept for the next message.
	maxKeptBuffer = 1 << 20
)

// intake reads one content at a time. It is used again for the next message.
type intake struct {
	buf []byte
	rec []byte // the envelope's record
}

// read reads a content to its end: into the buffer, and from LargeBody on
// into a file, which is durable when read returns.
func (in *intake) read(ctx context.Context, bodies *bodies, id mail.ID, r io.Reader) (content, error) {
	in.buf = in.buf[:0]
	for empty := 0; ; {
		in.grow(bodies.large)
		n, err := r.Read(in.buf[len(in.buf):cap(in.buf)])
		in.buf = in.buf[:len(in.buf)+n]
		switch {
		case err == io.EOF && int64(len(in.buf)) <= bodies.large:
			return content{small: in.buf, size: int64(len(in.buf))}, nil
		case err != nil && err != io.EOF:
			return content{}, &spool.ContentError{Err: err}
		case err == io.EOF || int64(len(in.buf)) > bodies.large:
			return in.spill(ctx, bodies, id, r, err == io.EOF)
		}
		if empty++; n > 0 {
			empty = 0
		} else if empty > 100 {
			return content{}, &spool.ContentError{Err: io.ErrNoProgress}
		}
	}
}

// grow makes room in the buffer, where there is none, for more than large
// bytes in the end.
func (in *intake) grow(large int64) {
	if len(in.buf) < cap(in.buf) {
		return
	}
	size := max(firstBuffer, 2*cap(in.buf))
	if int64(size) > large {
		size = max(int(large)+firstBuffer, cap(in.buf)+firstBuffer)
	}
	bigger := make([]byte, len(in.buf), size)
	copy(bigger, in.buf)
	in.buf = bigger
}

// spill writes the content, of which the buffer has the beginning, to a file.
func (in *intake) spill(ctx context.Context, bodies *bodies, id mail.ID, r io.Reader, end bool) (content, error) {
	f, err := bodies.create(id)
	if err != nil {
		return content{}, err
	}
	if err := in.pour(ctx, f, r, end); err != nil {
		f.abandon()
		return content{}, err
	}
	if err := f.finish(); err != nil {
		return content{}, err
	}
	return content{size: f.size, place: place{large: true, crc: f.crc}}, nil
}

// pour writes the buffer, and what the reader still has.
func (in *intake) pour(ctx context.Context, f *bodyFile, r io.Reader, end bool) error {
	for empty := 0; !end; {
		if len(in.buf) == cap(in.buf) {
			if err := errors.Join(ctx.Err(), f.write(in.buf)); err != nil {
				return err
			}
			in.buf = in.buf[:0]
		}
		n, err := r.Read(in.buf[len(in.buf):cap(in.buf)])
		in.buf = in.buf[:len(in.buf)+n]
		if end = err == io.EOF; err != nil && !end {
			return &spool.ContentError{Err: err}
		}
		if empty++; n > 0 {
			empty = 0
		} else if empty > 100 {
			return &spool.ContentError{Err: io.ErrNoProgress}
		}
	}
	return f.write(in.buf)
}

// bodies is the folder of the large contents. Each is a file named by the id
// of its message, in one of 256 folders.
type bodies struct {
	fs    vfs.FS
	dir   string
	large int64 // contents longer than this get a file

	mu    sync.Mutex
	known [256]bool // folders that are there, durably
}

// folder returns the folder of a message's content. The last byte of an id is
// random.
func (b *bodies) folder(id mail.ID) string {
	return b.fs.PathJoin(b.dir, hex.EncodeToString(id[idLen-1:]))
}

func (b *bodies) path(id mail.ID) string {
	return b.fs.PathJoin(b.folder(id), id.String())
}

// create begins a file.
func (b *bodies) create(id mail.ID) (*bodyFile, error) {
	if err := b.makeFolder(id); err != nil {
		return nil, storeError("making a folder for a large content", err)
	}
	f, err := b.fs.Create(b.path(id), vfs.Category)
	if err != nil {
		return nil, storeError("creating the file of a large content", err)
	}
	return &bodyFile{bodies: b, id: id, file: f}, nil
}

func (b *bodies) makeFolder(id mail.ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known[id[idLen-1]] {
		return nil
	}
	if err := vfs.MkdirAll(b.fs, b.folder(id)); err != nil {
		return err
	}
	// The folder may be left from a run that was cut before it synced this.
	if err := vfs.SyncDir(b.fs, b.dir); err != nil {
		return err
	}
	b.known[id[idLen-1]] = true
	return nil
}

// remove removes the file of a message, whose record is durably gone.
func (b *bodies) remove(id mail.ID) error {
	if err := b.fs.Remove(b.path(id)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing a large content: %w", err)
	}
	return nil
}

// all calls each for every file with the id it is named by.
func (b *bodies) all(each func(mail.ID) error) error {
	folders, err := b.fs.List(b.dir)
	if err != nil {
		return fmt.Errorf("listing the large contents: %w", err)
	}
	for _, folder := range folders {
		if n, err := hex.DecodeString(folder); err != nil || len(n) != 1 {
			continue // not ours
		}
		names, err := b.fs.List(b.fs.PathJoin(b.dir, folder))
		if err != nil {
			return fmt.Errorf("listing the large contents: %w", err)
		}
		for _, name := range names {
			id, err := mail.ParseID(name)
			if err != nil || b.fs.PathBase(b.folder(id)) != folder {
				continue
			}
			if err := each(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// bodyFile is a large content that is being written.
type bodyFile struct {
	bodies *bodies
	id     mail.ID
	file   vfs.File
	size   int64
	crc    uint32
}

func (f *bodyFile) write(p []byte) error {
	f.size += int64(len(p))
	f.crc = crc32.Update(f.crc, castagnoli, p)
	if _, err := f.file.Write(p); err != nil {
		return storeError("writing a large content", err)
	}
	return nil
}

// finish makes the content and its name durable. After a fault the file is
// gone: it is never synced a second time, since a sync that follows a failed
// one may say yes to what was lost.
func (f *bodyFile) finish() error {
	if err := f.file.Sync(); err != nil {
		f.abandon()
		return storeError("syncing a large content", err)
	}
	err := f.file.Close()
	if err == nil {
		err = vfs.SyncDir(f.bodies.fs, f.bodies.folder(f.id))
	}
	if err != nil {
		_ = f.bodies.remove(f.id)
		return storeError("making the name of a large content durable", err)
	}
	return nil
}

// abandon removes the file. What is left of it, Open removes.
func (f *bodyFile) abandon() {
	_ = f.file.Close()
	_ = f.bodies.remove(f.id)
}

// diskError is a fault of the disk, as the file system told it.
type diskError struct {
	doing string
	err   error
}

func (e *diskError) Error() string { return e.doing + ": " + e.err.Error() }

func (e *diskError) Unwrap() []error {
	if vfs.IsFull(e.err) {
		return []error{e.err, spool.ErrFull}
	}
	return []error{e.err, spool.ErrFailed}
}

func storeError(doing string, err error) error { return &diskError{doing: doing, err: err} }
