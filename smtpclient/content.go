package smtpclient

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/weirmail/weir/smtp"
)

// content sends the message where it has not gone with its envelope and somebody
// is there to receive it, and reads what the server says to it.
func (x *exchange) content() error {
	switch {
	case x.invited && x.accepted == 0:
		return x.sendNothing()
	case x.invited:
		return x.byDATA()
	case x.accepted == 0:
		return nil
	case x.chunking:
		return x.byBDAT()
	}
	x.sendDATA()
	if err := x.turn(); err != nil || !x.invited {
		return err
	}
	return x.byDATA()
}

// sendNothing answers a 354 that came though no recipient was accepted. RFC 2920
// section 3.1 asks for an empty message then, and the server refuses it.
func (x *exchange) sendNothing() error {
	x.c.transcript.add('C', ".")
	x.c.out.b = append(x.c.out.b, ".\r\n"...)
	x.flush()
	return x.readFinal()
}

// byDATA sends the content with its transparency and the final dot.
func (x *exchange) byDATA() error {
	x.note()
	x.stuffing = true
	if err := x.putContent(); err != nil {
		return err
	}
	x.c.out.b = x.encoder.Finish(x.c.out.b)
	x.flush()
	return x.readFinal()
}

// byBDAT sends the content as one chunk, after the envelope.
func (x *exchange) byBDAT() error {
	if err := x.putChunk(); err != nil {
		return err
	}
	x.flush()
	return x.readFinal()
}

// putChunk puts BDAT and the content into the out buffer, which is flushed when it
// is full.
func (x *exchange) putChunk() error {
	size := x.t.Content.size()
	x.chunked, x.result.Chunked = true, true
	begin := len(x.c.out.b)
	x.c.out.b = appendBDAT(x.c.out.b, size)
	addLine(x.c.transcript, 'C', x.c.out.b[begin:len(x.c.out.b)-2])
	x.note()
	return x.putContent()
}

// note says in the transcript that content goes out.
func (x *exchange) note() {
	if x.c.transcript != nil {
		x.c.transcript.add('C', "<"+strconv.FormatInt(x.t.Content.size(), 10)+" octets>")
	}
}

func (x *exchange) putContent() error {
	content := &x.t.Content
	x.put(content.Header)
	if content.Bytes != nil || content.Reader == nil {
		x.put(content.Bytes)
		return nil
	}
	return x.stream(content.Reader, content.Size)
}

// stream puts exactly size octets from the reader. Where it has fewer or more the
// message cannot be completed: the server must not take a part for the whole.
func (x *exchange) stream(r io.Reader, size int64) error {
	buffer := newOutBuffer()
	defer buffer.release()
	block := buffer.b[:blockSize]
	for left := size; left > 0 && x.c.broken == nil; {
		n, err := io.ReadFull(r, block[:min(int64(blockSize), left)])
		if err != nil {
			return x.failContent(fmt.Errorf("%d octets before its end: %w", left-int64(n), err))
		}
		x.put(block[:n])
		left -= int64(n)
	}
	if x.c.broken != nil {
		return nil
	}
	switch _, err := io.ReadFull(r, block[:1]); {
	case err == nil:
		return x.failContent(errors.New("more octets than its size"))
	case !errors.Is(err, io.EOF):
		return x.failContent(fmt.Errorf("at its end: %w", err))
	}
	return nil
}

func (x *exchange) failContent(err error) error {
	return x.fail(smtp.StageContent, fmt.Errorf("%w: %w", ErrContent, err))
}

// put takes a piece of the content.
func (x *exchange) put(b []byte) {
	if x.stuffing {
		x.putStuffed(b)
		return
	}
	x.putPlain(b)
}

// putPlain gathers pieces until the buffer is full; what is larger goes out from
// where it is.
func (x *exchange) putPlain(b []byte) {
	out := x.c.out
	for len(b) > 0 && x.c.broken == nil {
		if len(out.b) == 0 && len(b) >= blockSize {
			x.c.write(b[:blockSize])
			b = b[blockSize:]
			continue
		}
		n := min(len(b), out.room())
		out.b = append(out.b, b[:n]...)
		b = b[n:]
		if out.room() == 0 {
			x.c.flush()
		}
	}
}

const (
	// leastPiece is the smallest room in the buffer that is worth filling.
	leastPiece = 4 << 10
	// endRoom is for the final dot and a stuffed dot at the start of a piece.
	endRoom = 8
)

// putStuffed does the same with transparency, which at its worst makes three
// octets of two.
func (x *exchange) putStuffed(b []byte) {
	out := x.c.out
	for len(b) > 0 && x.c.broken == nil {
		n := min(len(b), (out.room()-endRoom)/3*2)
		if n < len(b) && n < leastPiece {
			x.c.flush()
			continue
		}
		out.b = x.encoder.Append(out.b, b[:n])
		b = b[n:]
	}
}
